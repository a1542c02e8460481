"""`RateLimit`: so many requests in so much time, for each client.

The fields are those of draft-ietf-httpapi-ratelimit-headers-10: `RateLimit-Policy` says the rule, `RateLimit` what is left of it; a refusal is
429 with Retry-After (RFC 6585 section 4).

Rule 1: a request is counted before it is answered, in one step, so that of requests that come at once not one too many gets through.
Rule 2: memory is bounded whatever clients send: of too many keys the one whose time began first is forgotten.
Rule 3: an IPv6 client has a network of addresses to come from, so it is counted by its /64.
"""

from __future__ import annotations

import ipaddress
import logging
import math
import re
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol, TypeAlias

from kingpost import limits
from kingpost.errors import TooManyRequests
from kingpost.http.before_body import before_body
from kingpost.http.counting import generation, keep_here, together
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.middleware.refusal import refused
from kingpost.routing.around import CallNext
from kingpost.types import Place

RATE = re.compile(r"([0-9]{1,9})\s*/\s*([0-9]{1,6})?\s*(second|minute|hour|day)s?", re.ASCII)
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
UNITS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}

Key: TypeAlias = Callable[[Request], str | None]


class Count(NamedTuple):
    """How often a key was counted.

    Attributes:
        hits: In the running window, this time included.
        left: Seconds until the window ends, > 0.
    """

    hits: int
    left: float


class RateStore(Protocol):
    """Where requests are counted. `kingpost.testing.RateStoreConformance` has the tests that every store passes."""

    def hit(self, key: str, window: float, /) -> Awaitable[Count]:
        """Count one more for `key`, in one step, and say how many there are.

        Args:
            key: Whom to count; any text.
            window: Seconds that a window lasts. It begins with the first hit after the one before has ended.
        """
        ...


# Stores that were made at each place of the program.
_made: Counter[str] = Counter()


class MemoryRateStore:
    """Counts in memory: in that of this process, or, under `kingpost run --workers`, in one that all workers share.

    Args:
        keys: How many are remembered at once. What workers share is some 300,000, for all stores together.
        clock: Seconds that only grow. Workers share the system's; a store with another counts in its own process.
    """

    def __init__(
        self, *, keys: int = limits.RATE_LIMIT_KEYS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = keys
        self._clock = clock
        # In all workers the same, whatever else they have made, and when: a store is known by where it stands. New code counts anew, for what
        # stands there now may be another one.
        place = Place.of_caller()
        where = f"{place.file}:{place.line}"
        self._name = f"{generation()}:{where}:{_made[where]}"
        _made[where] += 1
        self._lock = threading.Lock()
        # By window, so that the order of a dict is the order in which its windows end.
        self._windows: dict[float, dict[str, tuple[float, int]]] = {}
        keep_here("RateLimit")

    async def hit(self, key: str, window: float, /) -> Count:
        """Count one more for `key`."""
        return self.count(key, window)

    def count(self, key: str, window: float, /) -> Count:
        """As `hit`, for those who do not wait."""
        shared = together()
        if shared is not None and self._clock is time.monotonic:
            return Count(*shared.hit(f"rate-limit:{self._name}:{key}", window))
        with self._lock:
            now = self._clock()
            known = self._windows.setdefault(window, {})
            end, hits = known.get(key, (now, 0))
            if end <= now:
                known.pop(key, None)
                self._make_room(known, now)
                end, hits = now + window, 0
            known[key] = (end, hits + 1)
            return Count(hits + 1, end - now)

    def __len__(self) -> int:
        return sum(map(len, self._windows.values()))

    def _make_room(self, known: dict[str, tuple[float, int]], now: float) -> None:
        # Two at a time, so that what has ended goes faster than new ones come.
        for _ in range(2):
            first = next(iter(known), None)
            if first is None or known[first][0] > now:
                break
            del known[first]
        if len(known) >= self._most:
            del known[next(iter(known))]


@before_body
class RateLimit:
    """Refuses clients that ask too often, with 429.

    Args:
        rate: Such as "100/minute", "5/second", "20/15 minutes", "1000/day".
        key: Whom a request counts for: `f(request)` gives a text, or None for one that does not count. The client's address if not said;
            behind a proxy that is right only with `TrustedProxies` around it.
        store: Where it is counted: a `MemoryRateStore` if not said.
        name: What clients see of the rule, and what keeps two rules in one store apart: lower-case letters, digits, `-` and `_`.

    Raises:
        ConfigurationError: `rate-limit.bad-rate`, `rate-limit.bad-name`, `rate-limit.bad-key`.

    Example:
        `@app.post("/login", middleware=[RateLimit("5/minute", name="login")])`
    """

    def __init__(
        self,
        rate: str,
        *,
        key: Key | None = None,
        store: RateStore | None = None,
        name: str = "default",
    ) -> None:
        self._quota, self._window = parsed_rate(rate)
        if not NAME.fullmatch(name):
            raise refused(
                "rate-limit.bad-name", f"name={name!r} cannot be sent as one", 'write name="login"'
            )
        if key is not None and not callable(key):
            raise refused(
                "rate-limit.bad-key",
                f"key={key!r} is no function",
                'write key=lambda request: request.headers.get("x-api-key")',
            )
        self._key = client_key if key is None else key
        self._store = MemoryRateStore() if store is None else store
        self._name = name
        self._policy = f'"{name}";q={self._quota};w={self._window}'
        self._warned = False

    async def __call__(self, request: Request, call_next: CallNext) -> Response[Any]:
        key = self._key(request)
        if key is None:
            return await call_next(request)
        if not key and self._key is client_key:
            self._warn()
        # A name has no colon, so that no two rules share a key.
        count = await self._store.hit(f"{self._name}:{key}", self._window)
        left = max(1, math.ceil(count.left))
        state = f'"{self._name}";r={max(0, self._quota - count.hits)};t={left}'
        if count.hits > self._quota:
            raise TooManyRequests(
                f"more than {self._quota} in {self._window} seconds",
                headers={
                    "Retry-After": str(left),
                    "RateLimit-Policy": self._policy,
                    "RateLimit": state,
                },
            )
        response = await call_next(request)
        response.headers.add("ratelimit-policy", self._policy)
        response.headers.add("ratelimit", state)
        return response

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            logging.getLogger("kingpost.middleware").warning(
                "RateLimit counts all clients as one: behind a Unix socket nobody has an address unless TrustedProxies runs before it"
            )


def parsed_rate(rate: str) -> tuple[int, int]:
    """How many, and in how many seconds."""
    match = RATE.fullmatch(str(rate).strip().lower())
    quota, seconds = (
        (0, 0) if match is None else (int(match[1]), int(match[2] or 1) * UNITS[match[3]])
    )
    if quota < 1 or seconds < 1:
        raise refused(
            "rate-limit.bad-rate",
            f"{rate!r} is no rate",
            'write "100/minute", or "20/15 minutes": second, minute, hour or day',
        )
    return quota, seconds


def client_key(request: Request) -> str:
    """The client's address, of IPv6 the network that it is in; "" where it is not known."""
    client = request.client
    if client is None or ":" not in client:
        return client or ""
    address = ipaddress.IPv6Address(client)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
