"""What a return annotation tells of the answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any, Literal

import pytest

from kingpost import Html, Redirect, Response, Struct
from kingpost.app.encoding import Encoding, encoding_of, stream_media_type
from kingpost.binding.signature import EMPTY


class Person(Struct):
    name: str


@pytest.mark.parametrize(
    ("returns", "native", "words"),
    [
        (EMPTY, "dynamic", "by the value's type"),
        (Any, "dynamic", "by the value's type"),
        (None, "empty", "nothing (204)"),
        (str, "text", "text/plain; charset=utf-8"),
        (Html, "html", "text/html; charset=utf-8"),
        (bytes, "bytes", "application/octet-stream"),
        (dict[str, int], "json", "application/json"),
        (list, "json", "application/json"),
        (float, "json", "application/json"),
        (dt.date, "answer", "application/json: date"),
        (Literal["a", "b"], "answer", "application/json: Literal['a', 'b']"),
        (Person | None, "answer", "by the value's type: Person | None"),
        (Redirect | str, "answer", "by the value's type: Redirect | str"),
        (Response[Person], "dynamic", "as the Response says"),
        (Redirect, "dynamic", "as the Redirect says"),
        (Iterator[str], "answer", "a stream, text/plain; charset=utf-8"),
        (Generator[Person, None, None], "answer", "a stream, application/x-ndjson"),
        (AsyncIterator[Any], "answer", "a stream, by its first item"),
        (Iterator, "answer", "a stream, by its first item"),
    ],
    ids=str,
)
def test_an_annotation_chooses_the_encoder(returns: Any, native: str, words: str) -> None:
    encoding = encoding_of(returns)

    assert (encoding.native, encoding.words) == (native, words)


def test_a_model_has_an_encoder_of_its_own() -> None:
    encoding = encoding_of(list[Person])

    assert callable(encoding.native)
    assert encoding.native([Person("a")]) == b'[{"name":"a"}]'
    assert encoding.words == "application/json: the fields of list[Person]"


@pytest.mark.parametrize(
    ("item", "media_type"),
    [
        (bytes, "application/octet-stream"),
        (Html, "text/html; charset=utf-8"),
        (dict[str, int], "application/x-ndjson"),
        (Person, "application/x-ndjson"),
        (str | bytes, None),
        (EMPTY, None),
    ],
    ids=str,
)
def test_the_items_of_a_stream_choose_its_type(item: Any, media_type: str | None) -> None:
    assert stream_media_type(item) == media_type


def test_in_development_pages_and_texts_are_looked_at() -> None:
    encodings = [Encoding(native, "") for native in ("text", "html", "dynamic", "json", "empty")]  # type: ignore[arg-type]  # each is one of the words

    assert [one.native_in("development") for one in encodings] == ["answer"] * 3 + ["json", "empty"]
    assert [one.native_in("production") for one in encodings] == [one.native for one in encodings]
