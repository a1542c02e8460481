"""Every App that there is: the programs, and the atlas."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from kingpost import App
from tests.needs import need
from tools import assets

ROOT = Path(__file__).parents[3]
PROGRAMS = ROOT / "tests" / "programs"
ATLAS = ROOT / "examples" / "atlas"


def app_of(file: Path) -> App:
    """The App of a program."""
    found = importlib.util.spec_from_file_location(f"corpus_{file.stem}", file)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[module.__name__] = module
    found.loader.exec_module(module)
    app: object = module.app
    assert isinstance(app, App), file
    return app


def atlas(database: Path) -> App:
    """The atlas, with a database of its own."""
    need(assets.are_there(), "htmx", remedy="python -m tools.assets")
    os.environ["ATLAS_DATABASE"] = str(database)
    sys.path.insert(0, str(ATLAS))
    try:
        app = app_of(ATLAS / "app.py")
        # Read while the environment says so, and kept.
        assert app.settings
        return app
    finally:
        sys.path.remove(str(ATLAS))
        for name in [each.stem for each in ATLAS.glob("*.py")]:
            sys.modules.pop(name, None)
        del os.environ["ATLAS_DATABASE"]


def programs() -> Mapping[str, Path]:
    return {
        file.stem: file
        for file in sorted(PROGRAMS.glob("*.py"))
        if not file.stem.startswith(("test_", "_"))
    }
