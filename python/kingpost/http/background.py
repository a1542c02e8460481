"""Work that is done after the answer has left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec

P = ParamSpec("P")

Work = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class BackgroundTasks:
    """Functions to be called once the answer has left, in the order in which they were added.

    They run in the server's process and are lost when it dies: what must not be lost belongs into a task queue. `def` functions run on a
    worker thread, `async def` ones on the event loop. Parameters that the call does not give, and that a provider of the App makes, are
    made anew for the call.
    """

    __slots__ = ("_work",)

    def __init__(self) -> None:
        self._work: list[Work] = []

    def add_task(self, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Have `function(*args, **kwargs)` called after the answer; not at all where the handler fails after this."""
        self._work.append((function, args, kwargs))

    def __len__(self) -> int:
        return len(self._work)

    def __work__(self) -> list[Work]:
        """What was added."""
        return self._work
