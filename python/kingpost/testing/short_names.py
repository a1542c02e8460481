"""The fixtures `app`, `client` and `live_server`, for projects where nobody else has them.

pytest-django and pytest-flask have a `client` and a `live_server`; of two plugins' fixtures of one name, pytest takes
the one that was registered last, whichever that is. So ours are registered only where the name is free.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.testing.client import TestClient
    from kingpost.testing.live import LiveServer


@pytest.fixture
def app(request: pytest.FixtureRequest) -> App:
    """The App that `kingpost run` would find."""
    from kingpost.testing.plugin import default_app

    return default_app(request)


@pytest.fixture
def client(kingpost_client: TestClient) -> TestClient:
    """The fixture `kingpost_client`."""
    return kingpost_client


@pytest.fixture
def live_server(kingpost_server: LiveServer) -> LiveServer:
    """The fixture `kingpost_server`."""
    return kingpost_server


_FIXTURES: dict[str, Any] = {"app": app, "client": client, "live_server": live_server}


def fixtures_for(names: Iterable[str]) -> object:
    """A plugin with those of the fixtures."""
    # A module: of other objects pytest takes the fixtures of their class only.
    plugin = ModuleType("kingpost_short_names")
    for name in names:
        setattr(plugin, name, _FIXTURES[name])
    return plugin


def taken_names(plugins: Iterable[object]) -> set[str]:
    """The names of the fixtures that plugins define in their modules or classes."""
    taken: set[str] = set()
    for plugin in plugins:
        for attribute, value in list(getattr(plugin, "__dict__", {}).items()):
            name = _fixture_name(attribute, value)
            if name is not None:
                taken.add(name)
    return taken


def _fixture_name(attribute: str, value: object) -> str | None:
    # pytest < 8.4 marks the function itself; from then on a fixture is an object of a class of its own.
    marker = getattr(value, "_pytestfixturefunction", None) or getattr(
        value, "_fixture_function_marker", None
    )
    if marker is None or "fixture" not in type(marker).__name__.lower():
        return None
    return getattr(marker, "name", None) or attribute
