"""Providers that yield: begun when a request needs them, finished when its answer is made.

Rule 1: a generator is finished exactly once: by `finish` with the response, or by `unwind` with the exception.
Rule 2: they are finished in the reverse order of their making; what one of them raises is thrown into those that are left.
Rule 3: an exception goes on, whatever a generator makes of it: there is no value that could be the answer in its place.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any, TypeAlias, TypeVar

from kingpost.app.crossing import Threads, on_loop
from kingpost.app.streams import Watched, WatchedAsync
from kingpost.http.response import Response

T = TypeVar("T")

Made: TypeAlias = list[tuple[bool, Any]]
"""Generators that have yielded, in order: (whether it is asynchronous, the generator)."""

Answered: TypeAlias = Response[Any] | None


def begin(generator: Iterator[T], made: Made) -> T:
    """The value of a provider's generator, which is then to be finished."""
    for value in generator:
        made.append((False, generator))
        return value
    raise never_yields(generator)


async def begin_async(generator: AsyncIterator[T], made: Made) -> T:
    """The value of a provider's asynchronous generator, which is then to be finished."""
    async for value in generator:
        made.append((True, generator))
        return value
    raise never_yields(generator)


def end_one(
    generator: Any, response: Answered, error: BaseException | None
) -> BaseException | None:
    """Finish a generator; the exception that goes on from there."""
    try:
        if error is None:
            generator.send(response)
        elif isinstance(error, GeneratorExit):
            generator.close()
            return error
        else:
            generator.throw(error)
        generator.close()
    except StopIteration:
        return error
    except BaseException as raised:  # noqa: BLE001 - it is raised when all are finished
        return raised
    return error or yields_twice(generator)


async def end_one_async(
    generator: Any, response: Answered, error: BaseException | None
) -> BaseException | None:
    """As `end_one`, for an asynchronous generator."""
    try:
        if error is None:
            await generator.asend(response)
        elif isinstance(error, GeneratorExit):
            await generator.aclose()
            return error
        else:
            await generator.athrow(error)
        await generator.aclose()
    except StopAsyncIteration:
        return error
    except BaseException as raised:  # noqa: BLE001 - it is raised when all are finished
        return raised
    return error or yields_twice(generator)


def never_yields(generator: Any) -> RuntimeError:
    return RuntimeError(f"{name_of(generator)} ended without a yield, and a provider yields once")


def yields_twice(generator: Any) -> RuntimeError:
    return RuntimeError(f"{name_of(generator)} yields twice, and a provider yields once")


def name_of(generator: Any) -> str:
    return str(getattr(generator, "__qualname__", generator))


def end_all(made: Made, response: Answered, error: BaseException | None) -> BaseException | None:
    """Finish every generator from a worker thread, the last first."""
    while made:
        is_async, generator = made.pop()
        if is_async:
            error = on_loop(end_one_async, generator, response, error)
        else:
            error = end_one(generator, response, error)
    return error


class Generators:
    """Finishes what was begun.

    Args:
        threads: where generators of a `def` are finished that the event loop has to finish.
    """

    def __init__(self, threads: Threads) -> None:
        self._apart = threads.apart

    def finish(self, made: Made, response: Response[Any]) -> None:
        """The answer is made: what was made for it is finished, before its first byte or after the last of a stream."""
        if not self._held(made, response):
            raise_new(end_all(made, response, None), None)

    def unwind(self, made: Made, error: BaseException) -> None:
        """Something was raised: it is thrown into every generator. Raises what one of them raised in its place."""
        raise_new(end_all(made, None, error), error)

    async def finish_async(self, made: Made, response: Response[Any]) -> None:
        """As `finish`, on the loop."""
        if not self._held(made, response, on_loop=True):
            raise_new(await self._end_all(made, response, None), None)

    async def unwind_async(self, made: Made, error: BaseException) -> None:
        """As `unwind`, on the loop."""
        raise_new(await self._end_all(made, None, error), error)

    async def close_async(self, made: Made) -> None:
        """Finish on the loop what was made for no answer. Raises what one of them raised."""
        raise_new(await self._end_all(made, None, None), None)

    def _held(self, made: Made, response: Response[Any], *, on_loop: bool = False) -> bool:
        """Has the generators finished at the end of a stream; False where the answer is none."""
        chunks = response.chunks
        if chunks is None or not made:
            return False
        left, made[:] = made[:], []

        def end(error: BaseException | None) -> None:
            raise_new(end_all(left, None if error else response, error), error)

        async def end_async(error: BaseException | None) -> None:
            raise_new(await self._end_all(left, None if error else response, error), error)

        if on_loop or isinstance(chunks, AsyncIterator):
            response.chunks = WatchedAsync(chunks, end_async)
        else:
            response.chunks = Watched(chunks, end)
        return True

    async def _end_all(
        self, made: Made, response: Answered, error: BaseException | None
    ) -> BaseException | None:
        while made:
            try:
                if made[-1][0]:
                    _, generator = made.pop()
                    error = await end_one_async(generator, response, error)
                else:
                    error = await self._apart(partial(end_all, neighbours(made), response, error))
            except BaseException as raised:  # noqa: BLE001 - a cancellation, and the others are finished all the same
                error = raised
        return error


def neighbours(made: Made) -> Made:
    """The last generators that are a `def`'s, taken away: they are finished in one visit to a thread."""
    at = len(made)
    while at and not made[at - 1][0]:
        at -= 1
    taken, made[at:] = made[at:], []
    return taken


def raise_new(raised: BaseException | None, error: BaseException | None) -> None:
    """Raise what went wrong, where that is not what is on its way already."""
    if raised is not None and raised is not error:
        raise raised
