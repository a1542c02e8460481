"""Server-sent events: `Event`, and `EventStream` to answer with (HTML Standard, section 9.2).

Rule 1: what is inside of one event stays inside of it. Lines of data are sent as lines of data; in the other fields a line end is refused
where the event is made, so the traceback shows the line that did it.
Rule 2: the head leaves at once, for the browser calls a stream open when it has it; and where nothing happens, a comment is sent now and
then, so that proxies keep the connection and a client that is gone is noticed.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, Generic, Never, TypeVar, overload

from kingpost.http.headers import Fields
from kingpost.http.request import Request
from kingpost.http.response import Response

T_co = TypeVar("T_co", covariant=True)

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    Data_co = TypeVarWithDefault("Data_co", covariant=True, default=Any)
else:
    # `-> EventStream` says enough where the document need not tell of what. Python knows defaults from 3.13 on.
    Data_co = TypeVar("Data_co", covariant=True)

EVENT_STREAM: Final = "text/event-stream"
"""The media type. It is always UTF-8, so it has no charset."""

EVENT_FIELDS: Final = (
    ("cache-control", "no-store"),
    # nginx collects answers, and events must leave at once.
    ("x-accel-buffering", "no"),
)
"""Fields of every answer of this type that does not set them itself."""

PING: Final = 15.0
"""Seconds without an event after which a comment is sent: "every 15 seconds or so" (section 9.2.7)."""

SIGN: Final = b":\n\n"
"""A comment that says nothing."""

NOTHING: Final[Any] = object()
LINE_END = re.compile("\r\n|\r|\n")


class Event(Generic[T_co]):
    r"""One event, as `EventSource` receives it.

    Args:
        data: Text, which is sent as it is, line by line; Html and elements, as their markup; anything else as JSON. Left out, browsers
            dispatch no event: `id`, `retry` and comments are for them alone.
        event: The name under which scripts listen, `source.addEventListener("paid", …)`; "message" if not said.
        id: What the browser sends as `Last-Event-ID` when it connects anew; an empty one forgets it.
        retry: Milliseconds, >= 0, after which the browser connects anew when it was cut off.
        comment: What only people see who look at the stream.

    Raises:
        TypeError: One of them is of another type.
        ValueError: A line end in `event` or `id`, NUL in `id`, a negative `retry`, or nothing at all.

    Example:
        >>> Event("two\nlines", event="note", id="7").encode(repr)
        b'event: note\nid: 7\ndata: two\ndata: lines\n\n'
    """

    __slots__ = ("comment", "data", "event", "id", "retry")

    data: T_co
    event: str | None
    id: str | None
    retry: int | None
    comment: str | None

    @overload
    def __init__(
        self: Event[Never],
        *,
        event: str | None = ...,
        id: str | None = ...,
        retry: int | None = ...,
        comment: str | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self,
        data: T_co,
        *,
        event: str | None = ...,
        id: str | None = ...,
        retry: int | None = ...,
        comment: str | None = ...,
    ) -> None: ...
    def __init__(
        self,
        data: object = NOTHING,
        *,
        event: str | None = None,
        id: str | None = None,
        retry: int | None = None,
        comment: str | None = None,
    ) -> None:
        check_line("event", event, "\r\n")
        check_line("id", id, "\r\n\0")
        check_text("comment", comment)
        check_retry(retry)
        if isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(
                "Event: data is bytes, and events are text; decode it, or encode it as base64"
            )
        if data is NOTHING and id is None and retry is None and comment is None:
            raise ValueError("Event() says nothing; give it data, an id, retry or a comment")
        self.data = data  # type: ignore[assignment]  # the overloads say what it is
        self.event = event
        self.id = id
        self.retry = retry
        self.comment = comment

    def encode(self, encode: Callable[[Any], bytes | str]) -> bytes:
        """The bytes of the event.

        Args:
            encode: Gives the JSON of data that is no text.
        """
        lines: list[str] = []
        if self.comment is not None:
            lines += [f": {line}" for line in LINE_END.split(self.comment)]
        if self.event is not None:
            lines.append(f"event: {self.event}")
        if self.id is not None:
            lines.append(f"id: {self.id}")
        if self.retry is not None:
            lines.append(f"retry: {self.retry}")
        if self.data is not NOTHING:
            lines += [f"data: {line}" for line in LINE_END.split(text_of(self.data, encode))]
        return "\n".join([*lines, "", ""]).encode()

    def __repr__(self) -> str:
        said = [] if self.data is NOTHING else [repr(self.data)]
        for name in ("event", "id", "retry", "comment"):
            value = getattr(self, name)
            if value is not None:
                said.append(f"{name}={value!r}")
        return f"Event({', '.join(said)})"


def text_of(data: Any, encode: Callable[[Any], bytes | str]) -> str:
    if isinstance(data, str):
        return data
    markup = getattr(data, "__html__", None)
    if markup is not None:
        return str(markup())
    text = encode(data)
    return text.decode() if isinstance(text, bytes) else text


def check_text(name: str, value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise TypeError(
            f"Event: {name}={value!r} is of type {type(value).__name__}; write {name}=str(…)"
        )


def check_line(name: str, value: str | None, forbidden: str) -> None:
    """Refuses what would end the field early, and begin another one.

    Raises:
        TypeError: it is no text.
        ValueError: it holds a forbidden character.
    """
    check_text(name, value)
    bad = next((character for character in value or "" if character in forbidden), None)
    if bad is not None:
        raise ValueError(
            f"Event: {name}={value!r} holds {bad!r}, which ends the field; put what users wrote into data"
        )


def check_retry(retry: object) -> None:
    if retry is None:
        return
    if not isinstance(retry, int) or isinstance(retry, bool):
        raise TypeError(f"Event: retry={retry!r} is a number of milliseconds, an int")
    if retry < 0:
        raise ValueError(f"Event: retry={retry!r} is negative; milliseconds are 0 or more")


class EventStream(Response[Iterator[Any] | AsyncIterator[Any]], Generic[Data_co]):
    """An answer of events, one for each item: an `Event` as it is, anything else as the data of one.

    A handler that is a generator of `Event`, and annotated so, is answered in the same way; this is for handlers that look at the request
    first, since what they raise is still an answer.

    Args:
        events: A generator, or anything else to iterate over: `async` on the event loop, else on threads.
        ping: Seconds, > 0, without an event after which a comment is sent; None: never.
        headers: Further fields; `cache-control` is `no-store` if not said.

    Raises:
        TypeError: `events` is nothing to iterate over, or is text.
        ValueError: `ping` is no time, or a field could not be sent safely.

    Example:
        `return EventStream(prices(), ping=5)`
    """

    __slots__ = ("ping",)

    def __init__(
        self,
        events: Iterable[Data_co | Event[Data_co]] | AsyncIterable[Data_co | Event[Data_co]],
        *,
        ping: float | None = PING,
        headers: Fields | None = None,
    ) -> None:
        if ping is not None and not 0 < ping < float("inf"):
            raise ValueError(f"EventStream: ping={ping!r} is a number of seconds above 0, or None")
        super().__init__(items_of(events), headers=headers)
        self.ping = ping

    @property
    def idle(self) -> tuple[float, bytes] | None:
        """What is sent while nothing happens, and after how many seconds."""
        return None if self.ping is None else (self.ping, SIGN)


def items_of(events: Any) -> Iterator[Any] | AsyncIterator[Any]:
    """What a stream is made of, one by one.

    Raises:
        TypeError: it is nothing to iterate over, or is text.
    """
    if isinstance(events, AsyncIterable):
        return aiter(events)  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType] - of anything
    if isinstance(events, Iterable) and not isinstance(events, str | bytes):
        return iter(events)  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType] - of anything
    raise TypeError(
        f"EventStream: {events!r} is no stream of events; call the generator, or write [Event(…)]"
    )


class EventChunks:
    """The encoded events of one stream.

    Args:
        items: what is sent.
        encode: makes bytes of an item.
        idle: what is sent while nothing happens, and after how many seconds; None: nothing.
        first: an item that was taken already.
    """

    def __init__(
        self,
        items: AsyncIterator[Any],
        encode: Callable[[Any], bytes],
        idle: tuple[float, bytes] | None,
        *,
        first: Any = NOTHING,
    ) -> None:
        self._items = items
        self._encode = encode
        self._first = first
        self.idle = idle

    def __aiter__(self) -> EventChunks:
        return self

    async def __anext__(self) -> bytes:
        if self._first is not NOTHING:
            item, self._first = self._first, NOTHING
        else:
            item = await anext(self._items)
        return self._encode(item)

    async def aclose(self) -> None:
        """Ends it before its end."""
        close = getattr(self._items, "aclose", None)
        if close is not None:
            await close()


def last_event_id(request: Request) -> str | None:
    """The id of the last event that the client has seen, which it says when it connects anew; None where it has seen none.

    A client may send any text: look it up, and do not trust it.
    """
    sent: str | None = request.headers.get("last-event-id")
    if not sent:
        return None
    try:
        # Browsers send it as UTF-8, and fields are read as ISO 8859-1.
        return sent.encode("latin-1").decode()
    except UnicodeError:
        return sent
