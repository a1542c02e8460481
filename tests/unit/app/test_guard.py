"""Other sites' pages, and foreign hosts."""

from __future__ import annotations

from typing import Any

import pytest

from kingpost import App, BodyStream, Request, UploadFile
from kingpost.app.compile import compile_app
from kingpost.app.guard import check_host, check_origin
from kingpost.errors import BadRequest, Forbidden
from kingpost.testing import TestClient
from tests.unit.http.sample import sample


def refused(method: str = "POST", hosts: tuple[str, ...] = (), **fields: str) -> bool:
    headers = [(name.replace("_", "-"), value) for name, value in fields.items()]
    try:
        check_origin(Sample(method, headers), hosts)
    except Forbidden:
        return True
    return False


def Sample(method: str, headers: list[tuple[str, str]]) -> Any:  # noqa: N802 - stands for a class
    class Contains(dict[str, str]):
        pass

    request = sample(method=method, host="Example.org:8000")
    fields = Contains(headers)
    kind = type("Asked", (type(request),), {"__slots__": (), "headers": fields})
    return kind()


@pytest.mark.parametrize(
    ("is_refused", "fields"),
    [
        (False, {}),
        (False, {"cookie": "a=b"}),
        (False, {"sec_fetch_site": "cross-site"}),
        (False, {"cookie": "a=b", "sec_fetch_site": "same-origin"}),
        (False, {"cookie": "a=b", "sec_fetch_site": "none"}),
        (True, {"cookie": "a=b", "sec_fetch_site": "cross-site"}),
        (True, {"cookie": "a=b", "sec_fetch_site": "same-site"}),
        (True, {"cookie": "a=b", "sec_fetch_site": "cross-site", "origin": "http://example.org:8000"}),
        (False, {"cookie": "a=b", "origin": "http://example.org:8000"}),
        (True, {"cookie": "a=b", "origin": "http://example.org"}),
        (True, {"cookie": "a=b", "origin": "http://evil.org"}),
        (True, {"cookie": "a=b", "origin": "null"}),
        (True, {"cookie": "a=b", "origin": ""}),
        (True, {"cookie": "a=b", "origin": "http://[evil"}),
        (True, {"authorization": "Basic YTpi", "origin": "http://evil.org"}),
        (True, {"authorization": "basic YTpi", "sec_fetch_site": "cross-site"}),
        (True, {"authorization": "Negotiate x", "sec_fetch_site": "cross-site"}),
        (False, {"authorization": "Basic YTpi", "sec_fetch_site": "same-origin"}),
        (False, {"authorization": "Basic YTpi"}),
        (False, {"authorization": "bearer x", "origin": "http://evil.org"}),
        (True, {"authorization": "Bearer x", "cookie": "a=b", "origin": "http://evil.org"}),
    ],
    ids=str,
)  # fmt: skip
def test_an_unsafe_request_with_credentials_comes_from_our_own_pages(
    is_refused: bool,
    fields: dict[str, str],
) -> None:
    assert refused(**fields) is is_refused
    assert not refused("GET", **fields)


def test_pages_of_our_other_hosts_may_ask() -> None:
    fields = {"cookie": "a=b", "sec_fetch_site": "same-site", "origin": "https://shop.example.org"}

    assert refused(hosts=("example.org",), **fields)
    assert not refused(hosts=("*.example.org",), **fields)


def test_a_foreign_host_is_refused() -> None:
    check_host(sample(host="example.org"), ("example.org",))
    with pytest.raises(BadRequest) as told:
        check_host(sample(host="evil.org"), ("example.org",))

    assert told.value.code == "request.unknown-host"


def test_hosts_are_checked_in_production_alone() -> None:
    app = App(hosts=["example.org"])

    assert compile_app(app, mode="production").dispatch.guard_all
    assert not compile_app(app, mode="development").dispatch.guard_all
    assert not compile_app(App(), mode="production").dispatch.guard_all


def test_a_refusal_goes_through_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINGPOST_ENV", "production")
    app = App(hosts=["example.org"])
    app.post("/")(lambda: "done")

    with TestClient(app, host="example.org", cookies={"a": "b"}) as client:
        own = client.post("/", headers={"Sec-Fetch-Site": "same-origin"})
        cross = client.post("/", headers={"Sec-Fetch-Site": "cross-site"})
    with TestClient(app, host="example.org") as client:
        evil = {"Origin": "http://evil.org"}
        basic = client.post("/", headers={"Authorization": "Basic YTpi", **evil})
        bearer = client.post("/", headers={"Authorization": "Bearer x", **evil})
    with TestClient(app, host="evil.org") as client:
        foreign = client.post("/")

    assert own.text == "done"
    assert (basic.status, basic.json()["code"]) == (403, "request.cross-site")
    assert bearer.text == "done"
    assert (cross.status, cross.json()["code"]) == (403, "request.cross-site")
    assert (foreign.status, foreign.json()["code"]) == (400, "request.unknown-host")


def sizes() -> App:
    app = App()

    @app.post("/whole")
    def _whole(request: Request) -> int:
        return len(request.body)

    @app.post("/raw")
    def _raw(body: BodyStream) -> int:
        return sum(map(len, body))

    @app.post("/file")
    def _file(plan: UploadFile) -> int:
        return plan.size

    return app


@pytest.mark.parametrize("path", ["/whole", "/file"])
@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP, identity", "x"])
def test_a_body_that_nobody_decodes_is_refused(path: str, coding: str) -> None:
    with TestClient(sizes()) as client:
        answer = client.post(path, content=b"abc", headers={"Content-Encoding": coding})

    assert (answer.status, answer.json()["code"]) == (415, "request.encoded-body")
    assert answer.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("path", "coding"), [("/whole", "identity"), ("/whole", ""), ("/raw", "gzip")]
)
def test_a_body_as_it_is_and_a_handler_that_reads_it_itself_pass(path: str, coding: str) -> None:
    with TestClient(sizes()) as client:
        answer = client.post(path, content=b"abc", headers={"Content-Encoding": coding})

    assert (answer.status, answer.json()) == (200, 3)


def test_an_encoded_body_where_nothing_is_found_is_not_found() -> None:
    with TestClient(sizes()) as client:
        assert client.post("/", content=b"abc", headers={"Content-Encoding": "gzip"}).status == 404
