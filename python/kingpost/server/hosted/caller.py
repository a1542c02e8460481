"""What the engine asks of whoever runs the requests of a connection by himself."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Protocol

from kingpost.server.streaming import Exchange


class Chunks(Protocol):
    """The chunks of an answer, made one by one on a thread of the caller's."""

    def step(self) -> bool:
        """Has the next chunk made and written; False: that was the end."""
        ...

    def close(self) -> None:
        """Nobody will ask for the rest."""
        ...


class Cancellable(Protocol):
    """What runs a coroutine."""

    def cancel(self) -> bool: ...


class Caller(Protocol):
    """The one request of a connection of a host's."""

    @property
    def context(self) -> Context:
        """What the request runs in copies of, where it does not run in the caller's task."""
        ...

    @property
    def scheme(self) -> str: ...
    @property
    def http_version(self) -> str: ...
    @property
    def root_path(self) -> str:
        """What stands before the application's own paths, without a slash at the end."""
        ...

    @property
    def run(self) -> Callable[[Callable[[], None]], None] | None:
        """Takes a `def` handler for the caller's own thread; None: a thread of the engine's runs it."""
        ...

    @property
    def more(self) -> Callable[[], None] | None:
        """Called on a thread that waits for more of the body, within what `run` has taken."""
        ...

    def adopt(self, exchange: Exchange, coroutine: Coroutine[Any, Any, object], /) -> Cancellable:
        """Takes a coroutine, on the loop; `run_here` or `drive` run it."""
        ...

    def stream(self, chunks: Chunks, /) -> None:
        """Takes the chunks of an answer whose head is out, within what `run` has taken."""
        ...
