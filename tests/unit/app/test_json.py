"""What JSON can hold beyond msgspec's own types."""

from collections import ChainMap, UserDict
from typing import Any

import pytest

from kingpost import Html, Secret
from kingpost.app.json import encode_json


class Name(str):
    __slots__ = ()


class Tags(frozenset[str]):
    pass


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (Html("<p>"), b'"<p>"'),
        (Name("x"), b'"x"'),
        (UserDict(a=1), b'{"a":1}'),
        (ChainMap({"a": 1}), b'{"a":1}'),
        ({"a": 1}.keys(), b'["a"]'),
        ({"x": Tags(["a"])}, b'{"x":["a"]}'),
    ],
    ids=repr,
)
def test_relatives_of_plain_types_are_encoded(value: Any, encoded: bytes) -> None:
    assert encode_json(value) == encoded


@pytest.mark.parametrize("value", [object(), Secret("x"), {"key": Secret("x")}, print], ids=repr)
def test_other_objects_are_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        encode_json(value)
