"""Page 0 of the tutorial has the Python of pages 1 to 3: all of it, and nothing else."""

from __future__ import annotations

import ast
import doctest
from pathlib import Path

from tests.docs.markdown import ROOT, blocks_of

TUTORIAL = ROOT / "docs" / "tutorial"
PAGES = ("1-first-page.md", "2-reading-input.md", "3-returning-things.md")
EXPLAINED_THERE = {"Yield", "range()"}
# The parts of every program, which nobody looks at as such.
GRAMMAR = {"Module", "Expr", "Load", "Store", "Name", "Constant", "arguments", "arg", "alias"}


def used_on(page: Path) -> set[str]:
    """The kinds of syntax, the built-in functions and the methods of values that a page's programs use."""
    used: set[str] = set()
    for block in blocks_of(page):
        if block.language == "pycon":
            sources = [each.source for each in doctest.DocTestParser().get_examples(block.text)]
        elif block.language == "python":
            sources = [block.text]
        else:
            sources = []
        for source in sources:
            tree = ast.parse(source)
            for node in ast.walk(tree):
                used |= named(node)
    return used - GRAMMAR


def named(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        name = node.func.id
        # Classes are called too: those are Kingpost's, or the reader's own.
        return {"Call"} if name[0].isupper() else {"Call", f"{name}()"}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        of = node.func.value
        if isinstance(of, ast.Name) and (
            of.id == "app" or (of.id[0].isupper() and of.id != of.id.upper())
        ):
            return {"Call"}
        return {"Call", f".{node.func.attr}()"}
    return {type(node).__name__}


def test_it_has_everything_that_the_next_pages_use() -> None:
    shown = used_on(TUTORIAL / "0-python.md")
    for page in PAGES:
        assert used_on(TUTORIAL / page) - shown - EXPLAINED_THERE == set(), page


def test_it_has_nothing_else() -> None:
    used = set[str]().union(*(used_on(TUTORIAL / page) for page in PAGES))
    # What one needs at the prompt to see anything and to see an error, and what goes with `not in` and `if`.
    prompt = {"print()", "int()", "list()", "describe()", "total()", "In", "Lt"}
    assert used_on(TUTORIAL / "0-python.md") - used - prompt == set()
