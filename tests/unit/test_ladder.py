"""What import-linter cannot see of the ladder in pyproject.toml."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "python" / "kingpost"


def names_from_the_top(file: Path) -> Iterator[str]:
    """The names that a module takes from `kingpost` itself."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "kingpost" and node.level == 0:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name == "kingpost")


@pytest.mark.parametrize(
    "file",
    [pytest.param(file, id=str(file.relative_to(PACKAGE))) for file in PACKAGE.rglob("*.py")],
)
def test_no_module_imports_what_the_package_collects(file: Path) -> None:
    """`kingpost/__init__.py` stands above the ladder: below it names come from where they are made."""
    submodules = {"_native", *(entry.stem for entry in PACKAGE.iterdir())}

    assert set(names_from_the_top(file)) - submodules == set()
