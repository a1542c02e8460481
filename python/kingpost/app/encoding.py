"""How the value of a handler is sent, as far as its return annotation tells at start-up."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from typing import Any, Final, Union, get_args, get_origin

import msgspec

from kingpost.app.json import encode_json
from kingpost.app.rendered import Rendered
from kingpost.app.shape import Shape, shape_of
from kingpost.binding.signature import EMPTY
from kingpost.html import Html
from kingpost.http.response import Response
from kingpost.http.sse import EVENT_STREAM, Event
from kingpost.schema.annotation import bare, is_union, spelled
from kingpost.types import Encoder, Mode

TEXT: Final = "text/plain; charset=utf-8"
HTML: Final = "text/html; charset=utf-8"
JSON: Final = "application/json"
JSON_LINES: Final = "application/x-ndjson"
BYTES: Final = "application/octet-stream"

STREAMS = (Iterator, Iterable, Generator, AsyncIterator, AsyncIterable, AsyncGenerator)
PLAIN_JSON = (dict, list, tuple, set, frozenset, int, float, bool)


class Encoding(msgspec.Struct, frozen=True):
    """What is known of a handler's answers before the first of them."""

    native: Encoder
    """The engine's encoder."""
    words: str
    """What `kingpost routes explain` says."""
    shape: Shape | None = None
    """Filters what is sent as JSON; None where the annotation names no model."""
    takes_none: bool = False
    """Whether None is an answer: the annotation has it."""
    item: Any = EMPTY
    """The annotation of a stream's items; EMPTY where there is none."""

    def native_in(self, mode: Mode) -> Encoder:
        """The engine's encoder in a mode: in development, pages and texts pass through Python, where they are looked at."""
        if mode == "development" and self.native in ("text", "html", "dynamic"):
            return "answer"
        return self.native

    @property
    def is_empty(self) -> bool:
        """Whether there is never any content: `-> None`."""
        return self.native == "empty"


PLAIN: Final = {
    Html: Encoding("html", HTML),
    str: Encoding("text", TEXT),
    bytes: Encoding("bytes", BYTES),
}


def encoding_of(returns: Any) -> Encoding:
    """The encoding for a return annotation; `EMPTY` for a handler without one."""
    if returns is EMPTY:
        return Encoding("dynamic", "by the value's type")
    if returns in (Any, object):
        return Encoding("dynamic", "by the value's type", takes_none=True)
    stripped = bare(returns)
    kind = stripped.type
    if kind is type(None) or kind is None:
        return Encoding("empty", "nothing (204)", takes_none=True)
    if is_union(kind) or stripped.is_optional:
        return Encoding(
            "answer",
            f"by the value's type: {spelled(returns)}",
            shape_of(returns),
            stripped.is_optional,
        )
    origin = get_origin(kind) or kind
    if origin in STREAMS:
        item = (get_args(kind) or (EMPTY,))[0]
        return Encoding(
            "answer",
            f"a stream, {stream_media_type(item) or 'by its first item'}",
            shape_of(data_of_events(item) if is_events(item) else item),
            item=item,
        )
    return encoding_of_class(returns, kind, origin)


def encoding_of_class(returns: Any, kind: Any, origin: Any) -> Encoding:
    plain = PLAIN.get(origin)
    if plain is not None:
        return plain
    if isinstance(origin, type) and issubclass(origin, Rendered):
        return Encoding("answer", f"a {origin.__name__}, rendered")
    if isinstance(origin, type) and issubclass(origin, Response):
        content = (get_args(kind) or (Any,))[0]
        content = data_of_events(content) if is_events(content) else content
        words = f"as the {origin.__name__} says"
        return Encoding("dynamic", words, shape_of(content), item=item_of(content))
    shape = shape_of(returns)
    if shape is not None:
        return Encoding(shaped(shape), f"{JSON}: the fields of {spelled(returns)}", shape)
    if origin in PLAIN_JSON:
        return Encoding("json", JSON)
    return Encoding("answer", f"{JSON}: {spelled(returns)}")


def item_of(content: Any) -> Any:
    """The annotation of a stream's items; EMPTY for what is no stream."""
    kind = bare(content).type
    if get_origin(kind) not in STREAMS:
        return EMPTY
    return (get_args(kind) or (EMPTY,))[0]


def shaped(shape: Shape) -> Callable[[Any], bytes]:
    """The engine's short cut for a model; whatever it raises, `Dispatch.answer` looks at the value."""

    def encode(value: Any) -> bytes:
        return encode_json(shape(value))

    return encode


def is_events(item: Any) -> bool:
    """Whether all items of a stream are events, by their annotation."""
    if item is EMPTY:
        return False
    kind = bare(item).type
    if is_union(kind):
        return all(is_events(each) for each in get_args(kind))
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(origin, Event)


def data_of_events(item: Any) -> Any:
    """The annotation of what events carry."""
    kind = bare(item).type
    every = get_args(kind) if is_union(kind) else (kind,)
    data = tuple((get_args(bare(each).type) or (Any,))[0] for each in every)
    return Union[data]  # noqa: UP007 - of as many as there are


def stream_media_type(item: Any) -> str | None:
    """The media type of a stream whose items are annotated with `item`; None where that says nothing."""
    if item is EMPTY:
        return None
    if is_events(item):
        return EVENT_STREAM
    kind = bare(item).type
    if kind in (Any, object) or is_union(kind):
        return None
    if isinstance(kind, type):
        return media_type_of(kind)
    return JSON_LINES


def media_type_of(item_type: type[Any]) -> str:
    """The media type of a stream by the type of an item."""
    if issubclass(item_type, Event):
        return EVENT_STREAM
    if issubclass(item_type, bytes | bytearray | memoryview):
        return BYTES
    if hasattr(item_type, "__html__"):
        return HTML
    return TEXT if issubclass(item_type, str) else JSON_LINES
