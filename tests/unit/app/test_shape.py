"""What a return annotation lets through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Any, Generic, TypedDict, TypeVar

import msgspec
import pytest
from msgspec import Struct

from kingpost.app.shape import shape_of

T = TypeVar("T")


class Person(Struct):
    name: str


class Employee(Person, kw_only=True):
    salary: int = 5


class Pet(Struct, tag=True):
    name: str


class Cat(Struct, tag=True):
    name: str


class Secretive(Cat, tag="Cat", kw_only=True):
    chip: int = 9


class Page(Struct, Generic[T]):
    items: list[T]


class BigPage(Page[Person], kw_only=True):
    secret: int = 1


@dataclass
class Point:
    x: int


@dataclass
class Point3(Point):
    z: int = 3


class Options(TypedDict):
    colour: str


def shaped(annotation: Any, value: Any) -> Any:
    shape = shape_of(annotation)
    assert shape is not None
    return msgspec.to_builtins(shape(value))


@pytest.mark.parametrize(
    ("annotation", "value", "sent"),
    [
        (Person, Person("a"), {"name": "a"}),
        (Person, Employee("a"), {"name": "a"}),
        (Person, {"name": "a", "salary": 5}, {"name": "a"}),
        (Person, MappingProxyType({"name": "a", "salary": 5}), {"name": "a"}),
        (Person, SimpleNamespace(name="a", salary=5), {"name": "a"}),
        (Point, Point3(1), {"x": 1}),
        (Options, {"colour": "red", "secret": 1}, {"colour": "red"}),
        (list[Person], [Person("a"), Employee("b")], [{"name": "a"}, {"name": "b"}]),
        (list[Person], [Person("a")], [{"name": "a"}]),
        (list[Options], [{"colour": "red", "secret": 1}], [{"colour": "red"}]),
        (tuple[Person, ...], (Employee("a"),), [{"name": "a"}]),
        (dict[str, Person], {"x": Employee("a")}, {"x": {"name": "a"}}),
        (Mapping[str, list[Person]], {"x": [Employee("a")]}, {"x": [{"name": "a"}]}),
        (Person | None, Employee("a"), {"name": "a"}),
        (Person | str, "text", "text"),
        (Person | Point, Employee("a"), {"name": "a"}),
        (Person | Point, Point3(1), {"x": 1}),
        (Person | list[Person], [Employee("a")], [{"name": "a"}]),
        (Person | list[Person], {"name": "a", "salary": 1}, {"name": "a"}),
        (Cat | Pet, Secretive("a"), {"type": "Cat", "name": "a"}),
        (Cat | Pet, Cat("a"), {"type": "Cat", "name": "a"}),
        (list[Person] | None, [Employee("a")], [{"name": "a"}]),
        (Page[Person], Page([Person("a")]), {"items": [{"name": "a"}]}),
        (Page[Person], BigPage([Person("a")]), {"items": [{"name": "a"}]}),
    ],
    ids=repr,
)
def test_only_the_fields_of_the_annotation_are_sent(
    annotation: Any, value: Any, sent: object
) -> None:
    assert shaped(annotation, value) == sent


@pytest.mark.parametrize(
    "annotation",
    [int, str, dict, dict[str, Any], list, list[int], int | str, Any, object, None],
    ids=str,
)
def test_without_a_model_there_is_nothing_to_filter_by(annotation: Any) -> None:
    assert shape_of(annotation) is None


def test_a_value_of_the_class_is_not_copied() -> None:
    shape, value = shape_of(Person), Person("a")
    many = [value]
    several = shape_of(list[Person])

    assert shape is not None
    assert several is not None
    assert shape(value) is value
    assert several(many) is many


def test_what_could_be_either_is_not_sent_at_all() -> None:
    shape = shape_of(Person | Employee)
    assert shape is not None

    with pytest.raises(TypeError):
        shape({"name": "a", "secret": 1})
