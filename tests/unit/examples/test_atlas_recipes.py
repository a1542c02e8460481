"""What the atlas' README says about changing it, done in a copy of its folder."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, invalidate_caches
from pathlib import Path

import pytest

from kingpost import App
from kingpost.testing import TestClient
from tests.needs import need
from tests.unit.examples.test_atlas import ATLAS, BROWSER, MODULES
from tools import assets

PAGE = """

@pages.get("/about", openapi=False)
def about() -> Template:
    return Template("about.html")
"""
TEMPLATE = """{% extends "frame.html" %}
{% block title %}About{% endblock %}
{% block content %}<h1>About the atlas</h1>{% endblock %}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    need(assets.are_there(), "htmx", remedy="python -m tools.assets")
    made = tmp_path / "atlas"
    shutil.copytree(ATLAS, made, ignore=shutil.ignore_patterns("*.db", "__*"))
    monkeypatch.setenv("ATLAS_DATABASE", str(tmp_path / "atlas.db"))
    monkeypatch.syspath_prepend(made)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return made


@contextmanager
def started() -> Iterator[TestClient]:
    invalidate_caches()
    try:
        app: App = import_module("app").app
        with TestClient(app) as client:
            yield client
    finally:
        for name in MODULES:
            sys.modules.pop(name, None)


def change(file: Path, before: str, after: str) -> None:
    """One place of a file, as it is today, with `after` in place of `before`."""
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{file.name} has {text.count(before)} times: {before}"
    file.write_text(text.replace(before, after), encoding="utf-8")


def add_a_column(folder: Path) -> None:
    change(
        folder / "world.py",
        '    number: str = ""\n',
        '    number: str = ""\n    initial: str = ""\n',
    )
    change(folder / "schema.sql", "number text,\n    id", "number text, initial text,\n    id")
    change(
        folder / "making.py", '"number": e.numeric}', '"number": e.numeric, "initial": e.name[0]}'
    )


def test_a_page_is_a_function_and_a_template(folder: Path) -> None:
    with (folder / "pages.py").open("a", encoding="utf-8") as file:
        file.write(PAGE)
    (folder / "templates" / "about.html").write_text(TEMPLATE, encoding="utf-8")

    with started() as atlas:
        page = atlas.get("/about", headers=BROWSER)
        assert (page.status, "<h1>About the atlas</h1>" in page.text) == (200, True)
        assert atlas.get("/languages", headers=BROWSER).status == 200


def test_a_column_is_a_field_a_column_and_a_value(folder: Path, tmp_path: Path) -> None:
    with started():
        pass
    add_a_column(folder)
    names = '("official_name", "kind", "other_code", "number")'
    change(folder / "templates" / "entry.html", names, names.replace(")", ', "initial")'))

    with pytest.raises(SystemExit, match="is older than Entry: delete it"), started():
        pass
    (tmp_path / "atlas.db").unlink()
    with started() as atlas:
        assert atlas.get("/api/countries/CH").json()["initial"] == "S"
        header, first, *_ = atlas.get("/api/countries.csv").text.splitlines()
        assert header.endswith(",number,initial")
        assert first.endswith(",A")
        page = atlas.get("/countries/CH", headers=BROWSER).text
        assert "<dt>Initial</dt><dd>S</dd>" in page


def test_a_filter_is_a_field_a_condition_and_a_list_of_choices(folder: Path) -> None:
    add_a_column(folder)
    world = folder / "world.py"
    change(
        world,
        '    kind: Text = ""\n    page',
        '    kind: Text = ""\n    initial: Text = ""\n    page',
    )
    change(world, '("q", "country", "kind")', '("q", "country", "kind", "initial")')
    change(world, '"kind": wanted.kind}', '"kind": wanted.kind, "initial": wanted.initial}')
    change(
        folder / "find.sql",
        "(kind = :kind or :kind = '')",
        "(kind = :kind or :kind = '') and (initial = :initial or :initial = '')",
    )
    change(
        folder / "pages.py",
        '"kind": world.select(KINDS, [of])}',
        '"kind": world.select(KINDS, [of]),\n        "initial": world.select(KINDS.replace("kind", "initial"), [of])}',
    )

    with started() as atlas:
        found = atlas.get("/api/countries?initial=Z").json()["items"]
        assert [each["name"] for each in found] == ["Zambia", "Zimbabwe"]
        page = atlas.get("/countries?initial=Z", headers=BROWSER).text
        assert '<select name="initial">' in page
        assert "<option selected>Z</option>" in page
        assert "/api/countries.csv?initial=Z" in page


def test_what_may_be_corrected_is_a_field_and_a_name_in_the_form(folder: Path) -> None:
    change(
        folder / "world.py",
        "    number: Text | None = None\n",
        "    number: Text | None = None\n    other_code: Text | None = None\n",
    )
    form = folder / "templates" / "edit.html"
    change(form, '"number")', '"number", "other_code")')

    with started() as atlas:
        assert 'name="other_code"' in atlas.get("/countries/CH/edit", headers=BROWSER).text
        atlas.patch("/api/countries/CH", json={"other_code": "SUI"})
        assert atlas.get("/api/countries/CH").json()["other_code"] == "SUI"
