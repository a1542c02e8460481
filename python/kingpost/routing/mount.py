"""An App, or an application of others, inside of an App."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

from kingpost.routing.refusal import refused
from kingpost.routing.route import Registry, checked_name, checked_prefix
from kingpost.types import Place


class Mountable(ABC):
    """What can be mounted: an App."""

    @abstractmethod
    def __routes__(self) -> Registry:
        """What was registered on it."""


class Mount:
    """An App at a path of another App.

    Raises:
        RoutingError: `routing.bad-mount` for what is no App, and for a path with parameters.
    """

    __slots__ = ("app", "hosts", "name", "place", "prefix")

    def __init__(
        self, prefix: str, app: object, /, *, name: str | None, hosts: Sequence[str]
    ) -> None:
        self.place = Place.of_caller()
        self.prefix = checked_mount(prefix)
        if not isinstance(app, Mountable):
            raise refused("routing.bad-mount", f"an App is mounted, not {app!r}")
        own = prefix.strip("/").replace("/", "-").replace(".", "-")
        self.app = app
        self.hosts = tuple(hosts)
        self.name = checked_name(name or own) if name or own else None


class GuestMount:
    """An application of ASGI or WSGI at a path of an App: it is asked where no route of the App answers.

    Raises:
        RoutingError: `routing.bad-mount` for a path with parameters.
    """

    __slots__ = ("application", "interface", "max_body", "name", "place", "prefix")

    def __init__(
        self,
        prefix: str,
        app: object,
        /,
        *,
        interface: Literal["asgi", "wsgi"],
        name: str | None,
        max_body: int | None,
    ) -> None:
        self.place = Place.of_caller()
        self.prefix = checked_mount(prefix)
        self.application = app
        self.interface: Literal["asgi", "wsgi"] = interface
        self.name = name or getattr(app, "name", None) or f"the application at {prefix}"
        self.max_body = max_body


def checked_mount(prefix: str) -> str:
    """The path of a mount, without its last slash.

    Raises:
        RoutingError: `routing.bad-mount`, `routing.bad-prefix`.
    """
    checked = checked_prefix("" if prefix == "/" else prefix)
    if "{" in prefix:
        raise refused(
            "routing.bad-mount",
            f"the path {prefix!r} of a mounted App has parameters, and its handlers do not know them",
            "include a Blueprint there",
        )
    return checked
