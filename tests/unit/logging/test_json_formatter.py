"""Log records as JSON: one object a line, with the request that they belong to."""

from __future__ import annotations

import asyncio
import json
import logging
import logging.config
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest

from kingpost import App, NotFound, Request
from kingpost.logging import JsonFormatter, request
from kingpost.logging.json_formatter import one_line
from kingpost.middleware import AccessLog
from kingpost.testing import AsyncTestClient, LiveServer, TestClient
from tests.waiting import PATIENCE

log = logging.getLogger("shop")

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(autouse=True)
def unwanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request, "_wanted", list[bool]())


@pytest.fixture
def written() -> Iterator[StringIO]:
    """What the loggers of the program and of Kingpost write."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    loggers = [log, logging.getLogger("kingpost")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.addHandler(handler)
        each.setLevel(logging.INFO)
    yield stream
    for each, level in zip(loggers, levels, strict=True):
        each.removeHandler(handler)
        each.setLevel(level)


def lines(stream: StringIO, logger: str = "shop") -> list[dict[str, Any]]:
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [each for each in found if each["logger"] == logger]


def record(message: str = "hello", **more: Any) -> logging.LogRecord:
    made = logging.LogRecord("shop", logging.INFO, "shop.py", 1, message, (), None)
    vars(made).update(more)
    return made


def test_a_record_is_one_object() -> None:
    said = json.loads(JsonFormatter().format(record(order=7)))

    assert said.pop("time").endswith("+00:00")
    assert said == {"level": "INFO", "logger": "shop", "message": "hello", "order": 7}


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "\x1b[2J", "\x7f", "\u202egnp", "\u2028", "\0"])
def test_nothing_that_is_logged_makes_a_second_line(text: str) -> None:
    try:
        raise ValueError(text)
    except ValueError:
        line = JsonFormatter().format(record(text, exc_info=sys.exc_info(), **{text: text}))

    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == text
    assert text in json.loads(line)["exception"]


def test_what_json_cannot_hold_is_written_all_the_same() -> None:
    loop: dict[Any, Any] = {}
    loop["self"] = loop

    assert json.loads(one_line({"a": object}))["a"].startswith("<class")
    assert json.loads(one_line({"a": loop}))["a"].startswith("{'self'")
    assert json.loads(one_line({"a": {(1, 2): 3}}))["a"] == "{(1, 2): 3}"


def test_a_line_says_whose_request_it_was_in_every_kind_of_handler(written: StringIO) -> None:
    app = App()

    @app.get("/async")
    async def waits(request: Request) -> str:
        log.info("first")
        await asyncio.sleep(0)
        log.info("second")
        return request.id

    @app.get("/def")
    def works(request: Request) -> str:
        log.info("on a thread")
        return request.id

    @app.get("/inline", inline=True)
    def inline(request: Request) -> str:
        log.info("in place")
        return request.id

    with TestClient(app) as client:
        ids = [client.get(path).text for path in ("/async", "/def", "/inline")]

    told = [(each["message"], each["request"]) for each in lines(written)]
    assert told == [
        ("first", ids[0]),
        ("second", ids[0]),
        ("on a thread", ids[1]),
        ("in place", ids[2]),
    ]
    assert len(set(ids)) == 3


def test_requests_at_once_are_told_apart(written: StringIO) -> None:
    app = App()
    gate = asyncio.Event()

    @app.get("/{name}")
    async def waits(request: Request, name: str) -> str:
        log.info("%s begins", name)
        if name == "last":
            gate.set()
        await gate.wait()
        log.info("%s ends", name)
        return request.id

    async def main() -> list[str]:
        async with AsyncTestClient(app) as client:
            answers = await asyncio.gather(
                *(client.get(f"/{name}") for name in ("one", "two", "last"))
            )
            return [each.text for each in answers]

    ids = asyncio.run(main())
    by_request: dict[str, list[str]] = {}
    for each in lines(written):
        by_request.setdefault(each["request"], []).append(each["message"])

    assert by_request == {
        number: [f"{name} begins", f"{name} ends"]
        for number, name in zip(ids, ("one", "two", "last"), strict=True)
    }


def test_a_failure_is_told_with_its_request_and_traceback(written: StringIO) -> None:
    app = App()

    @app.get("/")
    async def broken() -> str:
        raise OSError("the till\nis stuck")

    with LiveServer(app) as server:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(server.url, timeout=PATIENCE)  # noqa: S310 - our own server
        number = refused.value.headers["x-request-id"]
        refused.value.close()
    (line,) = lines(written, "kingpost.app")

    assert line["request"] == number
    assert "OSError: the till\nis stuck" in line["exception"]


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (f"00-{TRACE}-b7ad6b7169203331-01", TRACE),
        ("nonsense", None),
        ("00-XYZ7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", None),
        (f"00-{TRACE}-" + "b" * 100, None),
    ],
)
def test_the_trace_that_the_client_names_is_told(
    sent: str, told: str | None, written: StringIO
) -> None:
    app = App()

    @app.get("/")
    async def home() -> str:
        log.info("here")
        return ""

    with TestClient(app) as client:
        client.get("/", headers={"traceparent": sent})

    assert lines(written)[0].get("trace_id") == told


def test_the_access_log_gives_its_fields(written: StringIO) -> None:
    app = App(middleware=[AccessLog()])

    @app.get("/todos/{id}")
    async def show(id: int) -> str:
        raise NotFound

    with TestClient(app) as client:
        client.get("/todos/7")
    (line,) = lines(written, "kingpost.access")

    assert (line["method"], line["path"], line["route"]) == ("GET", "/todos/7", "/todos/{id}")
    assert (line["status"], line["client"]) == (404, "127.0.0.1")
    assert line["seconds"] >= 0


def test_a_configuration_names_it() -> None:
    configurator = logging.config.DictConfigurator({"version": 1})
    made = configurator.configure_formatter({"()": "kingpost.logging.JsonFormatter"})

    assert isinstance(made, JsonFormatter)
    assert request.request_variable() is request.REQUEST
