"""T17: answers that are given before the body has come, and `Expect`: the body is never read as a request."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from kingpost import App, BodyStream, Request
from tests.security.rig import (
    SHELLS,
    Rig,
    first_answers,
    is_ended,
    read_all,
    read_answers,
    send,
    serving,
    talk,
)

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


class Site:
    """An app that remembers what was asked."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.app = App()
        self.rig: Rig

        @self.app.get("/{name}")
        async def get(name: str) -> str:
            self.paths.append(name)
            return name

        @self.app.post("/collected", inline=True)
        def collected(request: Request) -> str:
            self.paths.append("collected")
            return str(len(request.body))

        @self.app.post("/unread")
        async def unread(body: BodyStream) -> str:
            self.paths.append("unread")
            return "not read"

        @self.app.post("/unread-def")
        def unread_def(body: BodyStream) -> str:
            self.paths.append("unread-def")
            return "not read"

        @self.app.post("/partly")
        async def partly(body: BodyStream) -> str:
            self.paths.append("partly")
            async for chunk in body:
                return str(len(chunk) > 0)
            return "nothing"


@pytest.fixture(scope="module", params=SHELLS)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    site = Site()
    with serving(site.app, driver=request.param) as rig:
        site.rig = rig
        yield site
        rig.until_idle()


def post(path: str, body: bytes, *fields: str, chunked: bool = False) -> bytes:
    framing = "transfer-encoding: chunked" if chunked else f"content-length: {len(body)}"
    head = "\r\n".join([f"POST {path} HTTP/1.1", "host: a", framing, *fields, "", ""])
    return head.encode() + (b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body)


# A route that is not there, one that takes no POST, one that never reads, one on a thread, one that reads a part.
EARLY = [
    ("/nowhere/at/all", 404),
    ("/name", 405),
    ("/unread", 200),
    ("/unread-def", 200),
    ("/partly", 200),
]


@pytest.mark.parametrize(("path", "status"), EARLY)
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("count", [1, 50, 20_000])
def test_a_body_behind_an_early_answer_is_no_request(
    site: Site, path: str, status: int, chunked: bool, count: int
) -> None:
    site.paths = []
    with site.rig.connect() as connection:
        data = post(path, SMUGGLED * count, chunked=chunked)
        send(connection, data, b"GET /after HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        received = read_all(connection)
    answers = read_answers(received)
    assert "smuggled" not in site.paths
    # Either the connection went on behind the body, or it was closed; never something between.
    if received:
        assert answers[0].status == status
        if len(answers) == 2:
            assert answers[1].body == b"after"
        else:
            # How long a body in chunks is shows only when too much of it has come.
            assert chunked or answers[0].get("connection") == "close"
    assert count > 50 or len(answers) == 2


@pytest.mark.parametrize(("path", "status"), EARLY[:2])
def test_who_expects_100_and_is_answered_early_may_not_go_on(
    site: Site, path: str, status: int
) -> None:
    site.paths = []
    with site.rig.connect() as connection:
        connection.sendall(
            post(path, b"", "expect: 100-continue").replace(
                b"content-length: 0", b"content-length: 35"
            )
        )
        (answer,) = first_answers(connection)
        assert answer.status == status
        assert answer.interim == []
        assert answer.get("connection") == "close"
        # The client takes the body that was refused for its next request: 0.CL.
        connection.sendall(SMUGGLED)
        assert is_ended(connection)
    assert "smuggled" not in site.paths


@pytest.mark.parametrize("path", ["/collected", "/partly"])
def test_who_expects_100_is_told_once_and_then_answered(site: Site, path: str) -> None:
    with site.rig.connect() as connection:
        whole = post(path, b"hello", "expect: 100-continue")
        connection.sendall(whole[:-5])
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(whole[-5:])
        (answer,) = first_answers(connection)
        assert answer.status == 200


def test_who_does_not_wait_for_100_need_not_be_told(site: Site) -> None:
    (answer,) = site.rig.ask(post("/collected", b"hello", "expect: 100-continue"))
    assert answer.body == b"5"


@pytest.mark.parametrize(
    "value",
    [
        "100-continue, 100-continue", "100-continue;a=b", "200-ok", "100 continue", '"100-continue"',
        "100-continue\x0b", "100-continu", "x100-continue", "100-continue, x", "=",
    ],
)  # fmt: skip
def test_what_only_looks_like_an_expectation_is_refused_with_its_body(
    site: Site, value: str
) -> None:
    site.paths = []
    (answer,) = site.rig.ask(post("/collected", SMUGGLED, f"expect: {value}") + SMUGGLED)
    assert answer.status in (400, 417)
    assert site.paths == []


def test_a_hidden_expectation_is_none(site: Site) -> None:
    # Names that are not `Expect` mean nothing; those that no field may have are refused.
    for field, status in [
        ("x-expect: 100-continue", 200),
        ("expect : 100-continue", 400),
        ("exp\x00ect: 100-continue", 400),
    ]:
        (answer,) = site.rig.ask(post("/collected", b"hello", field))
        assert (answer.status, answer.interim) == (status, [])


def test_a_declared_body_that_is_too_large_is_refused_before_it_comes(site: Site) -> None:
    with site.rig.connect() as connection:
        head = b"POST /collected HTTP/1.1\r\nhost: a\r\ncontent-length: 9999999999\r\nexpect: 100-continue\r\n\r\n"
        connection.sendall(head)
        (answer,) = first_answers(connection)
        assert (answer.status, answer.interim) == (413, [])


def test_the_answer_reaches_a_client_that_is_still_sending(site: Site) -> None:
    # Closing while bytes come in would be a reset, and the reset would destroy the answer (RFC 9112 section 9.6).
    for _ in range(5):
        with site.rig.connect() as connection:
            connection.sendall(
                b"POST /collected HTTP/1.1\r\nhost: a\r\ncontent-length: 2000000\r\n\r\n"
            )
            connection.sendall(b"x" * 60_000)
            time.sleep(0.01)
            connection.sendall(b"x" * 60_000)
            assert read_answers(talk(connection))[0].status == 413
