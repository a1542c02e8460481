"""Applications of ASGI and WSGI that are mounted in an App.

Rule 1: every route of the App is asked before; of several of these, the one with the longest path.
Rule 2: what is theirs is theirs: no middleware, hook, error handler or check of the App's is around them. But the App's
`TrustedProxies` tell them, too, who asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Literal

from kingpost import _native
from kingpost.errors import RoutingError
from kingpost.interop.guest import MAX_BODY, Guest
from kingpost.interop.interface import interface_of
from kingpost.interop.told import Prepare
from kingpost.routing.mount import GuestMount
from kingpost.routing.route import Registry
from kingpost.routing.table import guests
from kingpost.types import Place


class Guests:
    """All that are mounted in one App, however deep."""

    def __init__(self, mounted: Sequence[tuple[GuestMount, Guest]] = ()) -> None:
        self._mounted = tuple(mounted)

    @classmethod
    def of(cls, registry: Registry) -> Guests:
        """Those that were registered.

        Raises:
            RoutingError: `routing.conflict` for two at one path; `routing.bad-mount`.
        """
        found: dict[str, tuple[GuestMount, Guest]] = {}
        for prefix, mount in guests(registry.items):
            if prefix in found:
                raise RoutingError(
                    f"two applications are mounted at {prefix or '/'}",
                    code="routing.conflict",
                    remedy="give one of them another path",
                    places=[found[prefix][0].place, mount.place],
                )
            found[prefix] = mount, guest_of(mount, prefix)
        return cls(tuple(found.values()))

    def __iter__(self) -> Iterator[Guest]:
        return (guest for _, guest in self._mounted)

    def __bool__(self) -> bool:
        return bool(self._mounted)

    @property
    def mounts(self) -> Sequence[tuple[GuestMount, Guest]]:
        """With the lines that mounted them."""
        return self._mounted

    def prepare(self, functions: Sequence[Prepare]) -> None:
        """Have functions find out who asks before any of them is called."""
        for guest in self:
            guest.prepare = functions

    def plans(self) -> list[_native.Plan]:
        """How the engine calls them."""
        return [guest.plan() for guest in self]

    def places(self, plans: int) -> list[tuple[str, int]]:
        """Where they are, and the index of their plan, where theirs are the last of so many."""
        first = plans - len(self._mounted)
        return [(guest.prefix, first + at) for at, guest in enumerate(self)]

    async def start(self, stack: AsyncExitStack) -> None:
        """Their start-up, one after the other; their clean-up is left to the stack."""
        for guest in self:
            await stack.enter_async_context(guest.lifespan())


def guest_of(mount: GuestMount, prefix: str) -> Guest:
    """What serves a mount."""
    return Guest(
        mount.application,
        mount.interface,
        prefix=prefix,
        name=mount.name,
        max_body=MAX_BODY if mount.max_body is None else mount.max_body,
    )


def guest_mount(
    path: str,
    app: object,
    *,
    name: str | None,
    hosts: Sequence[str],
    interface: Literal["asgi", "wsgi"] | None,
    max_body: int | None,
) -> GuestMount:
    """The mount of an application of others.

    Raises:
        RoutingError: `routing.bad-mount` for what is no application, or could be one of either interface; `routing.bad-prefix`.
    """
    known = interface or interface_of(app)
    if known is None or not callable(app):
        raise RoutingError(
            f"an App is mounted, or an application of ASGI or WSGI, and {app!r} is neither as far as can be told",
            code="routing.bad-mount",
            remedy='say interface="asgi" or interface="wsgi" if it is one of them',
            places=[Place.of_caller()],
        )
    if hosts:
        raise RoutingError(
            "an application of others is mounted for every host",
            code="routing.bad-mount",
            remedy="leave hosts= out; it sees the host that was asked for, and most have a setting for those that they serve",
            places=[Place.of_caller()],
        )
    return GuestMount(path, app, interface=known, name=name, max_body=max_body)


def only_for_guests(app: object) -> RoutingError:
    """The refusal of what is said of an application of others where an App is mounted."""
    return RoutingError(
        f"interface= and max_body= are for applications of ASGI or WSGI, and {app!r} is an App",
        code="routing.bad-mount",
        remedy="leave them out; a route's own max_body bounds the bodies that it is sent",
        places=[Place.of_caller()],
    )
