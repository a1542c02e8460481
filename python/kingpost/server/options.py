"""How one server is to be run: what a command line can choose."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from kingpost import _native
from kingpost.errors import ConfigurationError
from kingpost.server.loops import LoopKind

Tasks = Literal["carrier", "plain"]
Driver = Literal["auto", "native", "asyncio"]


def _from_environment(name: str, choices: object, default: str) -> str:
    value = os.environ.get(name, "") or default
    allowed = get_args(choices)
    if value not in allowed:
        raise ConfigurationError(
            f"{name}={value!r} is not known: it can be {' or '.join(allowed)}",
            code="settings.environment",
            remedy=f"set {name} to one of them, or unset it",
        )
    return value


def _tasks() -> Tasks:
    return cast("Tasks", _from_environment("KINGPOST_TASKS", Tasks, "carrier"))


def _driver() -> Driver:
    return cast("Driver", _from_environment("KINGPOST_DRIVER", Driver, "auto"))


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that is chosen for a server besides its addresses."""

    loop: LoopKind = "auto"
    grace: float = _native.LIMITS["drain_timeout"] / 1000
    """Seconds that requests in flight have to finish when the server stops, >= 0."""
    threads: int = 40
    """Worker threads for `def` handlers at most, >= 1; two are started, more when all of them are blocked."""
    queue: int = 1000
    """`def` requests that wait for a thread at most, >= 0; the next one is answered 503."""
    limits: Mapping[str, int] = field(default_factory=dict[str, int])
    """Other limits of the engine than its own; the names are those of `kingpost._native.LIMITS`."""
    tasks: Tasks = field(default_factory=_tasks)
    """"carrier" steps handlers in place; "plain" makes an asyncio.Task for each. KINGPOST_TASKS sets the default."""
    driver: Driver = field(default_factory=_driver)
    """"native" reads sockets by itself; "asyncio" leaves them to the loop's transports, on any loop and system; "auto"
    takes the native one where it runs. KINGPOST_DRIVER sets the default."""
