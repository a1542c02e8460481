"""Files as answers, through the engine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kingpost import App, CallNext, FileResponse, HTTPError, Request, Response
from kingpost.staticfiles import Static
from kingpost.testing import TestClient
from tests.descriptors import open_files

CONTENT = bytes(range(256)) * 300
MOMENT = 784_111_777
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


class Resource:
    """What a provider makes."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data.bin"
    path.write_bytes(CONTENT)
    os.utime(path, (MOMENT, MOMENT))
    return path


@pytest.fixture
def client(file: Path) -> Iterator[TestClient]:
    app = App()

    @app.get("/file")
    def get_file(request: Request) -> FileResponse:
        return FileResponse(file)

    @app.get("/async")
    async def get_file_async() -> FileResponse:
        return FileResponse(file)

    @app.post("/file")
    def post_file() -> FileResponse:
        return FileResponse(file)

    @app.get("/error")
    def error() -> FileResponse:
        return FileResponse(file, status=404)

    @app.get("/other")
    def other() -> Response[None]:
        response = FileResponse(file, headers={"etag": '"mine"', "x-own": "1"})
        response.body = b"in its place"
        return response

    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize("path", ["/file", "/async"])
def test_a_file_is_sent_with_all_that_is_known_of_it(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status == 200
    assert answer.content == CONTENT
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["last-modified"] == DATE
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"].startswith('"')


def test_head_says_the_same_and_sends_nothing(client: TestClient) -> None:
    said = client.get("/file").headers.pairs()
    head = client.head("/file", headers={"range": "bytes=0-4"})

    assert head.content == b""
    own = {"date", "x-request-id"}
    assert [pair for pair in head.headers.pairs() if pair[0] not in own] == [
        pair for pair in said if pair[0] not in own
    ]


# What curl is asked with: the Range, the status, and what is sent.
MATRIX: list[tuple[str, int, bytes, str | None]] = [
    ("bytes=0-4", 206, CONTENT[:5], "bytes 0-4/76800"),
    ("bytes=0-", 206, CONTENT, "bytes 0-76799/76800"),
    ("bytes=76799-", 206, CONTENT[-1:], "bytes 76799-76799/76800"),
    ("bytes=-3", 206, CONTENT[-3:], "bytes 76797-76799/76800"),
    ("bytes=1000-70000", 206, CONTENT[1000:70001], "bytes 1000-70000/76800"),
    ("bytes=0-99,50-149", 206, CONTENT[:150], "bytes 0-149/76800"),
    ("bytes=9-1", 200, CONTENT, None),
    ("lines=1-2", 200, CONTENT, None),
]


@pytest.mark.parametrize(("field", "status", "content", "said"), MATRIX)
def test_ranges_are_answered(
    client: TestClient, field: str, status: int, content: bytes, said: str | None
) -> None:
    answer = client.get("/file", headers={"range": field})

    assert (answer.status, answer.headers.get("content-range")) == (status, said)
    assert answer.content == content
    assert answer.headers["content-type"] == "application/octet-stream"


def test_a_range_behind_the_end_is_a_416_that_says_the_size(client: TestClient) -> None:
    answer = client.get("/file", headers={"range": "bytes=76800-"})

    assert (answer.status, answer.headers["content-range"]) == (416, "bytes */76800")
    assert answer.json()["code"] == "range-not-satisfiable"


def test_several_ranges_are_parts_of_one_answer(client: TestClient) -> None:
    answer = client.get("/file", headers={"range": "bytes=60000-60001,0-1"})
    kind, _, boundary = answer.headers["content-type"].partition("; boundary=")

    assert (answer.status, kind) == (206, "multipart/byteranges")
    parts = [
        f"\r\n--{boundary}\r\ncontent-type: application/octet-stream\r\n"
        f"content-range: bytes {place}/76800\r\n\r\n".encode()
        + content
        for place, content in [("60000-60001", CONTENT[60000:60002]), ("0-1", CONTENT[:2])]
    ]
    assert answer.content == b"".join(parts) + f"\r\n--{boundary}--\r\n".encode()
    assert "content-range" not in answer.headers
    assert answer.headers["content-length"] == str(len(answer.content))


def test_who_has_it_is_told_so(client: TestClient) -> None:
    etag = client.get("/file").headers["etag"]
    for fields in ({"if-none-match": etag}, {"if-modified-since": DATE}):
        for range_field in ({}, {"range": "bytes=0-1"}):
            answer = client.get("/file", headers={**fields, **range_field})
            assert (answer.status, answer.content) == (304, b"")
            assert answer.headers["etag"] == etag
            assert "content-type" not in answer.headers
            assert "last-modified" not in answer.headers


def test_who_means_another_state_is_refused(client: TestClient) -> None:
    answer = client.get("/file", headers={"if-match": '"other"'})

    assert (answer.status, answer.json()["code"]) == (412, "precondition-failed")


def test_a_range_of_another_state_is_the_whole(client: TestClient) -> None:
    etag = client.get("/file").headers["etag"]

    def status(if_range: str) -> int:
        fields = {"range": "bytes=0-1", "if-range": if_range}
        return client.get("/file", headers=fields).status

    assert [status(etag), status('"other"'), status(DATE)] == [206, 200, 206]


def test_a_changed_file_has_another_tag(client: TestClient, file: Path) -> None:
    before = client.get("/file").headers["etag"]
    file.write_bytes(CONTENT[::-1])
    os.utime(file, (MOMENT, MOMENT))
    same_size_and_date = file.with_name("new")
    same_size_and_date.write_bytes(CONTENT)
    os.utime(same_size_and_date, (MOMENT, MOMENT))
    same_size_and_date.replace(file)

    assert client.get("/file").headers["etag"] != before


def test_neither_ranges_nor_conditions_count_where_it_is_no_page_to_get(
    client: TestClient,
) -> None:
    fields = {"range": "bytes=0-1", "if-none-match": "*"}

    assert client.get("/error", headers=fields).status == 404
    assert client.get("/error", headers=fields).content == CONTENT
    assert client.post("/file", headers={"range": "bytes=0-1"}).content == CONTENT
    assert client.get("/other", headers=fields).text == "in its place"


def test_what_is_said_by_hand_counts(tmp_path: Path) -> None:
    path = tmp_path / "plan.txt"
    path.write_text("plan", encoding="utf-8")
    app = App()

    @app.get("/")
    def get() -> FileResponse:
        own = {"etag": 'W/"v1"', "last-modified": DATE}
        response = FileResponse(path, download="Überblick.txt", headers=own)
        return response.cache_control(private=True, max_age=60)

    @app.get("/bare")
    def bare() -> FileResponse:
        response = FileResponse(path, media_type="text/x-plan")
        for name in ("etag", "last-modified", "content-type"):
            del response.headers[name]
        return response

    with TestClient(app) as client:
        answer = client.get("/")
        known = client.get("/", headers={"if-none-match": '"v1"'})
        plain = client.get("/bare", headers={"if-none-match": '"x"', "range": "bytes=0-1"})

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"_berblick.txt\"; filename*=UTF-8''%C3%9Cberblick.txt"
    )
    assert (known.status, known.headers["cache-control"]) == (304, "private, max-age=60")
    assert (plain.status, plain.content) == (206, b"pl")


