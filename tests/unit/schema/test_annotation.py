"""Annotations taken apart."""

# ruff: noqa: UP045 - users write Optional

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NewType, Optional, TypedDict, TypeVar

import pytest
from msgspec import Meta, Struct

from kingpost.schema.annotation import bare, is_model_class, list_of, spelled
from kingpost.schema.rules import Rules

T = TypeVar("T")
Id = NewType("Id", int)


class Page(Struct, Generic[T]):
    items: list[T]


@dataclass
class Point:
    x: int


class Options(TypedDict):
    colour: str


class Alias:
    """What `type Name = int` of Python 3.12 makes."""

    __value__ = int


Alias.__name__ = "TypeAliasType"


@pytest.mark.parametrize(
    ("annotation", "kind", "is_optional"),
    [
        (int, int, False),
        (int | None, int, True),
        (Optional[int], int, True),
        (Annotated[int, "x"], int, False),
        (Annotated[int | None, "x"], int, True),
        (Annotated[int, "x"] | None, int, True),
        (Id, int, False),
        (list[int] | None, list[int], True),
        (int | str | None, int | str, True),
        (None, None, False),
        (Alias(), int, False),
    ],
    ids=str,
)
def test_wrappers_are_taken_off(annotation: Any, kind: Any, is_optional: bool) -> None:
    stripped = bare(annotation)

    assert (stripped.type, stripped.is_optional) == (kind, is_optional)


def test_metas_are_joined_and_the_outermost_wins() -> None:
    inner = Annotated[int, Meta(ge=1, le=5)]

    assert bare(Annotated[inner | None, Meta(ge=2)]).rules == Rules(ge=2, le=5)


@pytest.mark.parametrize(
    ("annotation", "found"),
    [
        (list[int], (list, int)),
        (list, (list, Any)),
        (set[str], (set, str)),
        (frozenset[str], (frozenset, str)),
        (tuple[int, ...], (tuple, int)),
        (Sequence[int], (list, int)),
        (Iterable[int], (list, int)),
        (tuple[int, str], None),
        (dict[str, int], None),
        (int, None),
        (5, None),
        ([], None),
    ],
    ids=str,
)
def test_lists_have_a_container_and_an_item(annotation: Any, found: object) -> None:
    assert list_of(annotation) == found


@pytest.mark.parametrize(
    ("annotation", "is_model"),
    [(Page, True), (Page[int], True), (Point, True), (Options, True), (dict, False), (5, False)],
    ids=str,
)
def test_models_have_named_fields(annotation: Any, is_model: bool) -> None:
    assert is_model_class(annotation) is is_model


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (int, "int"),
        (None, "None"),
        (type(None), "None"),
        (Point, "Point"),
        (list[int], "list[int]"),
        (int | None, "int | None"),
        (Optional[int], "int | None"),
        (Page[Point] | list[Point], "Page[Point] | list[Point]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (Literal["a", 1], "Literal['a', 1]"),
        (Annotated[Point, Meta(ge=1)], "Annotated[Point, Meta(ge=1)]"),
        (Sequence[str], "Sequence[str]"),
        (Any, "Any"),
        (Callable[[int], str], "Callable[[int], str]"),
        ((int, [str]), "(int, [str])"),
        (types, "types"),
    ],
    ids=str,
)
def test_an_annotation_is_spelled_as_a_person_would(annotation: Any, text: str) -> None:
    assert spelled(annotation) == text
