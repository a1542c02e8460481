"""A folder of templates, and an App that renders them with either engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kingpost import App
from kingpost.templates import MakeEngine, Templates
from kingpost.templates.jinja import Jinja
from kingpost.templates.minijinja import MiniJinja

Write = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where templates are."""
    (tmp_path / "pages").mkdir()
    return tmp_path / "pages"


@pytest.fixture
def write(folder: Path) -> Write:
    """Writes templates, by their names without `.html`."""

    def write(**sources: str) -> None:
        for name, source in sources.items():
            (folder / f"{name}.html").write_text(source, encoding="utf-8")

    return write


@pytest.fixture(params=[Jinja, MiniJinja], ids=["jinja", "minijinja"])
def engine(request: pytest.FixtureRequest) -> MakeEngine:
    """Each engine in turn."""
    made: MakeEngine = request.param
    return made


@pytest.fixture
def app(folder: Path, engine: MakeEngine) -> App:
    """An App whose templates are rendered by the engine."""
    made = App()
    made.install(templates(folder, engine))
    return made


def templates(folder: Path, engine: MakeEngine | None = None, **options: Any) -> Templates:
    return Templates(folder, engine=engine, **options)
