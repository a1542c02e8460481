"""Kinds of classes that a user registers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec
import pytest

from kingpost import App
from kingpost.schema import (
    Decoder,
    Describer,
    Model,
    TextReader,
    Type,
    describe,
    register,
    unregister,
)
from kingpost.schema.codec import Decode, Problem, problems_of
from kingpost.testing import TestClient


class Record:
    """A homemade kind: fields are class attributes of type `type`; one may say `hidden`."""

    fields: ClassVar[dict[str, Any]] = {}
    hidden: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **values: Any) -> None:
        if values.get("name") == "nobody":
            raise ValueError("nobody is no name")
        self.__dict__.update(values)


class Person(Record):
    fields: ClassVar[dict[str, Any]] = {"name": str, "age": int, "pin": str}
    hidden = ("pin",)


class RecordCodec:
    """What Kingpost has to know of a Record."""

    family = "record"

    def accepts(self, kind: Any) -> bool:
        return isinstance(kind, type) and issubclass(kind, Record)

    def describe(self, model: Model, describer: Describer) -> None:
        model.fields = tuple(
            describer.field(model, name, kind, required=True, private=name in model.cls.hidden)
            for name, kind in model.cls.fields.items()
        )

    def decoder(self, annotation: Any, kind: Type) -> Decode | None:
        return None

    def construct(self, model: Model, values: dict[str, Any], given: object) -> Any:
        return model.cls(**values)

    def problems(self, model: Model, error: Exception) -> list[Problem]:
        return problems_of(model, error)

    def outgoing(self, model: Model, value: Any, without: frozenset[str]) -> Any:
        return {
            field.alias: getattr(value, field.name)
            for field in model.fields
            if field.name not in without
        }


@pytest.fixture(autouse=True)
def codec() -> Iterator[None]:
    ours = RecordCodec()
    register(ours)
    yield
    unregister(ours)


def test_it_is_read_checked_and_sent_like_the_others() -> None:
    app = App()

    @app.post("/echo")
    def echo(person: Person) -> Person:
        return person

    @app.post("/either")
    def either(person: Person) -> dict[str, Any]:
        return {"person": person}

    with TestClient(app) as browser:
        good = browser.post("/echo", json={"name": "Ada", "age": 36, "pin": "1234"})
        inside = browser.post("/either", json={"name": "Ada", "age": 36, "pin": "1234"})
        wrong = browser.post("/echo", json={"name": 1, "age": "x"})
        nobody = browser.post("/echo", json={"name": "nobody", "age": 1, "pin": ""})

    assert (good.json(), inside.json()) == (
        {"name": "Ada", "age": 36},
        {"person": {"name": "Ada", "age": 36}},
    )
    assert [error["code"] for error in wrong.json()["errors"]] == [
        "not-text",
        "not-an-integer",
        "missing",
    ]
    assert [error["message"] for error in nobody.json()["errors"]] == ["nobody is no name"]


def test_it_is_described_and_read_from_texts() -> None:
    person, errors = TextReader(Person).read(
        {"name": ["Ada"], "age": ["36"], "pin": [""]}, ("form",)
    )

    assert (person.age, person.pin, errors) == (36, "", [])
    assert [field.private for field in describe(Person).fields] == [False, False, True]


def test_it_stands_in_classes_of_other_kinds() -> None:
    class Team(msgspec.Struct):
        lead: Person

    Team.__annotations__["lead"] = Person
    assert Decoder(Team).decode(b'{"lead":{"name":"Ada","age":1,"pin":""}}').lead.name == "Ada"
