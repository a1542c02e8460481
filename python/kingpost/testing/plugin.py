"""Fixtures for pytest, found by it without an import.

`kingpost_client` and `kingpost_server` are always there; `client`, `live_server` and `app` only where no other plugin
has a fixture of that name, see `short_names.py`. They test the fixture `app`, and where a project defines none, the App
that `kingpost run` would find.

Imported in every run of pytest where Kingpost is installed, so everything is imported when it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.testing.client import TestClient
    from kingpost.testing.live import LiveServer

SHORT_NAMES = ("app", "client", "live_server")


@pytest.fixture
def kingpost_app(request: pytest.FixtureRequest) -> App:
    """The App under test: the fixture `app`, else the App that `kingpost run` would find."""
    # Asked for by name when the test runs: other plugins look at the names that a test lists, and take an `app` among
    # them for their own framework's.
    from kingpost.app.application import App

    try:
        found: Any = request.getfixturevalue("app")
    except pytest.FixtureLookupError as error:
        if error.argname != "app":
            raise
        found = None
    if isinstance(found, App):
        return found
    if found is not None:
        raise pytest.UsageError(
            f"the fixture `app` gives a {type(found).__name__}, not a Kingpost App: "
            "override the fixture `kingpost_app` to say which App is tested"
        )
    return default_app(request)


@pytest.fixture
def kingpost_client(kingpost_app: App) -> Iterator[TestClient]:
    """A `TestClient` of the App under test; start-up before the test, clean-up after it."""
    from kingpost.testing.client import TestClient

    with TestClient(kingpost_app) as client:
        yield client


@pytest.fixture
def kingpost_server(kingpost_app: App) -> Iterator[LiveServer]:
    """A real server of the App under test on a free port of 127.0.0.1; its address is `.url`."""
    from kingpost.testing.live import LiveServer

    with LiveServer(kingpost_app) as server:
        yield server


def default_app(request: pytest.FixtureRequest) -> App:
    """The App that `kingpost run` would find, looked for in the root folder of the tests."""
    from kingpost.app.application import App
    from kingpost.server.target import find_target, load_target

    return load_target(find_target(None, request.config.rootpath), App)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Adds the short names once every other plugin is there."""
    from kingpost.testing.short_names import fixtures_for, taken_names

    free = [
        name for name in SHORT_NAMES if name not in taken_names(config.pluginmanager.get_plugins())
    ]
    if free:
        config.pluginmanager.register(fixtures_for(free), "kingpost-short-names")
