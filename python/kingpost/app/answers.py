"""From what a handler returned to what is sent.

| value                               | answer                                            |
|-------------------------------------|---------------------------------------------------|
| str; Html and what has `__html__`   | text/plain; text/html                             |
| bytes                               | application/octet-stream                          |
| generator, async generator          | streamed: bytes and str as they are, else JSON lines |
| Response, Redirect                  | as it says                                        |
| Template                            | rendered before it comes here                     |
| None, where the annotation has it   | 204; `null` where it is one of several            |
| anything else                       | JSON, filtered by the return annotation           |

What cannot be meant (a forgotten return, a forgotten await, a tuple) is an AnswerError.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any, ClassVar

import msgspec

from kingpost._native import Answer, FileBody
from kingpost.app.calls import Started, start
from kingpost.app.encoding import (
    BYTES,
    HTML,
    JSON,
    JSON_LINES,
    TEXT,
    Encoding,
    encoding_of,
    media_type_of,
    stream_media_type,
)
from kingpost.app.json import encode_json
from kingpost.app.rendered import Rendered
from kingpost.binding.annotation import class_of, spelled
from kingpost.binding.signature import EMPTY, Signature
from kingpost.errors import ConfigurationError
from kingpost.http.headers import ResponseHeaders
from kingpost.http.response import Response
from kingpost.types import Place

NOSNIFF = ("x-content-type-options", "nosniff")
Fields = list[tuple[str, str]]


class AnswerError(ConfigurationError):
    """A handler returned what cannot be an answer. It names the handler and the remedy."""

    default_code: ClassVar[str] = "answer"


class Answers:
    """Makes the answers of one route.

    Args:
        name: the handler's, for messages.
        place: where it was written.
        encoding: what its return annotation says.
        status: of a plain value.
    """

    def __init__(self, name: str, place: Place, encoding: Encoding, status: int) -> None:
        self.name = name
        self.place = place
        self.encoding = encoding
        self.status = status

    def answer(self, value: Any) -> Answer:
        """The answer for a value that the handler returned.

        Raises:
            AnswerError: the value can be none.
        """
        if isinstance(value, Response):
            return self.of_response(value)  # pyright: ignore[reportUnknownArgumentType] - any content
        if value is None:
            return self.of_nothing()
        body, media_type = self.content(value)
        return Answer(self.status, [("content-type", media_type), NOSNIFF], body)

    def respond(self, value: Any) -> Response[Any]:
        """The response for a value, its body made: what middleware sees, and what is left to do is done outside of the handler.

        Raises:
            AnswerError: the value can be none.
        """
        if isinstance(value, Answer):
            return sealed(value)
        if not isinstance(value, Response):
            if value is None:
                return sealed(self.of_nothing())
            body, media_type = self.content(value)
            made: Response[Any] = Response(None, status=self.status, headers=fields_of(media_type))
            put(made, body)
            return made
        response: Response[Any] = value  # pyright: ignore[reportUnknownVariableType] - any content
        if response.encoded is None:
            self.check_rendered(response)
            made_body, kind = b"", response.media_type or ""
            if response.content is not None:
                made_body, own = self.content(response.content)
                kind = kind or own
            if kind:
                response.headers.setdefault("content-type", kind)
            response.headers.setdefault(*NOSNIFF)
            put(response, made_body)
        return response

    def of_response(self, response: Response[Any]) -> Answer:
        if response.encoded is not None:
            return Answer(response.status, response.headers.pairs(), response.encoded)
        self.check_rendered(response)
        fields: Fields = [NOSNIFF]
        body: Any = b""
        if response.content is not None:
            body, media_type = self.content(response.content)
            fields.append(("content-type", response.media_type or media_type))
        elif response.media_type is not None:
            fields.append(("content-type", response.media_type))
        if response.has_headers:
            own = response.headers.pairs()
            names = {name for name, _ in own}
            fields = [field for field in fields if field[0] not in names] + list(own)
        return Answer(response.status, fields, body)

    def check_rendered(self, response: Response[Any]) -> None:
        if isinstance(response, Rendered):
            raise self.error(
                "answer.not-rendered",
                f"returned {response!r}, and nobody has rendered it",
                response.remedy,
            )

    def of_nothing(self) -> Answer:
        if self.encoding.is_empty:
            return Answer(204 if self.status == 200 else self.status, [NOSNIFF], b"")
        if self.encoding.takes_none:
            return Answer(self.status, [("content-type", JSON), NOSNIFF], b"null")
        raise self.error(
            "answer.none",
            "returned None, and its annotation does not say so",
            "add the missing return, or write `-> None` for 204",
        )

    def content(self, value: Any) -> tuple[Any, str]:
        """Body and media type of a value that is neither None nor a Response."""
        kind: object = class_of(value)
        # Nearly every value; what follows asks abstract classes, which takes microseconds.
        if kind is str:
            return value.encode(), TEXT
        if kind is dict or kind is list:
            return self.json(value), JSON
        if inspect.iscoroutine(value):
            value.close()
            raise self.error(
                "answer.coroutine",
                "returned a coroutine that nobody awaits",
                "write `async def`, and await it",
            )
        if isinstance(value, Started):
            return self.stream(value)
        if isinstance(value, AsyncIterator):
            return self.unstarted(value)  # pyright: ignore[reportUnknownArgumentType] - any items
        if isinstance(value, Iterator):
            return self.stream(start(value))  # pyright: ignore[reportUnknownArgumentType] - any items
        return self.whole(value)

    def whole(self, value: Any) -> tuple[bytes, str]:
        markup = getattr(value, "__html__", None)
        if markup is not None:
            return str(markup()).encode(), HTML
        if isinstance(value, str):
            return value.encode(), TEXT
        if isinstance(value, bytes | bytearray | memoryview):
            return bytes(value), BYTES  # pyright: ignore[reportUnknownArgumentType] - any format
        return self.json(value), JSON

    def json(self, value: Any) -> bytes:
        kind = class_of(value)
        if kind is tuple and self.encoding.native == "dynamic":
            raise self.error(
                "answer.tuple",
                "returned a tuple, and answers are no tuples",
                "return Response(content, status=…, headers=…)",
            )
        try:
            return encode_json(value if self.encoding.shape is None else self.encoding.shape(value))
        except msgspec.ValidationError as error:
            raise self.error(
                "answer.wrong-type",
                f"returned {spelled(kind)}, which is not what it is annotated with: {error}",
                f"return what the annotation says: {self.encoding.words}",
            ) from error
        except TypeError as error:
            raise self.error(
                "answer.no-json",
                f"returned what JSON cannot hold: {error}",
                "return a dict, a Struct or a dataclass",
            ) from error

    def stream(self, started: Started) -> tuple[Any, str]:
        media_type = stream_media_type(self.encoding.item)
        if started.is_over:
            return b"", media_type or TEXT
        media_type = media_type or media_type_of(class_of(started.first))
        if isinstance(started.rest, AsyncIterator):
            return self.async_chunks(started.first, started.rest), media_type
        return self.chunks(started.first, started.rest), media_type

    def unstarted(self, items: AsyncIterator[Any]) -> tuple[Any, str]:
        """A stream that nobody could wait for yet: its media type is what the annotation says, else JSON lines."""
        return self.async_rest(items), stream_media_type(self.encoding.item) or JSON_LINES

    def chunks(self, first: Any, rest: Iterator[Any]) -> Iterator[bytes | str]:
        try:
            yield self.chunk(first)
            for item in rest:
                yield self.chunk(item)
        finally:
            close = getattr(rest, "close", None)
            if close is not None:
                close()

    async def async_chunks(
        self, first: Any, rest: AsyncIterator[Any]
    ) -> AsyncIterator[bytes | str]:
        try:
            yield self.chunk(first)
            async for item in rest:
                yield self.chunk(item)
        finally:
            await close_async(rest)

    async def async_rest(self, items: AsyncIterator[Any]) -> AsyncIterator[bytes | str]:
        try:
            async for item in items:
                yield self.chunk(item)
        finally:
            await close_async(items)

    def chunk(self, item: Any) -> bytes | str:
        if isinstance(item, bytes | str):
            return item
        if isinstance(item, bytearray | memoryview):
            return bytes(item)  # pyright: ignore[reportUnknownArgumentType] - any format
        return self.json(item) + b"\n"

    def error(self, code: str, problem: str, remedy: str) -> AnswerError:
        return AnswerError(f"{self.name} {problem}", code=code, remedy=remedy, places=[self.place])


DYNAMIC = Answers("a hook", Place("<hook>", 0), encoding_of(EMPTY), 200)
"""For what has no annotation to go by."""


def hook_answers(signature: Signature) -> Answers:
    """What a hook or middleware returns is no answer of the handler's: it goes by its type alone."""
    return Answers(signature.name, signature.place, DYNAMIC.encoding, DYNAMIC.status)


@cache
def fields_of(media_type: str) -> ResponseHeaders:
    """The fields of a plain answer, checked once; a response copies them."""
    return ResponseHeaders([("content-type", media_type), NOSNIFF])


def put(response: Response[Any], body: Any) -> None:
    if isinstance(body, bytes):
        response.body = body
    elif isinstance(body, FileBody):
        response.file = body
    else:
        response.chunks = body


def sealed(answer: Answer) -> Response[Any]:
    """The response that an answer is."""
    response: Response[Any] = Response(None, status=answer.status, headers=answer.headers)
    put(response, answer.body)
    return response


async def close_async(items: AsyncIterator[Any]) -> None:
    close = getattr(items, "aclose", None)
    if close is not None:
        await close()
