"""Streams whose end somebody waits for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from kingpost.app.streams import OnThreads, Watched, WatchedAsync


def pieces(log: list[str], *, fails: bool = False) -> Iterator[str]:
    try:
        yield "one"
        if fails:
            raise KeyError("x")
        yield "two"
    finally:
        log.append("pieces over")


async def pieces_async(log: list[str], *, fails: bool = False) -> AsyncIterator[str]:
    for piece in pieces(log, fails=fails):
        yield piece


def noting(log: list[str]) -> Callable[[BaseException | None], None]:
    return lambda error: log.append(f"told {type(error).__name__}")


def noting_async(log: list[str]) -> Callable[[BaseException | None], Any]:
    async def note(error: BaseException | None) -> None:
        log.append(f"told {type(error).__name__}")

    return note


async def all_of(chunks: AsyncIterator[Any]) -> list[Any]:
    return [chunk async for chunk in chunks]


def test_the_end_is_told_once() -> None:
    log: list[str] = []
    watched = Watched(pieces(log), noting(log))

    assert list(watched) == ["one", "two"]
    watched.close()
    assert log == ["pieces over", "told NoneType"]


def test_a_failure_is_told_and_goes_on() -> None:
    log: list[str] = []

    with pytest.raises(KeyError):
        list(Watched(pieces(log, fails=True), noting(log)))

    assert log == ["pieces over", "told KeyError"]


@pytest.mark.parametrize("begun", [False, True])
def test_one_that_is_left_is_closed_and_told(begun: bool) -> None:
    log: list[str] = []
    watched = Watched(pieces(log), noting(log))
    if begun:
        next(watched)
    watched.close()
    watched.close()

    assert log[-1] == "told GeneratorExit"
    assert log.count("told GeneratorExit") == 1


@pytest.mark.parametrize("make", [pieces, pieces_async])
def test_so_it_is_on_the_loop(make: Callable[..., Any]) -> None:
    async def test() -> None:
        log: list[str] = []
        watched = WatchedAsync(make(log), noting_async(log))
        assert await all_of(watched) == ["one", "two"]
        await watched.aclose()
        assert log == ["pieces over", "told NoneType"]

        log.clear()
        with pytest.raises(KeyError):
            await all_of(WatchedAsync(make(log, fails=True), noting_async(log)))
        assert log == ["pieces over", "told KeyError"]

        log.clear()
        watched = WatchedAsync(make(log), noting_async(log))
        await anext(watched)
        await watched.aclose()
        assert log[-1] == "told GeneratorExit"

    asyncio.run(test())


def test_a_cancellation_closes_before_it_is_told() -> None:
    log: list[str] = []

    async def endless() -> AsyncIterator[str]:
        try:
            await asyncio.sleep(10)
            yield ""
        finally:
            log.append("closed")

    async def test() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await all_of(WatchedAsync(endless(), noting_async(log)))

    asyncio.run(test())

    assert log == ["closed", "told CancelledError"]


def test_each_step_is_made_where_it_is_told() -> None:
    async def test() -> None:
        log: list[str] = []
        chunks = OnThreads(pieces(log), asyncio.to_thread)
        assert await all_of(chunks) == ["one", "two"]
        await chunks.aclose()

        chunks = OnThreads(pieces(log), asyncio.to_thread)
        await anext(chunks)
        await chunks.aclose()
        assert log == ["pieces over"] * 2
        await OnThreads(iter(["x"]), asyncio.to_thread).aclose()

    asyncio.run(test())
