"""One line for each request, and nothing that a client writes can make it two."""

from __future__ import annotations

import asyncio
import json
import logging
import logging.config
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost import App, FileResponse, NotFound, Request, Response, WebSocket
from kingpost.errors import ConfigurationError
from kingpost.middleware import AccessLog, ConditionalGet, SecurityHeaders, TrustedProxies
from kingpost.middleware.access_log import PRINTABLE, Entry, plain
from kingpost.testing import SocketRefused, TestClient
from tests.unit.app.asking import ask_and_leave

LINE = re.compile(
    r'(?P<client>\S+) "(?P<method>\S+) (?P<path>\S+)" (?P<status>\d+) (?P<bytes>\d+|-) '
    r"(?P<ms>[\d.]+)ms route=(?P<route>\S+) request=(?P<request>[0-9a-f]{16})"
)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    caplog.set_level(logging.INFO, "kingpost.access")
    found: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    handler = Keep()
    logging.getLogger("kingpost.access").addHandler(handler)
    yield found
    logging.getLogger("kingpost.access").removeHandler(handler)


def app_with(log: AccessLog, folder: Path | None = None) -> App:
    app = App(middleware=[TrustedProxies(["127.0.0.1"]), log])

    @app.get("/todos/{id:int}")
    def todo(id: int) -> str:
        return "learn"

    @app.get("/broken")
    def broken() -> int:
        return 1 // 0

    @app.get("/stream")
    async def stream() -> AsyncIterator[str]:
        yield "ä"
        yield "b"

    @app.get("/half")
    def half() -> Response[Iterator[str]]:
        def chunks() -> Iterator[str]:
            yield "a"
            raise RuntimeError("no more")

        return Response(chunks(), media_type="text/plain")

    @app.get("/file")
    def file() -> FileResponse:
        assert folder is not None
        (folder / "a.txt").write_text("hello")
        return FileResponse(folder / "a.txt")

    @app.get("/health")
    def health() -> str:
        return "well"

    return app


def client(log: AccessLog | None = None, folder: Path | None = None) -> TestClient:
    return TestClient(app_with(log or AccessLog(), folder), raise_errors=False)


@pytest.mark.parametrize(
    ("method", "path", "status", "size", "route"),
    [
        ("GET", "/todos/7", "200", "5", "/todos/{id:int}"),
        ("GET", "/todos/7?token=secret", "200", "5", "/todos/{id:int}"),
        ("HEAD", "/todos/7", "200", "0", "/todos/{id:int}"),
        ("OPTIONS", "/todos/7", "204", "0", "-"),
        ("GET", "/stream", "200", "3", "/stream"),
        ("HEAD", "/stream", "200", "0", "/stream"),
    ],
)
def test_a_line_says_who_asked_for_what_and_how_it_ended(
    lines: list[str], *, method: str, path: str, status: str, size: str, route: str
) -> None:
    response = client().request(method, path, headers={"x-forwarded-for": "203.0.113.7"})

    (line,) = lines
    match = LINE.fullmatch(line)
    assert match is not None, line
    assert match["client"] == "203.0.113.7"
    assert match["method"] == method
    assert match["path"] == path.partition("?")[0]
    assert (match["status"], match["bytes"], match["route"]) == (status, size, route)
    assert match["request"] == response.request_id
    assert "secret" not in line


def talkative(log: AccessLog) -> TestClient:
    app = app_with(log)

    @app.websocket("/talks/{name}")
    async def talk(ws: WebSocket, name: str) -> None:
        if name == "nobody":
            raise NotFound("nobody is there")
        async for message in ws:
            assert message != "fail"
            if message == "go":
                await ws.close(4001, "bye")

    return TestClient(app, raise_errors=False)


@pytest.mark.parametrize(
    ("said", "code"), [("", 1000), ("go", 4001), ("fail", 1011), ("leave", 4002)]
)
def test_a_websocket_has_a_line_when_it_is_accepted_and_one_when_it_is_over(
    lines: list[str], said: str, code: int
) -> None:
    with talkative(AccessLog()).websocket("/talks/ann?token=secret") as ws:
        (accepted,) = lines
        if said == "leave":
            ws.close(4002)
        elif said:
            ws.send(said)
            assert list(ws) == []

    match = LINE.fullmatch(accepted)
    assert match is not None, accepted
    assert (match["method"], match["path"], match["status"]) == ("GET", "/talks/ann", "101")
    request = match["request"]
    over = re.fullmatch(
        rf'127\.0\.0\.1 "GET /talks/ann" closed=({code}|1005) [\d.]+ms route=/talks/{{name}} request={request}',
        lines[1],
    )
    assert over is not None, lines
    assert len(lines) == 2


def test_a_refused_websocket_is_a_request_like_others(lines: list[str]) -> None:
    with pytest.raises(SocketRefused), talkative(AccessLog()).websocket("/talks/nobody"):
        pass

    (line,) = lines
    match = LINE.fullmatch(line)
    assert match is not None
    assert match["status"] == "404"


def test_the_end_of_a_websocket_is_a_document(lines: list[str]) -> None:
    with talkative(AccessLog(format="json")).websocket("/talks/ann") as ws:
        ws.send("go")
        assert list(ws) == []

    accepted, over = map(json.loads, lines)
    assert (accepted["status"], accepted["bytes"]) == (101, 0)
    assert (over["closed"], over["request"]) == (4001, accepted["request"])
    assert set(over) == set(accepted) - {"status", "bytes"} | {"closed"}


