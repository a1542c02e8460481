"""What `pip install` calls to build the package from its source (PEP 517): maturin, when the files for browsers were fetched.

Where they cannot be fetched, the package is built without them: all but `BrowserAssets` and the page of `OpenAPI` works, and those name the remedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, TypeAlias

from tools import assets, environment
from tools.console import say

Settings: TypeAlias = Mapping[str, Any] | None

# It says nothing of its types.
maturin: Any = import_module("maturin")

build_sdist = maturin.build_sdist
get_requires_for_build_sdist = maturin.get_requires_for_build_sdist
prepare_metadata_for_build_wheel = maturin.prepare_metadata_for_build_wheel
prepare_metadata_for_build_editable = maturin.prepare_metadata_for_build_wheel


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """What maturin needs, and npm where the files are not there and the machine does not have it."""
    needed: list[str] = maturin.get_requires_for_build_wheel(config_settings)
    if assets.are_there() or assets.npm_here() is not None:
        return needed
    return [*needed, *environment.group("assets")]


get_requires_for_build_editable = get_requires_for_build_wheel


def build_wheel(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """Build a wheel and return its name."""
    _fetch()
    built: str = maturin.build_wheel(wheel_directory, config_settings, metadata_directory)
    return built


def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """Build a wheel that leads to this tree, and return its name."""
    _fetch()
    built: str = maturin.build_editable(wheel_directory, config_settings, metadata_directory)
    return built


def _fetch() -> None:
    """Fetch the files where npm is there. Who builds without what was asked for above, as `--no-build-isolation` does, has not asked to have it installed."""
    if assets.are_there() or assets.npm_here() is not None:
        assets.prepare_or_say()
    else:
        say("files for browsers are missing: there is no npm here")
