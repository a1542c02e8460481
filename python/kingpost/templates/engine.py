"""What an engine of templates can do, and what it knows of a template before it renders one."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import msgspec

from kingpost.errors import ConfigurationError
from kingpost.types import Place, short_path


class EngineOptions(msgspec.Struct, frozen=True):
    """What an engine is made with.

    Attributes:
        folders: where templates are, the first one first.
        reload: whether a file that changes is read anew.
        functions: what every template can call, macros of other files included: `url_for`, `static` and `csp_nonce`.
        filters: by name, as `Templates` was given them.
    """

    folders: tuple[Path, ...]
    reload: bool
    functions: Mapping[str, Callable[..., Any]]
    filters: Mapping[str, Callable[..., Any]]


class Reference(msgspec.Struct, frozen=True):
    """Another template that one names."""

    name: str
    line: int


class Link(msgspec.Struct, frozen=True):
    """A call of `url_for` with a constant name.

    Attributes:
        name: of the route.
        params: the names of its parameters; None where they cannot be known.
        line: counted from 1.
    """

    name: str
    params: tuple[str, ...] | None
    line: int


class Look(msgspec.Struct, frozen=True):
    """What can be known of a template without rendering it.

    Attributes:
        file: where it lies; None where it is no file.
        variables: the names that it reads and does not set.
        blocks: the names of its own blocks.
        parent: the template that it extends; None where there is none, or it is not constant.
        references: the constant names of templates that it extends, includes and imports.
        is_open: whether it names others by what is computed, so that nothing more can be known.
        links: its constant calls of `url_for`.
        files: the lines, counted from 1, in which it calls `static`; none where it has a macro or variable of that name itself.
    """

    file: Path | None
    variables: frozenset[str]
    blocks: frozenset[str]
    parent: str | None = None
    references: tuple[Reference, ...] = ()
    is_open: bool = False
    links: tuple[Link, ...] = ()
    files: tuple[int, ...] = ()

    def place(self, line: int = 0) -> Place:
        return Place("<template>" if self.file is None else short_path(str(self.file)), line)


class Engine(Protocol):
    """What renders templates; `Jinja` is one, `MiniJinja` another."""

    def look(self, name: str, /) -> Look:
        """What is known of a template.

        Raises:
            ConfigurationError: there is none of that name, or it cannot be read.
        """
        ...

    def render(self, name: str, block: str, values: Mapping[str, Any], /) -> str:
        """A page, or one block of it where `block` is not empty.

        Raises:
            ConfigurationError: there is no such template, or no such block.
        """
        ...


MakeEngine: TypeAlias = Callable[[EngineOptions], Engine]
"""What `Templates(engine=…)` takes: the class of an engine, or a function that makes one."""


def missing_template(
    name: str, folders: Sequence[Path], places: Iterable[Place] = ()
) -> ConfigurationError:
    """The error for a name that is no template's."""
    known = [
        file.relative_to(folder).as_posix()
        for folder in folders
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    ]
    near = difflib.get_close_matches(name, known, 1)
    where = " or ".join(short_path(str(folder)) for folder in folders)
    return ConfigurationError(
        f"there is no template {name!r} in {where}",
        code="templates.missing",
        remedy=f"write {near[0]!r}" if near else "write the file, its path below that folder",
        places=tuple(places),
    )


def missing_block(
    name: str, block: str, blocks: Iterable[str], places: Iterable[Place] = ()
) -> ConfigurationError:
    """The error for a block that a template has not."""
    there = sorted(blocks)
    near = difflib.get_close_matches(block, there, 1) or there[:1]
    return ConfigurationError(
        f"the template {name!r} has no block {block!r}; "
        + (f"it has {', '.join(there)}" if there else "it has none"),
        code="templates.no-block",
        remedy=f"write '{name}#{near[0]}'"
        if near
        else f"put {{% block {block} %}} around that part of it",
        places=tuple(places),
    )


def no_static(places: Iterable[Place] = ()) -> ConfigurationError:
    """The error for `static` where no files are served."""
    return ConfigurationError(
        "a template calls static(…), and the App includes no files that it could link to",
        code="templates.no-static",
        remedy='from kingpost.staticfiles import Static; app.include(Static("/static", "static")), with the folder that has them; or '
        "app.include(BrowserAssets()) for htmx.js, icons.svg and simple.css",
        places=tuple(places),
    )


def broken_template(name: str, problem: str, place: Place) -> ConfigurationError:
    """The error for a template that its engine cannot read."""
    return ConfigurationError(
        f"the template {name!r} cannot be read: {problem}",
        code="templates.broken",
        remedy="mend that line",
        places=[place],
    )


def file_of(name: str, folders: Sequence[Path]) -> Path | None:
    """The file of a template; None where there is none. Names never lead out of the folders."""
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\\" in part for part in parts):
        return None
    return next((file for folder in folders if (file := folder.joinpath(*parts)).is_file()), None)


__all__ = [
    "Engine",
    "EngineOptions",
    "Link",
    "Look",
    "MakeEngine",
    "Reference",
    "broken_template",
    "file_of",
    "missing_block",
    "missing_template",
    "no_static",
]
