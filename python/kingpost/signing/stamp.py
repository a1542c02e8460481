"""When a value was made and when it ends: eleven bytes in front of it, under the signature."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

from kingpost import limits

Clock: TypeAlias = Callable[[], float]
"""Seconds since 1970, as `time.time` gives them."""

Duration: TypeAlias = float | timedelta
"""Seconds, or a timedelta, above 0."""

VERSION = b"\x01"
STAMP_BYTES = 11
_FIELD = 5
_LAST = 2 ** (8 * _FIELD) - 1


def stamped(data: bytes, clock: Clock, expires_in: Duration | None) -> bytes:
    """`data` behind the time of its making and of its end.

    Raises:
        ValueError: `expires_in` is not above 0.
    """
    now = int(clock())
    ends = 0 if expires_in is None else now + math.ceil(seconds("expires_in", expires_in))
    return VERSION + now.to_bytes(_FIELD, "big") + ends.to_bytes(_FIELD, "big") + data


def unstamped(data: bytes, clock: Clock, max_age: Duration | None) -> tuple[bytes, str]:
    """What stands behind the stamp, and why it is too old; "" if it is not.

    Raises:
        Unreadable: There is no stamp, or it comes from a clock that is ahead of ours.
        ValueError: `max_age` is not above 0.
    """
    oldest = None if max_age is None else seconds("max_age", max_age)
    if len(data) < STAMP_BYTES or data[:1] != VERSION:
        raise Unreadable("it has no stamp that this version reads")
    made = int.from_bytes(data[1 : 1 + _FIELD], "big")
    ends = int.from_bytes(data[1 + _FIELD : STAMP_BYTES], "big")
    now = clock()
    if made > now + limits.SIGNED_SKEW_SECONDS:
        raise Unreadable(f"it was made {made - now:.0f} seconds from now")
    late = ""
    if ends and now >= ends:
        late = f"it ended {now - ends:.0f} seconds ago"
    elif oldest is not None and now - made >= oldest:
        late = f"it is {now - made:.0f} seconds old"
    return data[STAMP_BYTES:], late


class Unreadable(Exception):
    """The stamp says nothing; the message is the end of a sentence for the log."""


def seconds(name: str, value: Duration) -> float:
    """A duration in seconds.

    Raises:
        ValueError: It is not above 0, or longer than anybody will wait.
    """
    found = value.total_seconds() if isinstance(value, timedelta) else value
    if not _is_number(found) or not 0 < found < _LAST // 2:
        raise ValueError(f"{name}={value!r} is no number of seconds above 0")
    return found


def _is_number(value: object) -> bool:
    # Typed as object: who calls without a checker may give anything.
    return isinstance(value, int | float) and not isinstance(value, bool)
