"""An App inside of another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

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
        self.prefix = checked_prefix("" if prefix == "/" else prefix)
        if "{" in prefix:
            raise refused(
                "routing.bad-mount",
                f"the path {prefix!r} of a mounted App has parameters, and its handlers do not know them",
                "include a Blueprint there",
            )
        if not isinstance(app, Mountable):
            raise refused("routing.bad-mount", f"an App is mounted, not {app!r}")
        own = prefix.strip("/").replace("/", "-").replace(".", "-")
        self.app = app
        self.hosts = tuple(hosts)
        self.name = checked_name(name or own) if name or own else None