@pytest.mark.parametrize(
    ("name", "error"),
    [("missing", FileNotFoundError), ("", IsADirectoryError), ("nul\0", OSError)],
)
def test_what_cannot_be_opened_is_the_handlers_error(
    tmp_path: Path, name: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        FileResponse(f"{tmp_path}/{name}")


def test_a_pipe_is_no_file_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(OSError, match="Not a regular file"):
        FileResponse(tmp_path / "pipe")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_response_that_is_never_sent_leaves_nothing_open(file: Path) -> None:
    response: Any = FileResponse(file)
    assert file in open_files()
    del response
    assert file not in open_files()


def test_hints_are_checked_where_they_are_given() -> None:
    request = Request()

    request.early_hints("</app.css>; rel=preload; as=style", "</app.js>; rel=preload; as=script")
    with pytest.raises(ValueError, match="header 'link'"):
        request.early_hints("</app.css>\r\nset-cookie: a=b")


def test_middleware_sees_a_response_and_may_change_what_is_said(file: Path) -> None:
    async def mark(request: Request, call_next: CallNext) -> Response[Any]:
        response = await call_next(request)
        assert (response.body, response.chunks) == (None, None) or response.status == 304
        response.headers["x-seen"] = "1"
        if "upper" in request.query:
            response.body = b"UPPER"
        return response

    app = App()
    app.middleware(mark)
    app.include(Static("/static", file.parent))

    @app.get("/file")
    def get_file() -> FileResponse:
        return FileResponse(file)

    with TestClient(app) as client:
        for path in ("/file", "/static/data.bin"):
            whole = client.get(path)
            some = client.get(path, headers={"range": "bytes=0-2"})
            known = client.get(path, headers={"if-none-match": whole.headers["etag"]})
            assert (whole.content, some.content, known.status) == (CONTENT, CONTENT[:3], 304)
            assert {answer.headers["x-seen"] for answer in (whole, some)} == {"1"}
            assert (some.status, some.headers["content-range"]) == (206, "bytes 0-2/76800")
            assert client.get(f"{path}?upper=1").text == "UPPER"


def test_what_was_made_for_a_request_is_finished_behind_the_file(file: Path) -> None:
    steps: list[str] = []

    app = App()

    @app.provide
    def resource() -> Iterator[Resource]:
        yield Resource()
        steps.append("finished")

    @app.get("/file")
    def get_file(resource: Resource) -> FileResponse:
        return FileResponse(file)

    with TestClient(app) as client:
        assert client.get("/file").content == CONTENT
        assert client.get("/file", headers={"range": "bytes=0-2"}).content == CONTENT[:3]
    assert steps == ["finished"] * 2


def test_an_error_handler_may_answer_with_a_file(file: Path) -> None:
    app = App()

    @app.error(404)
    def page(request: Request, error: HTTPError) -> FileResponse:
        return FileResponse(file, status=404)

    with TestClient(app) as client:
        answer = client.get("/nowhere", headers={"range": "bytes=0-1"})

    assert (answer.status, answer.content) == (404, CONTENT)
