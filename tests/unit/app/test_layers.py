"""Middleware: order, colours, and what people do with `call_next`."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from kingpost import App, Blueprint, CallNext, NotFound, Request, Response, SyncCallNext
from kingpost.testing import TestClient
from tests.unit.app.asking import ask

Middleware = Callable[[Request, Any], Any]


def adding(name: str, log: list[str], *, is_async: bool) -> Middleware:
    async def around_async(request: Request, call_next: CallNext) -> Response[Any]:
        log.append(f">{name}")
        response = await call_next(request)
        log.append(f"<{name}")
        return response

    def around(request: Request, call_next: SyncCallNext) -> Response[Any]:
        log.append(f">{name}")
        response = call_next(request)
        log.append(f"<{name}")
        return response

    return around_async if is_async else around


def handlers(app: App, act: Callable[[], Any], **options: Any) -> None:
    async def on_loop() -> Any:
        return act()

    def on_thread() -> Any:
        return act()

    app.get("/async", **options)(on_loop)
    app.get("/def", **options)(on_thread)
    app.get("/inline", inline=True, **options)(on_thread)


PATHS = ["/async", "/def", "/inline"]
COLOURS = [(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("colours", COLOURS)
def test_either_colour_goes_around_either_in_order(
    colours: tuple[int, int, int], path: str
) -> None:
    log: list[str] = []
    app = App(middleware=[adding("app", log, is_async=bool(colours[0]))])
    app.middleware(adding("second", log, is_async=bool(colours[1])))
    handlers(
        app,
        lambda: log.append("handler") or "x",
        middleware=[adding("route", log, is_async=bool(colours[2]))],
    )

    assert ask(app, path).text == "x"
    assert log == [">app", ">second", ">route", "handler", "<route", "<second", "<app"]


def test_a_blueprints_are_inside_of_the_apps() -> None:
    log: list[str] = []
    app = App(middleware=[adding("app", log, is_async=True)])
    outer = Blueprint("o", prefix="/o", middleware=[adding("outer", log, is_async=False)])
    inner = Blueprint("i", prefix="/i", middleware=[adding("inner", log, is_async=True)])
    inner.get("/", middleware=[adding("route", log, is_async=False)])(lambda: "x")
    outer.include(inner)
    app.include(outer)
    app.get("/")(lambda: "y")

    assert ask(app, "/o/i/").text == "x"
    assert log[:4] == [">app", ">outer", ">inner", ">route"]

    log.clear()
    ask(app)

    assert log == [">app", "<app"]


def test_it_sees_what_no_route_answers() -> None:
    log: list[str] = []
    app = App(middleware=[adding("app", log, is_async=False)])
    app.post("/")(lambda: "x")

    assert [ask(app, path).status for path in ("/", "/nothing")] == [405, 404]
    assert log == [">app", "<app"] * 2


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("is_async", [False, True])
def test_an_exception_has_become_an_answer(path: str, is_async: bool) -> None:
    seen: list[int] = []

    async def around_async(request: Request, call_next: CallNext) -> Response[Any]:
        response = await call_next(request)
        seen.append(response.status)
        return response

    def around(request: Request, call_next: SyncCallNext) -> Response[Any]:
        response = call_next(request)
        seen.append(response.status)
        return response

    app = App(middleware=[around_async if is_async else around])

    def fail() -> Any:
        raise NotFound("no")

    handlers(app, fail)

    assert (ask(app, path).status, seen) == (404, [404])


@pytest.mark.parametrize("is_async", [False, True])
def test_what_it_raises_itself_is_answered_and_seen_outside(is_async: bool) -> None:
    log: list[str] = []

    async def late(request: Request, call_next: CallNext) -> Response[Any]:
        await call_next(request)
        raise NotFound("after")

    def late_def(request: Request, call_next: SyncCallNext) -> Response[Any]:
        call_next(request)
        raise NotFound("after")

    app = App(middleware=[adding("out", log, is_async=True), late if is_async else late_def])

    @app.error(NotFound)
    def gone(request: Request, error: NotFound) -> str:
        return "gone"

    handlers(app, lambda: "x")

    assert {ask(app, path).text for path in PATHS} == {"gone"}
    assert log == [">out", "<out"] * 3


@pytest.mark.parametrize("is_async", [False, True])
def test_one_that_returns_nothing_is_told_so_by_name(is_async: bool) -> None:
    async def forgetful(request: Request, call_next: CallNext) -> Any:
        await call_next(request)

    def forgetful_def(request: Request, call_next: SyncCallNext) -> Any:
        call_next(request)

    app = App(middleware=[forgetful if is_async else forgetful_def])
    handlers(app, lambda: None)

    with TestClient(app) as client:
        for path in PATHS:
            with pytest.raises(Exception, match=r"^forgetful(_def)? returned None"):
                client.get(path)


@pytest.mark.parametrize("is_async", [False, True])
def test_it_may_call_the_rest_twice_or_never(is_async: bool) -> None:
    called: list[int] = []

    async def twice(request: Request, call_next: CallNext) -> Response[Any]:
        await call_next(request)
        return await call_next(request)

    def twice_def(request: Request, call_next: SyncCallNext) -> Response[Any]:
        call_next(request)
        return call_next(request)

    async def never(request: Request, call_next: CallNext) -> Response[Any]:
        return Response("never", status=202)

    def never_def(request: Request, call_next: SyncCallNext) -> Response[Any]:
        return Response("never", status=202)

    app, other = App(), App()
    handlers(app, lambda: called.append(1) or "x", middleware=[twice if is_async else twice_def])
    handlers(other, lambda: called.append(1) or "x", middleware=[never if is_async else never_def])

    assert [ask(app, path).text for path in PATHS] == ["x"] * 3
    assert len(called) == 6
    assert [ask(other, path).text for path in PATHS] == ["never"] * 3
    assert len(called) == 6


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("is_async", [False, True])
def test_it_may_read_and_change_the_answer(path: str, is_async: bool) -> None:
    def change(response: Response[Any]) -> Response[Any]:
        assert response.body == b'{"a":1}'
        assert response.headers["content-type"] == "application/json"
        del response.headers["content-type"]
        response.headers["x-more"] = "1"
        response.body = b"changed, and longer than before"
        response.status = 203
        return response

    async def around(request: Request, call_next: CallNext) -> Response[Any]:
        return change(await call_next(request))

    def around_def(request: Request, call_next: SyncCallNext) -> Response[Any]:
        return change(call_next(request))

    app = App(middleware=[around if is_async else around_def])
    handlers(app, lambda: {"a": 1})
    answer = ask(app, path)

    assert (answer.status, answer.text) == (203, "changed, and longer than before")
    assert answer.headers["x-more"] == "1"
    assert "content-type" not in answer.headers


def walk() -> Iterator[str]:
    yield "one "
    yield "two"


async def walk_async() -> AsyncIterator[str]:
    yield "one "
    yield "two"


@pytest.mark.parametrize("walk", [walk, walk_async])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_stream_has_chunks_that_may_be_put_in_its_place(walk: Any, is_async: bool) -> None:
    def shout(chunk: bytes | str) -> str:
        return (chunk if isinstance(chunk, str) else chunk.decode()).upper()

    async def later(chunks: AsyncIterator[Any]) -> AsyncIterator[str]:
        async for chunk in chunks:
            yield shout(chunk)

    def change(response: Response[Any]) -> Response[Any]:
        assert response.body is None
        chunks = response.chunks
        assert chunks is not None
        response.chunks = later(chunks) if isinstance(chunks, AsyncIterator) else map(shout, chunks)
        return response

    async def around(request: Request, call_next: CallNext) -> Response[Any]:
        response = await call_next(request)
        # Nothing that a `def` streams is read on the loop.
        assert isinstance(response.chunks, AsyncIterator)
        return change(response)

    def around_def(request: Request, call_next: SyncCallNext) -> Response[Any]:
        return change(call_next(request))

    app = App(middleware=[around if is_async else around_def])
    app.get("/")(walk)

    assert ask(app).text == "ONE TWO"


def test_what_a_def_streams_is_made_on_threads() -> None:
    threads: set[int] = set()
    loops: set[int] = set()

    async def around(request: Request, call_next: CallNext) -> Response[Any]:
        loops.add(threading.get_ident())
        return await call_next(request)

    app = App(middleware=[around])

    @app.get("/")
    def walk() -> Iterator[str]:
        for _ in range(5):
            threads.add(threading.get_ident())
            yield "x"

    assert ask(app).text == "xxxxx"
    assert not threads & loops


@pytest.mark.parametrize("path", PATHS)
def test_def_middleware_on_a_full_pool_finishes(path: str) -> None:
    from tests.unit.app.test_injection import many

    def around(request: Request, call_next: SyncCallNext) -> Response[Any]:
        return call_next(request)

    def again(request: Request, call_next: SyncCallNext) -> Response[Any]:
        return call_next(request)

    async def between(request: Request, call_next: CallNext) -> Response[Any]:
        return await call_next(request)

    app = App(middleware=[around, between, again, between])

    async def on_loop() -> str:
        await asyncio.sleep(0.001)
        return "x"

    def on_thread() -> str:
        time.sleep(0.001)
        return "x"

    app.get("/", inline=path == "/inline")(on_loop if path == "/async" else on_thread)

    assert asyncio.run(many(app, 300, threads=2)) == ["x"] * 300


def test_a_def_between_holds_its_one_thread() -> None:
    threads: list[int] = []

    def around(request: Request, call_next: SyncCallNext) -> Response[Any]:
        threads.append(threading.get_ident())
        return call_next(request)

    async def between(request: Request, call_next: CallNext) -> Response[Any]:
        return await call_next(request)

    app = App(middleware=[around, between])

    @app.get("/")
    def show() -> str:
        threads.append(threading.get_ident())
        return "x"

    assert ask(app).text == "x"
    assert len(set(threads)) == 1


def test_objects_may_be_middleware() -> None:
    class Counting:
        def __init__(self) -> None:
            self.count = 0

        async def __call__(self, request: Request, call_next: CallNext) -> Response[Any]:
            self.count += 1
            return await call_next(request)

    counting = Counting()
    app = App(middleware=[counting])
    app.get("/")(lambda: "x")

    assert ask(app).text == "x"
    assert counting.count == 1


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("is_async", [False, True])
def test_it_is_told_of_an_exception_that_nobody_meant_for_the_client(
    path: str, is_async: bool
) -> None:
    seen: list[str] = []

    async def around_async(request: Request, call_next: CallNext) -> Response[Any]:
        response = await call_next(request)
        seen.append(repr(request.failure))
        return response

    def around(request: Request, call_next: SyncCallNext) -> Response[Any]:
        response = call_next(request)
        seen.append(repr(request.failure))
        return response

    raised: list[Exception] = [ValueError("for nobody"), NotFound("for the client"), KeyError("x")]
    app = App(middleware=[around_async if is_async else around])

    @app.error(KeyError)
    def known(request: Request, error: KeyError) -> Response[str]:
        return Response("no such key", status=404)

    def fail() -> Any:
        raise raised.pop(0)

    handlers(app, fail)

    assert [ask(app, path).status for _ in range(3)] == [500, 404, 404]
    assert seen == ["ValueError('for nobody')", "None", "None"]
