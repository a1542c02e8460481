"""Documents of other media types are held to the limits of JSON."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import msgspec
import pytest

from kingpost import App, Body, limits
from kingpost.errors import BadRequest
from kingpost.http.media import MessagePack
from kingpost.http.media.reading import as_json
from kingpost.testing import TestClient

PACKED = "application/msgpack"


def nested(depth: int, *, as_object: bool = False) -> Any:
    value: Any = None
    for _ in range(depth):
        value = {"a": value} if as_object else [value]
    return value


@pytest.mark.parametrize("as_object", [True, False])
def test_depth_has_the_limit_of_json(as_object: bool) -> None:
    app = App()
    app.extensions.codec(MessagePack())

    @app.post("/")
    def take(body: Annotated[Any, Body()]) -> str:
        return "taken"

    with TestClient(app) as client:
        for depth, code in ((limits.JSON_DEPTH, None), (limits.JSON_DEPTH + 1, "json.too-deep")):
            document = msgspec.msgpack.encode(nested(depth, as_object=as_object))
            answer = client.post("/", content=document, headers={"content-type": PACKED})
            assert (answer.text if code is None else answer.json()["code"]) == (code or "taken")


def test_a_bomb_is_too_deep() -> None:
    with pytest.raises(BadRequest) as refused:
        as_json(MessagePack(), b"\x91" * 500_000 + b"\xc0")
    assert refused.value.code == "json.too-deep"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\xc1",
        b"\x92\x01",
        msgspec.msgpack.encode(float("nan")),
        msgspec.msgpack.encode([1.0, {"a": float("-inf")}]),
        msgspec.msgpack.encode({"a": msgspec.msgpack.Ext(5, b"x")}),
        msgspec.msgpack.encode({(1, 2): "a name that is a list"}),
        b"\x81\xc0\x01",
    ],
)
def test_what_json_has_not_is_malformed(document: bytes) -> None:
    with pytest.raises(BadRequest, match="the body is no application/msgpack") as refused:
        as_json(MessagePack(), document)
    assert refused.value.code == "media.malformed"


@pytest.mark.parametrize(
    ("value", "document"),
    [
        ({"a": [1, None, 2.5]}, b'{"a":[1,null,2.5]}'),
        ({1: "x"}, b'{"1":"x"}'),
        (b"\x00\xff", b'"AP8="'),
        (dt.datetime(2026, 3, 31, tzinfo=dt.UTC), b'"2026-03-31T00:00:00Z"'),
    ],
)
def test_values_as_json_has_them(value: Any, document: bytes) -> None:
    assert as_json(MessagePack(), msgspec.msgpack.encode(value)) == document


def test_a_mistake_of_the_codec_itself_is_not_the_clients() -> None:
    class Broken(MessagePack):
        def decode(self, document: bytes, /) -> Any:
            raise KeyError("x")

    with pytest.raises(KeyError):
        as_json(Broken(), b"")