@pytest.mark.parametrize(("path", "status"), [("/none", "404"), ("/broken", "500")])
def test_errors_have_a_line(path: str, status: str, lines: list[str]) -> None:
    response = client().get(path)

    match = LINE.fullmatch(lines[0])
    assert match is not None
    assert (match["status"], match["bytes"]) == (status, str(len(response.content)))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, "200"),
        ({"range": "bytes=1-2"}, "206"),
        ({"if-none-match": "*"}, "304"),
        ({"range": "bytes=9-"}, "416"),
        ({"if-match": '"x"'}, "412"),
    ],
    ids=str,
)
def test_what_becomes_of_a_file_is_known(
    headers: dict[str, str], status: str, lines: list[str], tmp_path: Path
) -> None:
    response = client(folder=tmp_path).get("/file", headers=headers)

    match = LINE.fullmatch(lines[0])
    assert match is not None
    assert str(response.status) == status
    assert (match["status"], match["bytes"]) == (status, str(len(response.content)))


def test_a_file_may_give_a_cookie_and_other_middleware_its_fields(
    lines: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("hello")
    app = App(middleware=[SecurityHeaders(), AccessLog()])

    @app.get("/")
    def home() -> Response[None]:
        return FileResponse(file).set_cookie("seen", "1")

    response = TestClient(app).get("/")

    assert response.text == "hello"
    assert response.headers["set-cookie"].startswith("seen=1;")
    assert "x-frame-options" in response.headers
    assert '"GET /" 200 5 ' in lines[0]


def test_a_304_of_other_middleware_has_no_bytes(lines: list[str]) -> None:
    app = App(middleware=[AccessLog(), ConditionalGet()])

    @app.get("/")
    def home() -> str:
        return "home"

    TestClient(app).get("/", headers={"if-none-match": "*"})

    assert '"GET /" 304 0 ' in lines[0]


def test_a_stream_that_was_cut_has_no_size(lines: list[str]) -> None:
    with pytest.raises(RuntimeError, match="no more"):
        TestClient(app_with(AccessLog())).get("/half")

    assert '"GET /half" 200 - ' in lines[0]


def test_a_client_that_leaves_has_a_line(lines: list[str]) -> None:
    app = App(middleware=[AccessLog()])
    is_served = asyncio.Event()

    @app.get("/")
    async def home(request: Request) -> str:
        is_served.set()
        await asyncio.sleep(60)
        return "too late"

    asyncio.run(ask_and_leave(app, is_served, seen=lambda: lines))

    assert '"GET /" 499 - ' in lines[0]


def test_json_lines_are_documents(lines: list[str]) -> None:
    response = client(AccessLog(format="json")).get("/todos/7")
    said = json.loads(lines[0])

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", said.pop("time"))
    assert said.pop("seconds") > 0
    assert said == {
        "client": "127.0.0.1",
        "method": "GET",
        "path": "/todos/7",
        "route": "/todos/{id:int}",
        "status": 200,
        "bytes": 5,
        "request": response.request_id,
    }


NASTY = [
    "\r\nGET /forged 200",
    '" 200 5 1.0ms',
    "\x1b[2J\x1b]0;title\x07",
    "\u202eevil",
    "\u2028",
    "\x85",
    "a b",
    "\\",
    "ü\U0001f600",
    "\x7f",
]


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize("text", NASTY)
def test_nothing_that_a_client_writes_makes_another_line(text: str, format: str) -> None:
    entry = Entry(0.0, text, text, text, text, 200, 1, 0.1, text)
    written = entry.as_text() if format == "text" else entry.as_json()

    assert all(" " <= each <= "~" for each in written)
    if format == "text":
        assert written.count('"') == 2
        assert text == "\\" or text not in written
    else:
        assert json.loads(written)["path"] == text


@given(st.text(max_size=100))
def test_any_text_becomes_plain(text: str) -> None:
    assert PRINTABLE.issuperset(plain(text).replace("\\", ""))


def test_a_long_path_is_cut() -> None:
    assert len(plain("x" * 10_000)) < 2_100


def test_what_is_sent_raw_is_written_as_it_was_sent(lines: list[str]) -> None:
    client().raw(b"GET /a%0d%0aforged%22 HTTP/1.1\r\nhost: a\r\n\r\n")

    assert '"GET /a%0d%0aforged%22" 404 ' in lines[0]


def test_some_parts_have_no_line(lines: list[str]) -> None:
    browser = client(AccessLog(except_for=["/health"]))
    browser.get("/health")
    browser.get("/healthy")

    assert len(lines) == 1


def test_logging_decides(capsys: pytest.CaptureFixture[str]) -> None:
    def configure(level: str) -> None:
        logging.config.dictConfig(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "formatters": {"line": {"format": "%(levelname)s %(name)s %(message)s"}},
                "handlers": {
                    "out": {
                        "class": "logging.StreamHandler",
                        "formatter": "line",
                        "stream": "ext://sys.stdout",
                    }
                },
                "loggers": {
                    "kingpost.access": {"level": level, "handlers": ["out"], "propagate": False}
                },
            }
        )

    browser = client()
    try:
        configure("INFO")
        browser.get("/todos/7")
        configure("WARNING")
        browser.get("/todos/8")
    finally:
        logger = logging.getLogger("kingpost.access")
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)

    said = capsys.readouterr().out
    assert said.startswith('INFO kingpost.access 127.0.0.1 "GET /todos/7" 200 5 ')
    assert said.count("\n") == 1


def test_another_logger_can_be_named(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "visits")
    client(AccessLog(logger="visits")).get("/todos/7")

    assert [record.name for record in caplog.records] == ["visits"]


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("access-log.bad-format", {"format": "%(message)s"}),
        ("middleware.bad-path", {"except_for": ["health"]}),
    ],
)
def test_what_cannot_be_meant_is_refused(code: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as error:
        AccessLog(**options)

    assert error.value.code == code
