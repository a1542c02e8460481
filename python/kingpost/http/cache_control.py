"""`CacheControl`: the Cache-Control field of an answer, in words that are checked."""

from __future__ import annotations

from datetime import timedelta
from typing import TypedDict, Unpack


class CacheOptions(TypedDict, total=False):
    """What may be said to caches (RFC 9111 section 5.2.2, RFC 5861, RFC 8246). Durations are seconds or a timedelta, 0 or more."""

    public: bool
    """Shared caches may keep it, also where the request had credentials."""
    private: bool
    """Only the client's own cache may keep it."""
    no_cache: bool
    """It may be kept, and is asked for anew before each use."""
    no_store: bool
    """It may be kept nowhere."""
    no_transform: bool
    """Nobody on the way may change its form."""
    must_revalidate: bool
    """Once it is stale it is not used unasked, whatever a cache is configured to do."""
    proxy_revalidate: bool
    """The same for shared caches only."""
    immutable: bool
    """It never changes while it is fresh: no reload asks for it."""
    max_age: int | timedelta
    """How long it is fresh."""
    s_maxage: int | timedelta
    """The same for shared caches."""
    stale_while_revalidate: int | timedelta
    """How long a stale one may be used while a new one is fetched."""
    stale_if_error: int | timedelta
    """How long a stale one may be used where fetching a new one fails."""


_NAMES = tuple(CacheOptions.__annotations__)
_LONGEST = 2**31 - 1
_FRESH = ("max_age", "s_maxage", "immutable", "stale_while_revalidate", "stale_if_error", "public")


class CacheControl:
    """The value of a Cache-Control field; `str()` of it is what is sent.

    Args:
        options: see CacheOptions.

    Raises:
        ValueError: two of them contradict each other, a duration is negative, or nothing is said.

    Example:
        >>> str(CacheControl(public=True, max_age=3600))
        'public, max-age=3600'
    """

    __slots__ = ("_text",)

    def __init__(self, **options: Unpack[CacheOptions]) -> None:
        said: dict[str, object] = {**options}
        for name in said:
            if name not in _NAMES:
                raise ValueError(
                    f"{name!r} is nothing that caches are told; known are {', '.join(_NAMES)}"
                )
        kept = {name: said[name] for name in _NAMES if said.get(name, False) is not False}
        if not kept:
            raise ValueError("CacheControl() says nothing: give it max_age=… or no_cache=True")
        _check(kept)
        self._text = ", ".join(_directive(name, value) for name, value in kept.items())

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"<CacheControl {self._text}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CacheControl) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def _check(said: dict[str, object]) -> None:
    if "public" in said and "private" in said:
        raise ValueError("public and private contradict each other: keep one of them")
    if "no_store" in said:
        for name in _FRESH:
            if name in said:
                raise ValueError(
                    f"no_store and {name} contradict each other: what is kept nowhere is never fresh"
                )
    if "immutable" in said and not said.get("max_age"):
        raise ValueError("immutable lasts as long as it is fresh: say max_age=… beside it")


def _directive(name: str, value: object) -> str:
    word = "s-maxage" if name == "s_maxage" else name.replace("_", "-")
    if value is True and name not in _DURATIONS:
        return word
    seconds = value
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
    if name not in _DURATIONS or isinstance(seconds, bool) or not isinstance(seconds, int):
        kind = "seconds or a timedelta" if name in _DURATIONS else "True or False"
        raise ValueError(f"{name}={value!r}: it is {kind}")
    if seconds < 0:
        raise ValueError(f"{name}={value!r}: a duration is 0 or more")
    # "a cache MUST consider the value to be 2147483648 or the greatest it can represent" (RFC 9111 section 1.2.2).
    return f"{word}={min(seconds, _LONGEST)}"


_DURATIONS = frozenset({"max_age", "s_maxage", "stale_while_revalidate", "stale_if_error"})
