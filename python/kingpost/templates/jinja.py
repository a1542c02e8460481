"""Jinja2 as an engine.

Values are escaped, names that were not given are errors, a tag on a line of its own leaves no empty line. A block is rendered without its page: what the page imports, defines and sets at
its top is there for the block, as far as the block reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import meta, nodes
from jinja2.runtime import Context

from kingpost.templates.engine import (
    EngineOptions,
    Link,
    Look,
    Reference,
    broken_template,
    missing_block,
    missing_template,
)
from kingpost.templates.template import is_escaped
from kingpost.types import Place, short_path

IMPORTS = (nodes.Import, nodes.FromImport, nodes.Macro)
SETS = (nodes.Assign, nodes.AssignBlock)
REFERENCES: tuple[type[Any], ...] = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)


class Jinja:
    """The engine behind `Templates`, if none is said.

    Args:
        options: see EngineOptions.
        extensions: Jinja's own, such as `"jinja2.ext.loopcontrols"`.

    Attributes:
        environment: Jinja's, to add tests or to change what it does.

    Example:
        `Templates(engine=lambda options: Jinja(options, extensions=["jinja2.ext.do"]))`
    """

    def __init__(self, options: EngineOptions, *, extensions: Sequence[str] = ()) -> None:
        self._options = options
        self._loader = jinja2.FileSystemLoader(options.folders)
        self.environment = jinja2.Environment(
            loader=self._loader,
            autoescape=lambda name: name is None or is_escaped(name),  # noqa: S701 - all but plain text is
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=options.reload,
            extensions=extensions,
        )
        self.environment.globals.update(options.functions)
        self.environment.filters.update(options.filters)
        self._parents: dict[str, tuple[jinja2.Template, str | None]] = {}
        self._tops: dict[tuple[str, str], tuple[jinja2.Template, jinja2.Template | None]] = {}

    # -- looking

    def look(self, name: str, /) -> Look:
        file, tree = self._parsed(name)
        references: list[Reference] = []
        is_open = False
        for node in tree.find_all(REFERENCES):
            template: nodes.Expr = node.template
            names = constants(template)
            is_open = is_open or names is None
            # `{% include "a.html" ignore missing %}` says itself that there may be none.
            if not getattr(node, "ignore_missing", False) and not isinstance(
                template, nodes.List | nodes.Tuple
            ):
                references += [Reference(each, node.lineno) for each in names or ()]
        extends = tree.find(nodes.Extends)
        parents = constants(extends.template) if extends is not None else None
        return Look(
            file,
            frozenset(meta.find_undeclared_variables(tree)),
            frozenset(block.name for block in tree.find_all(nodes.Block)),
            parents[0] if parents else None,
            tuple(references),
            is_open,
            tuple(links_of(tree)),
            tuple(files_of(tree)),
        )

    def _parsed(self, name: str) -> tuple[Path, nodes.Template]:
        try:
            source, file, _ = self._loader.get_source(self.environment, name)
        except jinja2.TemplateNotFound as error:
            raise missing_template(name, self._options.folders) from error
        try:
            return Path(file), self.environment.parse(source, name, file)
        except jinja2.TemplateSyntaxError as error:
            place = Place(short_path(file), error.lineno)
            raise broken_template(name, error.message or "it is no template", place) from error

    # -- rendering

    def render(self, name: str, block: str, values: Mapping[str, Any], /) -> str:
        try:
            template = self.environment.get_template(name)
        except jinja2.TemplateNotFound as error:
            raise missing_template(str(error.name or name), self._options.folders) from error
        if not block:
            return template.render(values)
        chain = list(self._chain(template))
        context = template.new_context(dict(values))
        for parent in chain[1:]:
            for own, function in parent.blocks.items():
                context.blocks.setdefault(own, []).append(function)
        if block not in context.blocks:
            raise missing_block(name, block, context.blocks)
        try:
            for each in chain:
                self._run_top(each, block, context)
            return self.environment.concat(context.blocks[block][0](context))
        except Exception:  # noqa: BLE001 - it is raised again
            # Jinja gives the traceback the template's own lines.
            self.environment.handle_exception()

    def _chain(self, template: jinja2.Template) -> Iterator[jinja2.Template]:
        """A template, the one that it extends, and so on, as far as their names are constant."""
        seen: set[str | None] = set()
        while template.name not in seen:
            yield template
            seen.add(template.name)
            parent = self._parent(template)
            if parent is None:
                return
            template = self.environment.get_template(parent, template.name)

    def _parent(self, template: jinja2.Template) -> str | None:
        # Jinja makes a new object of a file that has changed.
        known = self._parents.get(template.name or "")
        if known is None or known[0] is not template:
            extends = self._parsed(template.name or "")[1].find(nodes.Extends)
            names = constants(extends.template) if extends is not None else None
            known = self._parents[template.name or ""] = (template, names[0] if names else None)
        return known[1]

    def _run_top(self, template: jinja2.Template, block: str, context: Context) -> None:
        key = (template.name or "", block)
        known = self._tops.get(key)
        if known is None or known[0] is not template:
            known = self._tops[key] = (template, self._top(template, block))
        if known[1] is not None:
            for _ in known[1].root_render_func(context):
                pass

    def _part(self, body: list[nodes.Node]) -> nodes.Template:
        part = nodes.Template(body, lineno=1)
        part.set_environment(self.environment)
        return part

    def _top(self, template: jinja2.Template, block: str) -> jinja2.Template | None:
        """A template that has of another the imports, macros and assignments at its top; None where there are none."""
        file, tree = self._parsed(template.name or "")
        bodies = [found.body for found in tree.find_all(nodes.Block) if found.name == block]
        wanted = {
            name for body in bodies for name in meta.find_undeclared_variables(self._part(body))
        }
        kept: list[nodes.Node] = []
        for node in reversed(tree.body):
            if isinstance(node, IMPORTS) or (
                isinstance(node, SETS) and wanted & {name.name for name in names_set(node)}
            ):
                kept.insert(0, node)
                wanted |= meta.find_undeclared_variables(self._part([node]))
        if not kept:
            return None
        code = self.environment.compile(self._part(kept), template.name, str(file))
        return jinja2.Template.from_code(self.environment, code, self.environment.globals, None)


def names_set(node: nodes.Assign | nodes.AssignBlock) -> Iterator[nodes.Name]:
    """The names that `{% set %}` gives a value."""
    target: nodes.Node = node.target
    if isinstance(target, nodes.Name):
        yield target
    else:
        yield from target.find_all(nodes.Name)


def constants(node: nodes.Node) -> list[str] | None:
    """The names that an expression for templates stands for; None where they are computed."""
    if isinstance(node, nodes.Const):
        return [node.value] if isinstance(node.value, str) else None
    if isinstance(node, nodes.List | nodes.Tuple):
        found = [constants(item) for item in node.items]
        return [name for names in found for name in names or ()] if None not in found else None
    return None


def links_of(tree: nodes.Template) -> Iterator[Link]:
    """The calls of `url_for`, of the template's own or the request's, whose name is constant."""
    for call in tree.find_all(nodes.Call):
        if not is_url_for(call.node) or not call.args or not isinstance(call.args[0], nodes.Const):
            continue
        name = call.args[0].value
        if isinstance(name, str):
            params = None if call.dyn_kwargs else tuple(each.key for each in call.kwargs)
            yield Link(name, params, call.lineno)


def files_of(tree: nodes.Template) -> Iterator[int]:
    """The lines in which `static` is called, where the template has no `static` of its own."""
    if "static" not in names_defined(tree):
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "static":
                yield call.lineno


def names_defined(tree: nodes.Template) -> set[str]:
    """The names that a template gives a meaning: its variables, parameters, macros and imports, wherever they stand."""
    found = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    found |= {macro.name for macro in tree.find_all(nodes.Macro)}
    found |= {each.target for each in tree.find_all(nodes.Import)}
    for each in tree.find_all(nodes.FromImport):
        found |= {name if isinstance(name, str) else name[1] for name in each.names}
    return found


def is_url_for(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Name):
        return node.name == "url_for"
    return (
        isinstance(node, nodes.Getattr)
        and node.attr == "url_for"
        and isinstance(node.node, nodes.Name)
        and node.node.name == "request"
    )
