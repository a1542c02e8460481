"""`Setup` and `Site`: an application, how it is started, and where; all that the checks look at."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from kingpost.app.guests import Guests
from kingpost.checks.deploy.machine import Machine
from kingpost.checks.deploy.serving import Serving
from kingpost.checks.problem import Problem
from kingpost.routing.options import several

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.app.plan import CompiledRoute
    from kingpost.interop.guest import Guest
    from kingpost.types import Place

T = TypeVar("T")

SHOWN = ("Html", "Template", "Element", "Markup")
"""What a page is made of, by the names of its types."""


class Told(NamedTuple):
    """A problem, and where it is; an empty place where that is the App, or the machine."""

    problem: Problem
    place: str = ""


def warning(message: str, remedy: str, place: object = "") -> Told:
    """What should not be so."""
    return Told(Problem(message, remedy, is_error=False), str(place))


def error(message: str, remedy: str, place: object = "") -> Told:
    """What must not be so."""
    return Told(Problem(message, remedy), str(place))


class Setup(ABC):
    """What is to be deployed, as far as it can be told of every application.

    Args:
        serving: how it is started.
        machine: where.
        sources: the text of the application's own files by their paths; if not said, of the modules that were imported from below
            the folder.
    """

    def __init__(
        self, serving: Serving, machine: Machine, sources: Mapping[str, str] | None = None
    ) -> None:
        self.serving = serving
        self.machine = machine
        self._sources = sources

    @property
    @abstractmethod
    def guests(self) -> Sequence[tuple[Guest, Place | None]]:
        """The applications of others, with the lines that mounted them; None for the one that is served itself."""

    @property
    @abstractmethod
    def middleware(self) -> Sequence[object]:
        """What is around every request; the first is the outermost."""

    @property
    @abstractmethod
    def awaits(self) -> bool:
        """Whether it runs on the event loop."""

    @abstractmethod
    def has(self, pages: Literal["health", "metrics"]) -> bool:
        """Whether these are served."""

    def outermost(self, kind: type[T]) -> T | None:
        """The first of a class that is around every request."""
        return next((each for each in self.middleware if isinstance(each, kind)), None)

    def everywhere(self, kind: type[T]) -> Iterator[T]:
        """All of a class, around every request or around some."""
        return (each for each in self.middleware if isinstance(each, kind))

    @cached_property
    def files(self) -> Mapping[str, str]:
        """The text of the application's own files, by their paths."""
        return own_sources(self.machine.folder) if self._sources is None else self._sources


class BareGuest(Setup):
    """An application of others that is served without an App.

    Args:
        guest: the application.
    """

    def __init__(
        self,
        guest: Guest,
        serving: Serving,
        machine: Machine,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(serving, machine, sources)
        self._guest = guest

    @property
    def guests(self) -> Sequence[tuple[Guest, Place | None]]:
        return ((self._guest, None),)

    @property
    def middleware(self) -> Sequence[object]:
        return () if self._guest.proxies is None else (self._guest.proxies,)

    @property
    def awaits(self) -> bool:
        return self._guest.interface == "asgi"

    def has(self, pages: Literal["health", "metrics"]) -> bool:
        del pages
        return self.serving.ops


class Site(Setup):
    """An App that is to be deployed.

    Args:
        app: the App, which was compiled already.
    """

    def __init__(
        self,
        app: App,
        serving: Serving,
        machine: Machine,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(serving, machine, sources)
        self.app = app

    @cached_property
    def routes(self) -> Sequence[CompiledRoute]:
        """The App's routes."""
        return self.app.__describe__()

    @property
    def guests(self) -> Sequence[tuple[Guest, Place | None]]:
        mounts = Guests.of(self.app.__routes__()).mounts
        return [(guest, mount.place) for mount, guest in mounts]

    @property
    def middleware(self) -> Sequence[object]:
        return self.app.__routes__().middleware

    @property
    def awaits(self) -> bool:
        return True

    def has(self, pages: Literal["health", "metrics"]) -> bool:
        return self.app.__plugin__(pages) is not None

    def everywhere(self, kind: type[T]) -> Iterator[T]:
        known: set[int] = set()
        for each in (*self.middleware, *(it for route in self.routes for it in around(route))):
            if isinstance(each, kind) and id(each) not in known:
                known.add(id(each))
                yield each

    @cached_property
    def page(self) -> CompiledRoute | None:
        """A route that answers with a page, as its annotation says."""
        return next((route for route in self.routes if shows_a_page(route)), None)

    def group(self, kind: type[T]) -> Iterator[T]:
        """What was included of a class."""
        known: set[int] = set()
        for route in self.routes:
            for each in route.entry.scope.inside:
                if isinstance(each, kind) and id(each) not in known:
                    known.add(id(each))
                    yield each


def around(route: CompiledRoute) -> Sequence[object]:
    """All middleware of a route, the outermost first."""
    return (*route.entry.scope.middleware, *several(route.entry.options.get("middleware", ())))


def shows_a_page(route: CompiledRoute) -> bool:
    returns = getattr(route.entry.handler, "__annotations__", {}).get("return")
    name = returns if isinstance(returns, str) else getattr(returns, "__name__", "")
    return any(each in SHOWN for each in name.replace("|", " ").replace("[", " ").split())


def own_sources(folder: Path) -> Mapping[str, str]:
    """The text of what was imported from below a folder, but not of what is installed there."""
    found: dict[str, str] = {}
    for module in list(sys.modules.values()):
        name = getattr(module, "__file__", None)
        if not isinstance(name, str) or not name.endswith(".py"):
            continue
        path = Path(name)
        if "site-packages" in path.parts or not path.is_relative_to(folder):
            continue
        try:
            found[str(path.relative_to(folder))] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
    return found
