"""Decoders and encoders of messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, TypedDict

import attrs
import pydantic
import pytest

from kingpost import Meta, Struct
from kingpost.app.messages import messages_of
from kingpost.errors import ConfigurationError, HTTPError, ValidationError
from kingpost.schema import Private


class Said(Struct):
    text: str
    day: date | None = None


class Hidden(Struct):
    text: str
    secret: Annotated[str, Private()] = "x"


@dataclass
class Point:
    x: int


class Row(TypedDict):
    x: int


@attrs.define
class Box:
    x: int


class Model(pydantic.BaseModel):
    x: int


class Ask(Struct, tag="ask"):
    pass


class Tell(Struct, tag="tell"):
    text: str


class Engine:
    pass


@pytest.mark.parametrize(
    ("kind", "message", "value"),
    [
        (Said, '{"text":"a","day":"2026-03-31"}', Said("a", date(2026, 3, 31))),
        (Point, '{"x":1}', Point(1)),
        (Row, '{"x":1}', {"x": 1}),
        (Box, '{"x":1}', Box(1)),
        (Model, '{"x":1}', Model(x=1)),
        (list[Point], '[{"x":1}]', [Point(1)]),
        (dict[str, int], '{"a":1}', {"a": 1}),
        (Ask | Tell, '{"type":"tell","text":"x"}', Tell("x")),
        (int, "5", 5),
        (Any, '{"a":[null]}', {"a": [None]}),
        (Said | None, "null", None),
        (bytes | Said, '{"text":"a"}', Said("a")),
        (bytes | Said, b"\0", b"\0"),
        (str | bytes, "a", "a"),
        (str | bytes, b"a", b"a"),
        (str, "a", "a"),
        (bytes, b"a", b"a"),
        (Annotated[str, Meta(max_length=3)], "abc", "abc"),
    ],
)
def test_a_message_becomes_a_value(kind: Any, message: str | bytes, value: object) -> None:
    assert messages_of(kind, str).decode(message) == value


@pytest.mark.parametrize(
    ("kind", "message", "status", "code"),
    [
        (Said, '{"text":5}', 422, "validation-failed"),
        (Said, "{", 400, "json.malformed"),
        (Said, "", 400, "json.empty"),
        (Said, '{"text":"\\ud800"}', 400, "json.malformed"),
        (Any, "[" * 65 + "]" * 65, 400, "json.too-deep"),
        (Said, b"{}", 415, "websocket.wrong-kind"),
        (str, b"a", 415, "websocket.wrong-kind"),
        (bytes, "a", 415, "websocket.wrong-kind"),
        (Annotated[str, Meta(max_length=3)], "abcd", 422, "validation-failed"),
        (Annotated[str, Meta(max_length=3)], b"abc", 415, "websocket.wrong-kind"),
    ],
)
def test_a_wrong_message_is_refused(
    kind: Any, message: str | bytes, status: int, code: str
) -> None:
    with pytest.raises(HTTPError) as refused:
        messages_of(kind, str).decode(message)

    assert (refused.value.status, refused.value.code) == (status, code)
    assert "the body" not in refused.value.detail


def test_every_broken_rule_is_told() -> None:
    with pytest.raises(ValidationError) as refused:
        messages_of(list[Said], str).decode('[{"text":5},{}]')

    assert [each["location"] for each in refused.value.errors] == [
        ("message", 0, "text"),
        ("message", 1, "text"),
    ]


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (Said, Said("a"), '{"text":"a","day":null}'),
        (Hidden, Hidden("a"), '{"text":"a"}'),
        (Row, {"x": 1, "y": 2}, '{"x":1}'),
        (Point, Point(1), '{"x":1}'),
        (Model, Model(x=1), '{"x":1}'),
        (Ask | Tell, Ask(), '{"type":"ask"}'),
        (dict, {"a": [1]}, '{"a":[1]}'),
        (Any, [1], "[1]"),
        (Point | None, None, "null"),
        (bytes | Said, b"\0", b"\0"),
        (bytes | Said, Said("a"), '{"text":"a","day":null}'),
        (str, "a", "a"),
        (str | bytes, b"a", b"a"),
        (bytes, bytearray(b"a"), b"a"),
        (bytes, memoryview(b"a"), b"a"),
    ],
)
def test_a_value_becomes_a_message(kind: Any, value: object, message: str | bytes) -> None:
    assert messages_of(str, kind).encode(value) == message


@pytest.mark.parametrize(
    ("kind", "value"),
    [(str, b"a"), (bytes, "a"), (str, 5), (Point, {"y": 1}), (Row, Engine()), (dict, Engine())],
)
def test_what_is_not_declared_is_no_message(kind: Any, value: object) -> None:
    with pytest.raises(ConfigurationError) as refused:
        messages_of(str, kind).encode(value)

    assert refused.value.code == "websocket.wrong-message"


@pytest.mark.parametrize(
    "kind", [Engine, str | Said, str | None, Annotated[bytes, Meta(min_length=1)]]
)
def test_what_no_message_becomes_is_refused(kind: Any) -> None:
    with pytest.raises(TypeError):
        messages_of(kind, str)


def test_a_subclass_of_str_is_sent_as_its_text() -> None:
    class Loud(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "!"

    sent = messages_of(str, str).encode(Loud("a"))

    assert (sent, type(sent)) == ("a", str)


def test_the_words_name_both_types() -> None:
    messages = messages_of(Said, bytes | Said)

    assert messages.words == "Said in, bytes | Said out"
    assert (messages.taken, messages.given, messages.gives_json) == (None, None, True)
    assert messages_of(str, bytes).given is bytes
