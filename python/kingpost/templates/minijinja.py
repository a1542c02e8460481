"""minijinja as an engine: the same language, rendered by a library in Rust.

It renders no block without its page, so a block is cut out of the source: what is not the block, and neither imports nor defines anything
for it, becomes a comment of as many lines, so that errors name the right one. `super()` has no meaning there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import minijinja

from kingpost.html.escaping import escape_value
from kingpost.templates.engine import (
    EngineOptions,
    Link,
    Look,
    Reference,
    broken_template,
    file_of,
    missing_block,
    missing_template,
)
from kingpost.templates.template import is_escaped
from kingpost.types import Place, short_path

TAG = re.compile(
    r"\{#.*?#\}"
    r"|\{%[-+]?\s*raw\s*[-+]?%\}.*?\{%[-+]?\s*endraw\s*[-+]?%\}"
    r"|\{%[-+]?\s*(?P<word>\w+)\s*(?P<rest>(?:\"[^\"]*\"|'[^']*'|[^\"'])*?)[-+]?%\}"
    r"|\{\{(?P<shown>(?:\"[^\"]*\"|'[^']*'|[^\"'])*?)\}\}",
    re.DOTALL,
)
NAME = re.compile(r"""\s*(["'])(.*?)\1\s*(ignore\s+missing)?""", re.DOTALL)
LINK = re.compile(r"""(?<![\w.])(?:request\.)?url_for\(\s*(["'])(.*?)\1\s*(?:,(.*))?""", re.DOTALL)
STATIC = re.compile(r"(?<![\w.])static\(")
PARAM = re.compile(r"(?:^|,)\s*(\w+)\s*=(?!=)")
BLOCK_OF_CUT = "block-of:"
OPENING = ("block", "for", "if", "with", "filter", "call")
CLOSING = tuple(f"end{word}" for word in OPENING)


class Tag(NamedTuple):
    """`{% word rest %}` of a source."""

    word: str
    rest: str
    start: int
    end: int


class MiniJinja:
    """minijinja behind `Templates`: `Templates(engine=MiniJinja)`.

    Args:
        options: see EngineOptions.

    Attributes:
        environment: minijinja's.
    """

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self._owners: dict[tuple[str, str], str] = {}
        self.environment = minijinja.Environment(
            loader=self._load,
            filters=options.filters,
            globals=options.functions,
            undefined_behavior="strict",
            trim_blocks=True,
            lstrip_blocks=True,
            auto_escape_callback=lambda name: is_escaped(name.rpartition(":")[2]),
            reload_before_render=options.reload,
            finalizer=shown,
        )

    def _file(self, name: str) -> Path:
        file = file_of(name, self._options.folders)
        if file is None:
            raise missing_template(name, self._options.folders)
        return file

    def _source(self, name: str) -> str:
        return self._file(name).read_text(encoding="utf-8")

    def _load(self, name: str) -> str | None:
        if name.startswith(BLOCK_OF_CUT):
            block, _, name = name.removeprefix(BLOCK_OF_CUT).partition(":")
            return self._cut(name, block)
        file = file_of(name, self._options.folders)
        return None if file is None else file.read_text(encoding="utf-8")

    # -- looking

    def look(self, name: str, /) -> Look:
        file = self._file(name)
        source = self._source(name)
        try:
            # Read with its own rules of escaping and undefined names.
            variables = self.environment.undeclared_variables_in_str(source)
        except minijinja.TemplateError as error:
            place = Place(short_path(str(file)), error.line or 0)
            raise broken_template(name, error.detail or error.message, place) from error
        references: list[Reference] = []
        blocks: set[str] = set()
        parent: str | None = None
        is_open = False
        for tag in tags(source):
            if tag.word == "block":
                blocks.add(tag.rest.split()[0])
            elif tag.word in ("extends", "include", "import", "from"):
                found = NAME.match(tag.rest)
                is_open = is_open or found is None
                if found is None:
                    continue
                if tag.word == "extends":
                    parent = found[2]
                if not found[3]:
                    references.append(Reference(found[2], line_at(source, tag.start)))
        return Look(
            file,
            frozenset(variables),
            frozenset(blocks),
            parent,
            tuple(references),
            is_open,
            tuple(links_in(source)),
            tuple(files_in(source)) if "static" in variables else (),
        )

    # -- rendering

    def render(self, name: str, block: str, values: Mapping[str, Any], /) -> str:
        self._file(name)
        whole = name
        if block:
            owner = self._owners.get((name, block)) or self._owner(name, block)
            if not self._options.reload:
                self._owners[name, block] = owner
            name = f"{BLOCK_OF_CUT}{block}:{owner}"
        try:
            return self.environment.render_template(name, **values)
        except minijinja.TemplateError as error:
            self._raise_at_its_line(error, whole)

    def _owner(self, name: str, block: str) -> str:
        """The template of a chain whose block it is."""
        found: set[str] = set()
        seen: list[str] = []
        each: str | None = name
        while each is not None and each not in seen:
            seen.append(each)
            look = self.look(each)
            if block in look.blocks:
                return each
            found |= look.blocks
            each = look.parent
        raise missing_block(name, block, found)

    def _cut(self, name: str, block: str) -> str:
        """The source of a block, behind what its template imports and defines."""
        source = self._source(name)
        found = list(tags(source))
        start, end = inside(found, block)
        body = source[start:end]
        pieces: list[str] = []
        at = 0
        for begin, stop in sorted([(start, end), *tops(found, body)]):
            pieces += ["{#", "\n" * source.count("\n", at, begin), "#}", source[begin:stop]]
            at = stop
        return "".join(pieces)

    def _raise_at_its_line(self, error: minijinja.TemplateError, name: str) -> NoReturn:
        """Raise an error of the engine's where the template has it, for tracebacks show lines of files."""
        at = (error.name or name).rpartition(":")[2]
        file = file_of(at, self._options.folders)
        if file is None or not error.line:
            raise error
        code = compile("\n" * (error.line - 1) + "raise error", str(file), "exec")
        exec(code.replace(co_name=f"template {at}"), {"error": error})  # noqa: S102 - written above
        raise error


@minijinja.pass_state
def shown(state: Any, value: Any) -> Any:
    """A value as a page has it. The library knows of no `__html__` but markupsafe's, and escapes slashes, too."""
    if state.auto_escape != "html":
        return value
    return minijinja.safe(escape_value(value))


def tags(source: str) -> Iterator[Tag]:
    """The tags of a source, without those in comments and in raw text."""
    for found in TAG.finditer(source):
        if found["word"]:
            yield Tag(found["word"], found["rest"], found.start(), found.end())


def inside(found: Iterable[Tag], block: str) -> tuple[int, int]:
    """Where a block begins and ends, without its own tags."""
    begin, depth = -1, 0
    for tag in found:
        if begin < 0:
            if tag.word == "block" and tag.rest.split()[0] == block:
                begin = tag.end
        elif tag.word == "block":
            depth += 1
        elif tag.word == "endblock":
            if depth == 0:
                return begin, tag.start
            depth -= 1
    return 0, 0


def tops(found: Iterable[Tag], body: str) -> Iterator[tuple[int, int]]:
    """Where imports, macros, and assignments of what a block reads stand, outside of all blocks."""
    depth, macro = 0, -1
    for tag in found:
        if tag.word in OPENING:
            depth += 1
        elif tag.word in CLOSING:
            depth -= 1
        elif depth > 0:
            continue
        elif tag.word == "macro":
            macro = tag.start
        elif tag.word == "endmacro":
            yield macro, tag.end
            macro = -1
        elif macro < 0 and (tag.word in ("from", "import") or is_set_for(tag, body)):
            yield tag.start, tag.end


def is_set_for(tag: Tag, body: str) -> bool:
    name, equals, _ = tag.rest.partition("=")
    return (
        tag.word == "set"
        and bool(equals)
        and re.search(rf"\b{re.escape(name.strip())}\b", body) is not None
    )


def links_in(source: str) -> Iterator[Link]:
    """The calls of `url_for` with a constant name."""
    for found in TAG.finditer(source):
        inside = found["shown"] or found["rest"] or ""
        for link in LINK.finditer(inside):
            arguments = (link[3] or "").partition(")")[0]
            # A call within the arguments, or `**`: what the parameters are cannot be told from here.
            is_plain = "(" not in arguments and "**" not in arguments
            params = tuple(PARAM.findall("," + arguments)) if is_plain else None
            yield Link(link[2], params, line_at(source, found.start()))


def files_in(source: str) -> Iterator[int]:
    """The lines in which `static` is called."""
    for found in TAG.finditer(source):
        if STATIC.search(found["shown"] or found["rest"] or ""):
            yield line_at(source, found.start())


def line_at(source: str, index: int) -> int:
    return source.count("\n", 0, index) + 1
