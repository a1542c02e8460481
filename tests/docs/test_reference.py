"""The reference is what the docstrings say, and has every public name."""

from __future__ import annotations

import importlib
import re
import runpy
from typing import Any

import pytest

from kingpost import _native
from kingpost.schema.problems import SENTENCES
from kingpost.server.options import limits_of
from tests.docs.markdown import ROOT

REFERENCE = ROOT / "docs" / "reference"


@pytest.fixture(scope="module")
def generator() -> dict[str, Any]:
    return runpy.run_path(str(REFERENCE / "generate.py"))


def test_its_pages_are_up_to_date(generator: dict[str, Any]) -> None:
    for name, text in generator["pages"]().items():
        written = (REFERENCE / name).read_text(encoding="utf-8")
        assert written == text, f"run: python docs/reference/generate.py ({name})"


def test_every_public_name_is_there(generator: dict[str, Any]) -> None:
    page = (REFERENCE / "names.md").read_text(encoding="utf-8")
    for module in generator["MODULES"]:
        for name in importlib.import_module(module).__dict__.get("__all__", ()):
            assert f"### {module}.{name}\n" in page


def test_every_package_with_public_names_is_there(generator: dict[str, Any]) -> None:
    packages = {
        "kingpost." + folder.parent.name
        for folder in (ROOT / "python" / "kingpost").glob("*/__init__.py")
        if "__all__ = [" in folder.read_text(encoding="utf-8")
    }
    assert packages - {"kingpost.explain"} <= set(generator["MODULES"])


def test_every_public_name_says_what_it_is(generator: dict[str, Any]) -> None:
    for module in generator["MODULES"]:
        for name in generator["names_of"](module):
            thing = getattr(importlib.import_module(module), name)
            # An alias has its words in the source, below it.
            words = getattr(thing, "__doc__", None) or "".join(generator["alias"](name))
            assert words.strip(), f"{module}.{name}"


def test_every_code_of_a_value_is_in_the_table() -> None:
    files = (ROOT / "python" / "kingpost" / "schema").glob("*.py")
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    given = re.findall(r'(?:yield |_fail\([^"\n]*|Refused\()"([a-z]+(?:-[a-z]+)+)"', source)
    page = (ROOT / "docs" / "howto" / "models.md").read_text(encoding="utf-8")
    table = page.partition("## Codes of values")[2].partition("\n## ")[0]
    first_cells = re.findall(r"^\| (`.*?) \|", table, flags=re.MULTILINE)
    assert set(re.findall(r"`(.+?)`", " ".join(first_cells))) == {*SENTENCES, *given}


def can_be_set(limit: str) -> bool:
    try:
        limits_of([f"{limit}={_native.LIMITS[limit]}"])
    except ValueError:
        return False
    return True


def test_every_limit_that_can_be_set_is_explained() -> None:
    page = (ROOT / "docs" / "howto" / "limits.md").read_text(encoding="utf-8")
    paragraphs = re.findall(r"^\* (\*\*`.+)", page, flags=re.MULTILINE)
    explained = [name for text in paragraphs for name in re.findall(r"\*\*`(\w+)`\*\*", text)]
    assert sorted(explained) == sorted(filter(can_be_set, _native.LIMITS))
