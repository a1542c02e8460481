"""What a page types at Python's prompt, as a program that the checkers can read."""

from __future__ import annotations

import ast
import doctest
from collections.abc import Mapping
from types import ModuleType

_PARSER = doctest.DocTestParser()
_GIVEN = {
    "urllib": "import urllib.request",
    "app": "from kingpost import App\napp = App()",
    "client": "from kingpost import App\nfrom kingpost.testing import TestClient\nclient = TestClient(App())",
}
"""How a program comes by what the prompts of the reference page know besides our names."""


class _Program(ast.NodeTransformer):
    """The prompt shows a value that a program would not use, and goes on after an exception, which a program does not."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        return node if isinstance(node.value, ast.Call) else _printed(node.value)

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        return node if node.exc is None else _printed(node.exc)


def _printed(value: ast.expr) -> ast.Expr:
    return ast.Expr(ast.Call(ast.Name("print", ast.Load()), [value], []))


def typed_at(prompt: str) -> str:
    """The lines after `>>>` and `...`."""
    tree = ast.parse("".join(example.source for example in _PARSER.get_examples(prompt)))
    return ast.unparse(ast.fix_missing_locations(_Program().visit(tree))) + "\n"


def imports_for(program: str, reference: Mapping[str, ModuleType]) -> str:
    """The lines that bring what a program of the reference page uses and does not make itself."""
    nodes = list(ast.walk(ast.parse(program)))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            made |= {alias.name.partition(".")[0] for alias in node.names}
    lines: list[str] = []
    for name in sorted({node.id for node in names} - made):
        if name in _GIVEN:
            lines.append(_GIVEN[name])
        elif name in reference:
            lines.append(f"from {reference[name].__name__} import {name}")
    return "".join(f"{line}\n" for line in lines)
