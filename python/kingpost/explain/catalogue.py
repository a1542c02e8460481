"""Finding entries by their code."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from kingpost.explain.entry import Entry

_SUFFIX = ".md"


def explain(code: str) -> Entry | None:
    """The entry of `code`; None when there is no such code."""
    file = _files().get(code.strip().lower())
    return None if file is None else Entry.parse(file.read_text(encoding="utf-8"))


def codes() -> list[str]:
    """Every code of the catalogue, sorted."""
    return sorted(_files())


def closest(code: str) -> list[str]:
    """At most three codes that look like a mistyped one."""
    return difflib.get_close_matches(code.strip().lower(), _files(), n=3, cutoff=0.5)


@cache
def _files() -> dict[str, Traversable]:
    folder = files("kingpost.explain").joinpath("entries")
    return {
        file.name.removesuffix(_SUFFIX): file
        for file in folder.iterdir()
        if file.name.endswith(_SUFFIX)
    }
