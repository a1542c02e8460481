"""Handlers that stream events: the head, the framing, signs of life, and how streams end."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from kingpost import (
    App,
    CallNext,
    Forbidden,
    NotFound,
    Request,
    Response,
    Struct,
    SyncCallNext,
    from_thread,
)
from kingpost.http import Event, EventStream
from kingpost.middleware import AccessLog, Compression, WhenSent
from kingpost.testing import AsyncTestClient, BadReply, TestClient
from tests.unit.app.asking import until_served
from tests.waiting import PATIENCE, until, until_async


class Price(Struct):
    cents: int


class User: ...


class Session: ...


async def numbers() -> AsyncIterator[Event[int]]:
    yield Event(1)
    yield Event(2)


def annotated(app: App) -> None:
    @app.get("/")
    async def show() -> AsyncIterator[Event[int]]:
        yield Event(1)
        yield Event(2)


def annotated_def(app: App) -> None:
    @app.get("/")
    def show() -> Iterator[Event[int]]:
        yield Event(1)
        yield Event(2)


def returned(app: App) -> None:
    @app.get("/")
    async def show() -> AsyncIterator[Event[int]]:
        return numbers()


def bare(app: App) -> None:
    @app.get("/")
    async def show() -> Any:
        yield Event(1)
        yield Event(2)


def bare_def(app: App) -> None:
    @app.get("/")
    def show() -> Any:
        yield Event(1)
        yield Event(2)


def stream(app: App) -> None:
    @app.get("/")
    async def show() -> EventStream[int]:
        return EventStream(numbers())


def stream_of_values(app: App) -> None:
    @app.get("/")
    def show() -> EventStream[int]:
        return EventStream(iter([1, 2]))


def stream_of_a_list(app: App) -> None:
    @app.get("/")
    async def show() -> EventStream:
        return EventStream([Event(1), 2])


def stream_of_values_untold(app: App) -> None:
    @app.get("/")
    async def show() -> Any:
        return EventStream(iter([1, 2]))


WAYS = [
    annotated,
    annotated_def,
    returned,
    bare,
    bare_def,
    stream,
    stream_of_values,
    stream_of_a_list,
    stream_of_values_untold,
]


async def looking_on(request: Request, call_next: CallNext) -> Response[Any]:
    return await call_next(request)


def looking(request: Request, call_next: SyncCallNext) -> Response[Any]:
    return call_next(request)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "around", [[], [looking_on], [looking], [looking, looking_on], [Compression(), AccessLog()]]
)
def test_every_way_to_write_it_gives_the_same_answer(way: Any, around: list[Any]) -> None:
    app = App(middleware=around)
    way(app)
    with TestClient(app) as client:
        answer = client.get("/", headers={"accept-encoding": "zstd, br, gzip"})

    assert answer.text == "data: 1\n\ndata: 2\n\n"
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("around", [[], [looking_on], [looking]])
def test_text_that_is_said_to_be_events_has_their_fields(around: list[Any]) -> None:
    app = App(middleware=around)

    @app.get("/")
    def show() -> Response[str]:
        return Response("data: 1\n\n", media_type="text/event-stream")

    with TestClient(app) as client:
        answer = client.get("/")

    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"


def test_fields_of_the_handlers_own_win() -> None:
    app = App()

    @app.get("/")
    async def show() -> EventStream[int]:
        return EventStream(numbers(), headers={"Cache-Control": "no-cache", "X-One": "1"})

    with TestClient(app) as client:
        answer = client.get("/")

    assert answer.headers.get_all("cache-control") == ["no-cache"]
    assert answer.headers["x-one"] == "1"


def test_data_is_filtered_by_its_annotation() -> None:
    class Whole(Price):
        secret: str

    app = App()

    @app.get("/")
    async def show() -> AsyncIterator[Event[Price]]:
        yield Event(Whole(1, "x"))

    @app.get("/stream")
    def show_stream() -> EventStream[Price]:
        return EventStream(iter([Whole(1, "x")]))

    @app.get("/either")
    async def either() -> AsyncIterator[Event[Price] | Event[str]]:
        yield Event(Whole(1, "x"))
        yield Event("text")

    with TestClient(app) as client:
        assert client.get("/").text == client.get("/stream").text == 'data: {"cents":1}\n\n'
        assert client.get("/either").text == 'data: {"cents":1}\n\ndata: text\n\n'


def test_the_head_does_not_wait_for_the_first_event() -> None:
    app = App()

    @app.get("/async")
    async def on_loop() -> AsyncIterator[Event[str]]:
        await asyncio.sleep(3600)
        yield Event("never")

    async def main() -> int:
        async with AsyncTestClient(app) as client, client.stream("GET", "/async") as it:
            return it.status

    assert asyncio.run(main()) == 200


def test_what_a_handler_raises_before_its_stream_is_an_answer() -> None:
    app = App()

    @app.get("/")
    async def show() -> EventStream[int]:
        raise NotFound("no such stream")

    with TestClient(app) as client:
        assert client.get("/").status == 404


def test_a_provider_may_refuse_a_generator_of_events() -> None:
    app = App()

    @app.provide
    def user() -> User:
        raise Forbidden("not you")

    @app.get("/")
    async def show(user: User) -> AsyncIterator[Event[int]]:
        yield Event(1)

    with TestClient(app) as client:
        assert client.get("/").status == 403


@pytest.mark.parametrize("colour", ["async", "def"])
def test_what_a_provider_made_is_finished_at_the_end_of_the_stream(colour: str) -> None:
    log: list[str] = []

    app = App()

    @app.provide
    def session() -> Iterator[Session]:
        yield Session()
        log.append("finished")

    async def show_async(session: Session) -> AsyncIterator[Event[int]]:
        yield Event(1)
        log.append("streamed")

    def show(session: Session) -> Iterator[Event[int]]:
        yield Event(1)
        log.append("streamed")

    app.get("/")(show if colour == "def" else show_async)
    with TestClient(app) as client:
        assert client.get("/").text == "data: 1\n\n"

    assert log == ["streamed", "finished"]


def test_an_event_among_other_things_is_told(caplog: pytest.LogCaptureFixture) -> None:
    app = App()

    @app.get("/")
    def show() -> Iterator[object]:
        yield "text"
        yield Event("event")

    with TestClient(app) as client, pytest.raises(Exception, match="annotate it") as refused:
        client.get("/")

    assert getattr(refused.value, "code", None) == "answer.event"


def test_a_failure_in_the_middle_cuts_the_stream() -> None:
    app = App()

    @app.get("/")
    async def show() -> AsyncIterator[Event[int]]:
        yield Event(1)
        raise ValueError("in the middle")

    with TestClient(app, raise_errors=False) as client, pytest.raises(BadReply):
        client.get("/")


# -- signs of life


@pytest.mark.parametrize("colour", ["async", "def"])
def test_a_comment_is_sent_while_nothing_happens_and_only_then(colour: str) -> None:
    app = App()
    is_seen = threading.Event()

    async def slow() -> AsyncIterator[int]:
        yield 1
        await until_async(is_seen.is_set)
        yield 2
        yield 3

    def slow_def() -> Iterator[int]:
        yield 1
        assert is_seen.wait(PATIENCE)
        yield 2
        yield 3

    @app.get("/")
    async def show() -> EventStream[int]:
        return EventStream(slow_def() if colour == "def" else slow(), ping=0.05)

    # Each step on a thread may take as long as it likes.
    step = r"(:\n\n)*" if colour == "def" else ""
    assert re.fullmatch(
        rf"{step}data: 1\n\n(:\n\n){{2,}}data: 2\n\n{step}data: 3\n\n", read_slowly(app, is_seen)
    )


def read_slowly(app: App, is_seen: threading.Event) -> str:
    """What is streamed, with `is_seen` set by the second sign of life after the first event."""
    text = ""
    with TestClient(app) as client, client.stream("GET", "/") as answer:
        for chunk in answer:
            text += chunk.decode()
            if "data: 1\n\n:\n\n:\n\n" in text:
                is_seen.set()
    return text


@pytest.mark.parametrize("around", [[Compression()], [AccessLog()], [WhenSent(print)], [looking]])
def test_it_is_sent_whoever_stands_in_the_way(around: list[Any]) -> None:
    app = App(middleware=around)
    is_seen = threading.Event()

    @app.provide
    def session() -> Iterator[Session]:
        yield Session()

    @app.get("/")
    async def show(session: Session) -> EventStream[int]:
        async def slow() -> AsyncIterator[int]:
            yield 1
            await until_async(is_seen.is_set)
            yield 2

        return EventStream(slow(), ping=0.05)

    # One more may come behind the last event, before the stream is seen to end.
    assert re.fullmatch(r"data: 1\n\n(:\n\n){2,}data: 2\n\n(:\n\n)*", read_slowly(app, is_seen))


def test_it_is_sent_every_fifteen_seconds_if_not_said() -> None:
    assert EventStream(iter([1])).idle == (15.0, b":\n\n")
    assert EventStream(iter([1]), ping=None).idle is None


# -- ends


@pytest.mark.parametrize("around", [[], [looking_on], [looking]])
def test_a_client_that_leaves_ends_it(around: list[Any]) -> None:
    ended = threading.Event()
    app = App(middleware=around)

    @app.get("/")
    async def show() -> AsyncIterator[Event[int]]:
        try:
            yield Event(1)
            await asyncio.sleep(3600)
        finally:
            ended.set()

    with TestClient(app) as client:
        with client.stream("GET", "/") as answer:
            assert next(iter(answer)) == b"data: 1\n\n"
        until_served(client, ended.is_set)


@pytest.mark.parametrize("where", ["hook", "middleware", "def middleware", "error handler"])
def test_a_client_that_leaves_a_stream_of_a_hook_waits_for_its_step(
    where: str, caplog: pytest.LogCaptureFixture
) -> None:
    app, steps = App(), list[str]()
    begun, gate, ended = threading.Event(), threading.Event(), threading.Event()

    async def nothing() -> None: ...

    def numbers() -> Iterator[int]:
        try:
            yield 1
            begun.set()
            gate.wait()
            # As from a worker thread.
            from_thread(nothing)
            steps.append("made")
            yield 2
        finally:
            steps.append("ended")
            ended.set()

    def streamed(request: Request) -> EventStream[int] | None:
        return EventStream(numbers()) if request.path == "/stream" else None

    async def around(request: Request, call_next: CallNext) -> Response[Any]:
        return streamed(request) or await call_next(request)

    def around_def(request: Request, call_next: SyncCallNext) -> Response[Any]:
        return streamed(request) or call_next(request)

    def failed(request: Request, error: NotFound) -> object:
        return streamed(request) or "lost"

    match where:
        case "hook":
            app.before_request(streamed)
        case "middleware":
            app.middleware(around)
        case "def middleware":
            app.middleware(around_def)
        case _:
            app.error(NotFound)(failed)

    @app.get("/stream")
    async def show() -> str:
        raise NotFound

    with TestClient(app) as client:
        with client.stream("GET", "/stream") as answer:
            assert next(iter(answer)) == b"data: 1\n\n"
            assert begun.wait(PATIENCE)
        assert client.get("/lost").status == 404
        assert steps == []
        gate.set()
        # The client's loop runs while it asks for something.
        until(lambda: client.get("/lost").status == 404 and ended.is_set())

    assert steps == ["made", "ended"]
    assert caplog.text == ""


def test_a_stop_of_the_server_ends_it_as_if_it_were_over() -> None:
    ended: list[str] = []
    begun_to_stream = asyncio.Event()
    app = App()

    @app.get("/")
    async def show() -> AsyncIterator[Event[int]]:
        try:
            yield Event(1)
            begun_to_stream.set()
            await asyncio.sleep(3600)
        finally:
            ended.append("ended")

    async def main() -> list[bytes]:
        async with AsyncTestClient(app) as client:

            async def listen() -> list[bytes]:
                async with client.stream("GET", "/") as answer:
                    return [chunk async for chunk in answer]

            listening = asyncio.create_task(listen())
            await asyncio.wait_for(begun_to_stream.wait(), PATIENCE)
            await client._core.host.stop()
            return await listening

    # What is cut off when the time of a stop is over raises, and is no whole answer.
    assert asyncio.run(main()) == [b"data: 1\n\n"]
    assert ended == ["ended"]


def test_a_generator_that_is_cancelled_by_its_own_doing_is_no_stop() -> None:
    app = App()

    @app.get("/")
    async def show() -> AsyncIterator[Event[int]]:
        yield Event(1)
        raise asyncio.CancelledError

    with TestClient(app, raise_errors=False) as client, pytest.raises(BadReply):
        client.get("/")
