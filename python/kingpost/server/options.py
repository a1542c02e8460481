"""How one server is to be run: what a command line can choose."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from kingpost import _native
from kingpost.errors import ConfigurationError
from kingpost.server.loops import LoopKind
from kingpost.server.tls import Tls

Tasks = Literal["carrier", "plain"]
Driver = Literal["auto", "native", "asyncio"]
Http = Literal["auto", "1", "2"]


# What has a place of its own, where it is nearer to what it bounds.
_ELSEWHERE = {
    "body": "a route's max_body sets it",
    "drain_timeout": "--grace sets it",
}
# A server that takes nothing of these still serves.
_MAY_BE_NONE = frozenset(
    {
        "empty_lines",
        "chunk_extension",
        "chunk_extensions",
        "trailer",
        "trailer_fields",
        "body_rate",
        "linger",
        "linger_timeout",
        "websocket_ping",
    }
)
_LARGEST = 1 << 30
"""What a limit can be at most: a gibibyte, or twelve days. The parser counts no further in a head."""


def limits_of(texts: Iterable[str]) -> dict[str, int]:
    """The limits that texts such as "head=65536" set; of a name that comes twice the last counts.

    Raises:
        ValueError: One is not a name and a number, or the name is no limit, or the number is not from 1 (0 where nothing may be
            taken) to 1,073,741,824.
    """
    found: dict[str, int] = {}
    for text in texts:
        name, separator, number = text.partition("=")
        if not separator:
            raise ValueError(
                f"{text!r} is not NAME=NUMBER, such as head=65536; there are {_known()}"
            )
        if name in _ELSEWHERE:
            raise ValueError(f"{name} is not set here: {_ELSEWHERE[name]}")
        if name not in _native.LIMITS:
            raise ValueError(f"{name!r} is no limit; there are {_known()}")
        least = 0 if name in _MAY_BE_NONE else 1
        # Of ASCII digits, and few: int() reads more, at a cost that grows with the square of their number.
        is_number = number.isascii() and number.isdigit() and len(number) <= len(str(_LARGEST))
        if not is_number or not least <= int(number) <= _LARGEST:
            raise ValueError(
                f"{text!r}: {name} is a whole number of {least} to {_LARGEST}; it is {_native.LIMITS[name]} if you do not say"
            )
        found[name] = int(number)
    return found


def _known() -> str:
    return ", ".join(each for each in _native.LIMITS if each not in _ELSEWHERE)


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
    """Other limits of the engine than its own, by the names of `kingpost._native.LIMITS`; `limits_of` reads and bounds what is typed."""
    http: Http = "auto"
    """Versions of HTTP that are spoken: "1" is HTTP/1.1 and 1.0, "2" is HTTP/2, "auto" both, as the client begins."""
    tls: Tls | None = None
    """Speak HTTPS, with these certificates; without it, HTTP in clear text."""
    proxy_protocol: Sequence[str] = ()
    """Addresses and networks of proxies that say first by the PROXY protocol whom they speak for, "unix" for whoever may connect
    to the Unix socket. Where there are any, nobody else is let in."""
    tasks: Tasks = field(default_factory=_tasks)
    """"carrier" steps handlers in place; "plain" makes an asyncio.Task for each. KINGPOST_TASKS sets the default."""
    driver: Driver = field(default_factory=_driver)
    """"native" reads sockets by itself; "asyncio" leaves them to the loop's transports, on any loop and system; "auto"
    takes the native one where it runs. KINGPOST_DRIVER sets the default."""
