"""From what a handler returned to what is sent.

| value                               | answer                                            |
|-------------------------------------|---------------------------------------------------|
| str; Html and what has `__html__`   | text/plain; text/html                             |
| bytes                               | application/octet-stream                          |
| generator, async generator          | streamed: bytes and str as they are, `Event` as server-sent events, else JSON lines |
| Response, Redirect                  | as it says                                        |
| Template                            | rendered before it comes here                     |
| None, where the annotation has it   | 204; `null` where it is one of several            |
| anything else                       | JSON, filtered by the return annotation           |

What cannot be meant (a forgotten return, a forgotten await, a tuple) is an AnswerError.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from kingpost._native import Answer, FileBody
from kingpost.app.calls import Started, start
from kingpost.app.crossing import Threads
from kingpost.app.encoding import (
    BYTES,
    HTML,
    JSON,
    JSON_LINES,
    TEXT,
    Encoding,
    encoding_of,
    is_events,
    media_type_of,
    stream_media_type,
)
from kingpost.app.json import encode_json, plain_json
from kingpost.app.rendered import Rendered
from kingpost.app.streams import OnThreads
from kingpost.binding.signature import EMPTY, Signature
from kingpost.errors import ConfigurationError
from kingpost.http.headers import ResponseHeaders, check_field
from kingpost.http.response import (
    NOSNIFF,
    READY_JSON,
    READY_TEXT,
    Response,
    copy_of,
    plain_response,
)
from kingpost.http.sse import (
    EVENT_FIELDS,
    EVENT_STREAM,
    NOTHING,
    PING,
    SIGN,
    Event,
    EventChunks,
    EventStream,
)
from kingpost.schema.annotation import class_of, spelled
from kingpost.types import Place

if TYPE_CHECKING:
    from kingpost.http.media import Writer

Fields = list[tuple[str, str]]
CallOnThread = Callable[[Callable[[], Any]], Awaitable[Any]]


class AnswerError(ConfigurationError):
    """A handler returned what cannot be an answer. It names the handler and the remedy."""

    default_code: ClassVar[str] = "answer"


class OutOfRange(Exception):
    """A format has no form for one value of a type that it writes otherwise, such as MessagePack for an integer of more than 64 bits."""


class Answers:
    """Makes the answers of one route.

    Args:
        name: the handler's, for messages.
        place: where it was written.
        encoding: what its return annotation says.
        status: of a plain value.
        aside: calls a function on a thread: where events of a `def` are made, for which no worker thread is kept.
    """

    def __init__(
        self,
        name: str,
        place: Place,
        encoding: Encoding,
        status: int,
        *,
        aside: CallOnThread | None = None,
    ) -> None:
        self.name = name
        self.place = place
        self.encoding = encoding
        self.status = status
        self._aside = aside or Threads().aside
        self._gives_events = is_events(encoding.item)

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
        return Answer(self.status, [("content-type", media_type), *fields_beside(media_type)], body)

    def respond(self, value: Any) -> Response[Any]:
        """The response for a value, its body made: what middleware sees, and what is left to do is done outside of the handler.

        Raises:
            AnswerError: the value can be none.
        """
        # Nearly every value; the rest is looked at more closely, which takes microseconds.
        kind: object = class_of(value)
        if kind is str:
            return plain_response(value.encode(), READY_TEXT, self.status)
        if kind is dict or kind is list:
            return plain_response(self.json(value), READY_JSON, self.status)
        if isinstance(value, Answer):
            return sealed(value)
        if isinstance(value, Response):
            return self.to_send(value)  # pyright: ignore[reportUnknownArgumentType] - any content
        if value is None:
            return sealed(self.of_nothing())
        body, media_type = self.content(value)
        made: Response[Any] = Response(None, status=self.status, headers=fields_of(media_type))
        put(made, body)
        return made

    def to_send(self, given: Response[Any]) -> Response[Any]:
        """What is sent of a response: another one, so that whoever keeps it finds it as it was."""
        if isinstance(given, Rendered) and given.is_rendered:
            # It is this request's alone: whoever renders has seen to that.
            return given
        self.check_rendered(given)
        response = copy_of(given)
        given.seal()
        if response.encoded is None:
            made_body, own = b"", ""
            if response.content is not None:
                made_body, own = self.content_of(response)
            kind = own if response.media_type is None else media_type_said(response.media_type, own)
            if kind:
                response.headers.setdefault("content-type", kind)
            for field in fields_beside(kind):
                response.headers.setdefault(*field)
            put(response, made_body)
        return response

    def of_response(self, response: Response[Any]) -> Answer:
        encoded = response.encoded
        if encoded is not None:
            # Of a stream whose maker has counted its bytes.
            length = None if isinstance(encoded, bytes) else getattr(encoded, "length", None)
            response.seal()
            return Answer(response.status, response.headers.pairs(), encoded, length)
        self.check_rendered(response)
        fields: Fields = [NOSNIFF]
        body: Any = b""
        if response.content is not None:
            body, media_type = self.content_of(response)
            said = response.media_type
            kind = media_type if said is None else media_type_said(said, media_type)
            fields = [("content-type", kind), *fields_beside(kind)]
        elif response.media_type is not None:
            fields.append(("content-type", media_type_said(response.media_type, "")))
        if response.has_headers:
            own = response.headers.pairs()
            names = {name for name, _ in own}
            fields = [field for field in fields if field[0] not in names] + list(own)
        response.seal()
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

    def content_of(self, response: Response[Any]) -> tuple[Any, str]:
        if isinstance(response, EventStream):
            return self.events(response.content, response.idle)
        return self.content(response.content)

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
        if isinstance(value, AsyncIterator | Iterator):
            return self.unstarted(value)  # pyright: ignore[reportUnknownArgumentType] - any items
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
            raise self.wrong_type(value, error) from error
        except TypeError as error:
            if isinstance(value, BaseException):
                name = class_of(value).__name__
                raise self.error(
                    "answer.no-json",
                    f"returned an exception, {name}, and exceptions are raised",
                    f"write raise {name}(…)",
                ) from error
            raise self.error(
                "answer.no-json",
                f"returned what JSON cannot hold: {error}",
                "return a dict, a Struct or a dataclass",
            ) from error

    def encoded(self, writer: Writer, value: Any) -> bytes:
        """A value as a codec writes it, filtered as JSON is.

        Raises:
            AnswerError: the codec has no form for what the handler returns.
            OutOfRange: it has, and not for this value.
        """
        try:
            plain = plain_json(value if self.encoding.shape is None else self.encoding.shape(value))
        except msgspec.ValidationError as error:
            raise self.wrong_type(value, error) from error
        except (TypeError, ValueError, OverflowError) as error:
            raise self.not_encoded(writer, error) from error
        try:
            return writer.encode(plain)
        except (TypeError, UnicodeError) as error:
            raise self.not_encoded(writer, error) from error
        except (ValueError, OverflowError) as error:
            raise OutOfRange(f"{writer.media_type}: {error}") from error

    def not_encoded(self, writer: Writer, error: Exception) -> AnswerError:
        return self.error(
            "answer.not-encoded",
            f"returned what {writer.media_type} has no form for: {error}",
            "return another value",
            "leave the format out of the route's formats=",
        )

    def wrong_type(self, value: Any, error: Exception) -> AnswerError:
        return self.error(
            "answer.wrong-type",
            f"returned {spelled(class_of(value))}, which is not what it is annotated with: {error}",
            f"return what the annotation says: {self.encoding.words}",
        )

    def stream(self, started: Started) -> tuple[Any, str]:
        first: object = started.first
        if isinstance(first, Event):
            return self.events(started.rest, first=started.first)
        media_type = stream_media_type(self.encoding.item)
        if started.is_over:
            return b"", media_type or TEXT
        media_type = media_type or media_type_of(class_of(started.first))
        if isinstance(started.rest, AsyncIterator):
            return self.async_chunks(started.first, started.rest), media_type
        return self.chunks(started.first, started.rest), media_type

    def unstarted(self, items: AsyncIterator[Any] | Iterator[Any]) -> tuple[Any, str]:
        """A stream that nobody has waited for. Where nobody can, its media type is what the annotation says, else JSON lines."""
        if self._gives_events:
            return self.events(items)
        if not isinstance(items, AsyncIterator):
            return self.stream(start(items))
        return self.async_rest(items), stream_media_type(self.encoding.item) or JSON_LINES

    def events(
        self,
        items: Iterator[Any] | AsyncIterator[Any],
        idle: tuple[float, bytes] | None = (PING, SIGN),
        *,
        first: Any = NOTHING,
    ) -> tuple[Any, str]:
        """Server-sent events; what is no Event is the data of one."""
        if not isinstance(items, AsyncIterator):
            # Whoever waits on the loop can say meanwhile that the connection lives.
            items = OnThreads(items, self._aside)
        return EventChunks(items, self.event, idle, first=first), EVENT_STREAM

    def event(self, item: Any) -> bytes:
        event: Event[Any] = item if isinstance(item, Event) else Event(item)  # pyright: ignore[reportUnknownVariableType] - any data
        return event.encode(self.json)

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
        if isinstance(item, Event):
            raise self.error(
                "answer.event",
                "streams an Event where nothing said that there would be any",
                "annotate it `-> AsyncIterator[Event[…]]`",
                "return EventStream(…)",
            )
        markup = getattr(item, "__html__", None)
        if markup is not None:
            return str(markup())
        return self.json(item) + b"\n"

    def error(self, code: str, problem: str, *remedies: str) -> AnswerError:
        return AnswerError(
            f"{self.name} {problem}", code=code, remedy=" or ".join(remedies), places=[self.place]
        )


DYNAMIC = Answers("a hook", Place("<hook>", 0), encoding_of(EMPTY), 200)
"""For what has no annotation to go by."""


def hook_answers(signature: Signature, aside: CallOnThread) -> Answers:
    """What a hook or middleware returns is no answer of the handler's: it goes by its type alone."""
    return Answers(signature.name, signature.place, DYNAMIC.encoding, DYNAMIC.status, aside=aside)


@cache
def fields_of(media_type: str) -> ResponseHeaders:
    """The fields of a plain answer, checked once; a response copies them."""
    return ResponseHeaders([("content-type", media_type), *fields_beside(media_type)])


@lru_cache(256)
def media_type_said(said: str, own: str) -> str:
    """The media type that a response says. Text is sent as UTF-8, and browsers take text without a charset for something else.

    Args:
        said: what the response says.
        own: the media type that its content would have.

    Raises:
        ValueError: no field may hold it.
    """
    check_field("content-type", said)
    if own not in (TEXT, HTML) or not said.lower().startswith("text/") or "charset" in said.lower():
        return said
    return f"{said}; charset=utf-8"


def fields_beside(media_type: str) -> Fields:
    """What stands beside the media type of every answer."""
    return [NOSNIFF, *EVENT_FIELDS] if media_type.startswith(EVENT_STREAM) else [NOSNIFF]


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
