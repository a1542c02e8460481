"""Framing on a connection that goes on: what is refused ends it, and nothing behind it is ever a request.

T01 to T14 are tables of inputs in tests/conformance/http1/cases.json, run there through both shells; here each of them
stands between two good requests, as it would on a connection that a proxy shares between clients.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from kingpost import App, Request
from tests.conformance.http1.cases import Case, cases
from tests.security.rig import SHELLS, Driver, PlainService, Rig, read_answers, serving

BEFORE = b"GET /before HTTP/1.1\r\nHost: a\r\n\r\n"
CANARY = b"GET /canary HTTP/1.1\r\nHost: a\r\n\r\n"

# With more bytes behind it, what ended too soon is something else.
REFUSED = [case for case in cases() if case.code not in (None, "http.incomplete-request")]


class Watched:
    """A server that remembers the paths that its handlers saw."""

    def __init__(self) -> None:
        self.paths: list[bytes] = []
        self.rig: Rig
        methods = {method.decode() for case in cases() for method, _, _ in case.requests}
        self.service = PlainService(
            [(path, "inline", sorted(methods), self._note) for path in ("/", "/{rest:path}")]
        )

    def _note(self, request: Any) -> bytes:
        self.paths.append(request.raw_path)
        return b"seen"


@pytest.fixture(scope="module", params=SHELLS)
def watched(request: pytest.FixtureRequest) -> Iterator[Watched]:
    watched = Watched()
    with serving(watched.service, driver=request.param) as rig:
        watched.rig = rig
        yield watched


@pytest.mark.parametrize("number", range(1, 20))
def test_every_framing_class_has_rows_or_a_file(number: int) -> None:
    name = f"T{number:02}"
    # T19 is about answers.
    assert name == "T19" or any(case.bug_class == name for case in cases())


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case.bug_class} {case.name[:70]}")
def test_t15_nothing_behind_a_refusal_is_a_request(watched: Watched, case: Case) -> None:
    watched.paths = []
    answers = read_answers(watched.rig.talk(BEFORE, case.input + CANARY * 3))
    # A request line that goes on for ever is refused before it is complete, and so on: the last answer is the refusal.
    assert answers[-1].status == case.status
    assert answers[-1].get("connection") == "close"
    assert len(answers) == 1 + len(case.requests) + 1
    assert b"/canary" not in watched.paths
    assert watched.paths[0] == b"/before"
    assert len(watched.paths) == 1 + sum(
        not target.startswith(b"*") for _, target, _ in case.requests
    )


def test_t11_bytes_behind_a_get_without_length_are_the_next_request(watched: Watched) -> None:
    watched.paths = []
    watched.rig.ask(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n")
    assert watched.paths == [b"/a", b"/b"]


@pytest.mark.parametrize("driver", SHELLS)
def test_t16_answers_keep_the_order_of_their_requests_whatever_takes_longer(driver: Driver) -> None:
    app = App()

    @app.get("/wait/{milliseconds:int}")
    async def wait(milliseconds: int) -> str:
        await asyncio.sleep(milliseconds / 1000)
        return str(milliseconds)

    @app.get("/thread/{milliseconds:int}")
    def thread(milliseconds: int) -> str:
        return str(milliseconds)

    times = [30, 0, 20, 5, 0, 10, 1, 0]
    pipeline = b"".join(
        b"GET /%s/%d HTTP/1.1\r\nHost: a\r\n\r\n" % (b"thread" if time == 5 else b"wait", time)
        for time in times
    )
    with serving(app, driver=driver) as rig:
        for _ in range(5):
            with rig.connect() as connection:
                connection.sendall(
                    pipeline + b"GET /wait/2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                )
                data = b""
                while piece := connection.recv(65536):
                    data += piece
            assert [answer.body for answer in read_answers(data)] == [
                b"%d" % time for time in [*times, 2]
            ]


@pytest.mark.parametrize("driver", SHELLS)
def test_t18_names_with_underscores_never_stand_for_those_with_dashes(driver: Driver) -> None:
    app = App()

    @app.get("/")
    def show(request: Request) -> dict[str, Any]:
        return {
            "dash": request.headers.get("x-forwarded-for"),
            "line": request.headers.get("x_forwarded_for"),
        }

    with serving(app, driver=driver) as rig:
        assert (
            rig.get("/", "x_other: 1\r\nx-forwarded-for: here\r\n").body
            == b'{"dash":"here","line":null}'
        )
        # Both at once is refused, or the two are kept apart.
        both = rig.get("/", "x_forwarded_for: evil\r\nx-forwarded-for: here\r\n")
        assert both.status == 400 or b'"dash":"here"' in both.body


@pytest.mark.parametrize("driver", SHELLS)
def test_t38_a_parser_that_is_fed_rubbish_always_gets_on(driver: Driver) -> None:
    app = App()
    rubbish = [
        b"\r\n" * 100_000,
        b"\x00" * 100_000,
        b"GET" * 50_000,
        b"GET / HTTP/1.1\r\n" * 10_000,
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 100_000,
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"1\r\na\r\n" * 50_000,
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        + b"a: b\r\n" * 50_000,
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a:" * 100_000,
        b"GET /" + b"%" * 100_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 1000,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00" * 100,
    ]
    with serving(app, driver=driver, http="1") as rig:
        for data in rubbish:
            # It ends, and with at most one answer.
            assert len(read_answers(rig.talk(data))) <= 1
        assert rig.get("/").status == 404
    with serving(app, driver=driver) as rig:
        # Where HTTP/2 is spoken as well, the last of them is answered in its frames, and ends all the same.
        assert rig.talk(rubbish[-1])
        assert rig.get("/").status == 404
