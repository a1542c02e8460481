"""What `kingpost` itself offers."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import kingpost
import kingpost.errors

# Names of types of functions: an alias does not know its own.
ALIASES = {"CallNext", "SyncCallNext"}


def test_the_names_are_few_and_sorted() -> None:
    assert len(kingpost.__all__) <= 45
    assert kingpost.__all__ == sorted(kingpost.__all__)


@pytest.mark.parametrize("name", kingpost.__all__)
def test_every_name_is_there(name: str) -> None:
    thing = getattr(kingpost, name)
    assert name in ALIASES or thing.__name__ == name
    assert name in dir(kingpost)


def test_checkers_and_python_see_the_same_names() -> None:
    tree = ast.parse(Path(kingpost.__file__).read_text(encoding="utf-8"))
    for_checkers = {
        (alias.name, node.module)
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert for_checkers == set(kingpost._HOMES.items())
    assert sorted(kingpost._HOMES) == kingpost.__all__


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'WebSession'"):
        kingpost.WebSession  # type: ignore[attr-defined]  # noqa: B018 - the mistake itself


def test_the_package_alone_imports_nothing_else() -> None:
    program = "import kingpost, sys; print([m for m in sys.modules if m.startswith('kingpost.')])"

    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_the_public_errors_are_the_exceptions_and_the_types_they_speak_of() -> None:
    defined = {
        name
        for name, thing in vars(kingpost.errors).items()
        if isinstance(thing, type)
        and issubclass(thing, Exception)
        and thing.__module__ == "kingpost.errors"
    }

    assert set(kingpost.errors.__all__) == defined | {"FieldError", "SourcePlace"}
    assert kingpost.errors.__all__ == sorted(kingpost.errors.__all__)
