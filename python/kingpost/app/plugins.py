"""Plugins: what `app.install` takes, and in which order they are installed.

Rule 1: a plugin is installed as soon as everything that it requires is; so their order does not matter, and what a plugin adds is there
when `install` returns wherever it can be.
Rule 2: what is still waiting when the App is compiled lacks something, and the App does not start.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from kingpost.errors import ConfigurationError
from kingpost.types import Place

if TYPE_CHECKING:
    from kingpost.app.application import App

OURS = {"templates": "from kingpost.templates import Templates; app.install(Templates())"}
"""How the batteries that others require are installed."""


class Plugin(Protocol):
    """What can be installed on an App.

    Attributes:
        name: how others require it; an App has one plugin of a name.
        requires: names of the plugins that it needs.

    Example:
        ```python
        from collections.abc import Sequence

        from kingpost import App

        class Health:
            name = "health"
            requires: Sequence[str] = ()

            def install(self, app: App, /) -> None:
                app.add_route("/health", lambda: "well", inline=True)

        app = App()
        app.install(Health())
        ```
    """

    @property
    def name(self) -> str: ...
    @property
    def requires(self) -> Sequence[str]: ...
    def install(self, app: App, /) -> None:
        """Register what the plugin adds, with the members of the App; called once, when all that it requires is installed."""
        ...


class Given(msgspec.Struct, frozen=True):
    """A plugin that was handed to `app.install`, and where."""

    plugin: Plugin
    place: Place


class Plugins:
    """The plugins of one App."""

    def __init__(self) -> None:
        self._given: dict[str, Given] = {}
        self._waiting: list[Given] = []

    def add(self, plugin: object, place: Place) -> None:
        """Take a plugin.

        Raises:
            ConfigurationError: `plugins.not-a-plugin`; `plugins.twice`.
        """
        given = Given(checked_plugin(plugin, place), place)
        earlier = self._given.setdefault(given.plugin.name, given)
        if earlier is not given:
            raise ConfigurationError(
                f"a plugin called {given.plugin.name!r} is installed already",
                code="plugins.twice",
                remedy="install it once",
                places=[earlier.place, place],
            )
        self._waiting.append(given)

    def named(self, name: str) -> Plugin | None:
        """The plugin of a name, whether it is installed already or waits; None where there is none."""
        given = self._given.get(name)
        return None if given is None else given.plugin

    def install(self, app: App) -> None:
        """Install what has all that it requires, until nothing more has."""
        while (given := next(filter(self._is_ready, self._waiting), None)) is not None:
            # First, since it may install others.
            self._waiting.remove(given)
            given.plugin.install(app)

    def _is_ready(self, given: Given) -> bool:
        waiting = {each.plugin.name for each in self._waiting}
        return all(name in self._given and name not in waiting for name in given.plugin.requires)

    def check(self) -> None:
        """Refuses to go on without what a plugin requires.

        Raises:
            ConfigurationError: `plugins.missing`; `plugins.circle`.
        """
        for given in self._waiting:
            missing = [name for name in given.plugin.requires if name not in self._given]
            if missing:
                raise ConfigurationError(
                    f"the plugin {given.plugin.name!r} requires {' and '.join(map(repr, missing))}, and no plugin is called that",
                    code="plugins.missing",
                    remedy=self._remedy(missing[0]),
                    places=[given.place],
                )
        if self._waiting:
            names = ", ".join(repr(given.plugin.name) for given in self._waiting)
            raise ConfigurationError(
                f"the plugins {names} wait for each other",
                code="plugins.circle",
                remedy="take one of them out of the other's `requires`",
                places=[given.place for given in self._waiting],
            )

    def _remedy(self, name: str) -> str:
        import difflib

        near = difflib.get_close_matches(name, self._given, 1)
        if near:
            return f"require {near[0]!r}"
        return OURS.get(name, f"install one whose `name` is {name!r} as well")


def checked_plugin(plugin: Any, place: Place) -> Plugin:
    if isinstance(plugin, type):
        raise not_a_plugin(f"{plugin.__name__} is a class", f"make one: {plugin.__name__}()", place)
    for member in ("name", "requires", "install"):
        if not hasattr(plugin, member):
            raise not_a_plugin(
                f"{type(plugin).__name__} has no {member}",
                "a plugin has `name`, `requires` and `install(app)`",
                place,
            )
    name, requires = plugin.name, plugin.requires
    if not isinstance(name, str) or not name:
        raise not_a_plugin(f"its name is {name!r}", "its name is text", place)
    if isinstance(requires, str) or not all(isinstance(each, str) for each in requires):
        raise not_a_plugin(
            f"{name!r} requires {requires!r}",
            'write a list of names: requires = ["sessions"]',
            place,
        )
    return plugin  # type: ignore[no-any-return]  # its parts were looked at above


def not_a_plugin(problem: str, remedy: str, place: Place) -> ConfigurationError:
    return ConfigurationError(
        f"this cannot be installed: {problem}",
        code="plugins.not-a-plugin",
        remedy=remedy,
        places=[place],
    )
