"""What must hold for a route to be the one, besides its method and its path: hosts and predicates, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from kingpost.http.request import Request
    from kingpost.routing.hosts import HostPattern

Rank = tuple[Any, ...]


class Unwanted(msgspec.Struct, frozen=True):
    """That all holds but one thing: the client does not take what the route gives."""

    types: tuple[str, ...]


class Conditions(msgspec.Struct, frozen=True):
    """What must hold for a route.

    Attributes:
        hosts: one of them must be the request's; empty for any.
        when: all of them must say yes.
        weighed: those of `when` that say how much, and not just whether.
    """

    hosts: tuple[HostPattern, ...] = ()
    when: tuple[Callable[[Request], bool], ...] = ()
    weighed: tuple[Any, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.hosts or self.when or self.weighed)

    @property
    def rank(self) -> Rank:
        """The smaller, the earlier a route is asked whether it is the one: what demands more comes first.

        A route for a host comes before one for any, the closest description of a host first.
        """
        closest = min((pattern.rank for pattern in self.hosts), default=())
        return (not self.hosts, closest, -len(self.when), not self.weighed)

    def host_of(self, host: str) -> tuple[Rank, Mapping[str, str]] | None:
        """How close the description of a host is, and the host's parameters; None where it is none of ours."""
        if not self.hosts:
            return (), {}
        found = [
            (pattern.rank, values)
            for pattern in self.hosts
            if (values := pattern.match(host)) is not None
        ]
        return min(found, key=lambda each: each[0]) if found else None

    @property
    def vary(self) -> tuple[str, ...]:
        """The header fields that they look at."""
        fields = (
            field for each in (*self.when, *self.weighed) for field in getattr(each, "vary", ())
        )
        return tuple(dict.fromkeys(fields))

    @property
    def walks(self) -> Any:
        """The view of a tree that the route is; None for others."""
        return next((each for each in self.weighed if hasattr(each, "context")), None)

    @property
    def blocks(self) -> bool:
        """Whether finding out may take its time, so that it is not for the event loop."""
        return any(getattr(each, "blocks", False) for each in self.weighed)

    def is_like(self, other: Conditions) -> bool:
        """Whether some request cannot tell the two apart: they demand the same of a host that is the same."""
        shapes = {pattern.shape for pattern in self.hosts}
        others = {pattern.shape for pattern in other.hosts}
        if (shapes or others) and not shapes & others:
            return False
        return same(self.when, other.when) and same(self.weighed, other.weighed)

    def __str__(self) -> str:
        from kingpost.routing.predicates import words_of

        words = (
            [f"host {' or '.join(pattern.text for pattern in self.hosts)}"] if self.hosts else []
        )
        return ", ".join([*words, *(words_of(each) for each in (*self.when, *self.weighed))])


ALWAYS = Conditions()


def same(some: Sequence[Any], others: Sequence[Any]) -> bool:
    return len(some) == len(others) and all(each in others for each in some)


def predicates_of(when: Any) -> tuple[Callable[[Request], bool], ...]:
    """The predicates of a route's option, which was checked when it was registered."""
    if not when and isinstance(when, Sequence):
        return ()
    from kingpost.routing.predicates import check_predicates

    return check_predicates(when)


def conditions_of(hosts: Sequence[str], when: Sequence[Callable[[Request], bool]]) -> Conditions:
    """Hosts and predicates, put together."""
    from kingpost.routing.hosts import check_hosts

    return Conditions(
        check_hosts(hosts),
        tuple(each for each in when if not hasattr(each, "weight")),
        tuple(each for each in when if hasattr(each, "weight")),
    )
