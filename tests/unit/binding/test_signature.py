"""Signatures with their annotations resolved."""

# ruff: noqa: ANN001, ANN201, F821 - signatures that users write, right and wrong

from __future__ import annotations

import functools
import re
import typing
from collections.abc import Callable
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Generic,
    Literal,
    Never,
    NewType,
    ParamSpec,
    TypeVar,
)

import pytest

from kingpost.binding.signature import EMPTY, names_for_checkers, signature_of
from kingpost.errors import SignatureError

if TYPE_CHECKING:
    from decimal import Decimal

T = TypeVar("T")
P = ParamSpec("P")


class Box(Generic[P]): ...


def plain(a: int, b: str = "x", *, c: float = 1.5) -> str:
    return ""


async def waiting(a: Annotated[int, "meta"]) -> None: ...


@functools.wraps(plain)
def wrapped(*args: Any, **named: Any) -> Any:
    return plain(*args, **named)


class Called:
    def __call__(self, a: int) -> bytes:
        return b""

    def method(self, a: int) -> int:
        return a


def bare(a, b=1):  # type: ignore[no-untyped-def]  # without annotations on purpose
    return a


def later(a: Nowhere) -> str:  # type: ignore[name-defined]  # a name that does not exist, on purpose
    return ""


def checked(a: Decimal) -> str:
    return ""


def broken(a: int[5]) -> str:  # type: ignore[type-arg]  # the mistake itself
    return ""


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (plain, "plain(a: int, b: str = 'x', c: float = 1.5) -> str"),
        (wrapped, "plain(a: int, b: str = 'x', c: float = 1.5) -> str"),
        (functools.partial(plain, 1), "partial(b: str = 'x', c: float = 1.5) -> str"),
        (Called(), "Called(a: int) -> bytes"),
        (Called().method, "method(a: int) -> int"),
        (bare, "bare(a, b=1)"),
        (waiting, "waiting(a: Annotated[int, 'meta']) -> None"),
    ],
    ids=["plain", "wrapped", "partial", "object", "method", "bare", "async"],
)
def test_a_signature_is_written_as_it_stands_in_the_source(function: Any, text: str) -> None:
    assert str(signature_of(function)) == text


def test_what_is_not_annotated_is_empty() -> None:
    signature = signature_of(bare)

    assert [parameter.annotation for parameter in signature.parameters] == [EMPTY, EMPTY]
    assert signature.returns is EMPTY


def test_the_place_is_the_line_of_the_function() -> None:
    assert signature_of(functools.partial(plain)).place.line == plain.__code__.co_firstlineno


@pytest.mark.parametrize(
    ("function", "code", "remedy"),
    [
        (later, "binding.unresolved-name", "import Nowhere, or define it at the top level of the module"),
        (checked, "binding.unresolved-name", "import Decimal outside of `if TYPE_CHECKING:`"),
        (broken, "binding.bad-annotation", "mend the annotation"),
        (max, "binding.no-signature", "write a def"),
    ],
    ids=["missing", "for checkers", "broken", "built in"],
)  # fmt: skip
def test_what_cannot_be_resolved_is_refused_with_the_remedy(
    function: Any, code: str, remedy: str
) -> None:
    with pytest.raises(SignatureError) as refused:
        signature_of(function)

    assert refused.value.code == code
    assert refused.value.remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("annotation", "words", "remedy"),
    [
        ([int], "[int] is no type", "list[int]"),
        ([], "[] is no type", "list"),
        ({int, str}, "is no type", "set["),
        ((int, str), "(int, str) is no type", "tuple[int, str]"),
        ((), "() is no type", "tuple"),
        ({}, "{} is no type", "a Struct that has these fields"),
        ({"a": int}, "is no type", "a Struct that has these fields"),
        (5, "5 is no type", "int"),
        (..., "... is no type", "a class"),
        (any, "any is no type", "Any, of typing"),
        (plain, "plain is no type", "a class"),
        (functools, "functools is no type", "a class of it, such as functools.Name"),
        (list[[int]], "[int] is no type", "list[int]"),  # type: ignore[misc, valid-type]  # the mistake itself
        (Annotated[list[5], "meta"], "5 is no type", "int"),  # type: ignore[valid-type]  # the mistake itself
        (Literal[[]], "[] is no type", "list"),  # type: ignore[valid-type]  # the mistake itself
    ],
    ids=repr,
)
@pytest.mark.parametrize("name", ["a", "return"])
def test_values_that_stand_in_the_place_of_types_are_refused(
    annotation: Any, words: str, remedy: str, name: str
) -> None:
    def handler(a: Any) -> None: ...

    handler.__annotations__ = {name: annotation}

    with pytest.raises(SignatureError, match=re.escape(words)) as refused:
        signature_of(handler)

    assert refused.value.code == "binding.bad-annotation"
    assert (refused.value.remedy or "").startswith(f"write {remedy}")
    assert refused.value.places[0].line == handler.__code__.co_firstlineno


@pytest.mark.parametrize(
    "annotation",
    [
        *(None, Any, object, T, list[T], Box[int], Box[[int, str]], tuple[int, ...], Never),  # type: ignore[type-arg, misc]  # as written
        *(Callable[[int], str], Callable[..., str], typing.Callable[[int], str]),
        *(Literal["a", 5], Annotated[int, {"a": []}], NewType("Id", int), int | None, type[int]),
    ],
    ids=repr,
)
def test_all_kinds_of_types_are_types(annotation: Any) -> None:
    def handler() -> None: ...

    handler.__annotations__["return"] = annotation

    assert signature_of(handler).returns in (annotation, type(None))


def test_a_file_that_is_no_python_any_more_names_nothing(tmp_path: Path) -> None:
    file = tmp_path / "edited.py"
    file.write_text("def (")

    assert names_for_checkers(str(file)) == set()
