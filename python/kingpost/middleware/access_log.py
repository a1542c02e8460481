"""`AccessLog`: one line for each request that was answered.

Rule 1: a line is one line of printable ASCII, whatever the request said: nothing that a client writes can end it, begin another one, or
move a terminal's cursor (CVE-2020-7694, CVE-2025-48432).
Rule 2: the query is left out, for it is where tokens stand; the path is as it was sent.
Rule 3: what `logging` is configured to do is done. The logger is asked for with each line, since `dictConfig` may come later.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from kingpost import limits
from kingpost.http.before_body import before_body
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.middleware.decided import decided
from kingpost.middleware.paths import checked_paths, is_below
from kingpost.middleware.refusal import refused
from kingpost.middleware.streams import Counter, send_through
from kingpost.routing.around import CallNext

LogFormat: TypeAlias = Literal["text", "json"]

CLIENT_LEFT: Final = 499
"""Stands for an answer that nobody waited for: the client left before it was made. No status of HTTP; what nginx writes."""

NORMAL_CLOSURE: Final = 1000
INTERNAL_ERROR: Final = 1011
"""What the engine closes with where a handler has returned, and where it was cancelled."""

PRINTABLE = frozenset(map(chr, range(0x21, 0x7F))) - {'"', "\\"}


class Entry(NamedTuple):
    """What is known of a request when its answer is out.

    Attributes:
        at: when it came: seconds since 1970.
        client: its address; "-" where it is not known.
        method: as sent.
        path: as sent, percent-encoded.
        route: the pattern of the route that answered; "-" for none.
        status: of the answer.
        bytes: of its body, without what the transport adds; None where a stream was cut off.
        seconds: until the answer was made, of a stream until its last chunk was.
        request: its id.
    """

    at: float
    client: str
    method: str
    path: str
    route: str
    status: int
    bytes: int | None
    seconds: float
    request: str

    def as_text(self) -> str:
        size = "-" if self.bytes is None else str(self.bytes)
        return (
            f'{plain(self.client)} "{plain(self.method)} {plain(self.path)}" {self.status} {size} '
            f"{self.seconds * 1000:.1f}ms route={plain(self.route)} request={plain(self.request)}"
        )

    def fields(self) -> dict[str, str | int | float | None]:
        """What a record has besides its time."""
        said = self._asdict()
        del said["at"]
        return {**said, "seconds": round(self.seconds, 6)}

    def as_json(self) -> str:
        return document(self.at, self.fields())


class End(NamedTuple):
    """What is known of a WebSocket when it is over.

    Attributes:
        at: when it was asked for: seconds since 1970.
        client: as of an Entry, and so are `method`, `path`, `route` and `request`.
        method: GET.
        path: as sent, percent-encoded.
        route: the pattern of its route.
        closed: the code that it was closed with, by whomever (RFC 6455 section 7.4).
        seconds: how long it was there.
        request: the id of the request that asked for it.
    """

    at: float
    client: str
    method: str
    path: str
    route: str
    closed: int
    seconds: float
    request: str

    def as_text(self) -> str:
        return (
            f'{plain(self.client)} "{plain(self.method)} {plain(self.path)}" closed={self.closed} '
            f"{self.seconds * 1000:.1f}ms route={plain(self.route)} request={plain(self.request)}"
        )

    def fields(self) -> dict[str, str | int | float | None]:
        """What a record has besides its time."""
        said = self._asdict()
        del said["at"]
        return {**said, "seconds": round(self.seconds, 6)}

    def as_json(self) -> str:
        return document(self.at, self.fields())


def document(at: float, fields: Mapping[str, str | int | float | None]) -> str:
    """A line of JSON."""
    moment = datetime.fromtimestamp(at, UTC)
    said = {"time": moment.isoformat(timespec="milliseconds"), **fields}
    text = msgspec.json.encode(said).decode()
    # msgspec leaves what is not ASCII as it is; that is rare, and slow.
    return text if text.isascii() and "\x7f" not in text else json.dumps(said)


@before_body
class AccessLog:
    """Writes a line for each request to the logger `kingpost.access`, at level INFO.

    A WebSocket has two: one with status 101 when it is accepted, and one with the code that it was closed with.

    As the first of the App's middleware it sees the answers that are sent. What the server refuses at its door never comes so far: malformed
    requests, hosts that are not ours, cross-site requests.

    Args:
        format: "text" for people, "json" for machines: one document a line.
        except_for: Parts of the site that are not worth a line, by the beginnings of their paths, such as "/health".
        logger: The name of the logger.

    Raises:
        ConfigurationError: `access-log.bad-format`, `middleware.bad-path`.

    Example:
        `app.middleware(AccessLog(format="json", except_for=["/health"]))`
    """

    def __init__(
        self,
        *,
        format: LogFormat = "text",
        except_for: Sequence[str] = (),
        logger: str = "kingpost.access",
    ) -> None:
        if format not in ("text", "json"):
            raise refused(
                "access-log.bad-format",
                f"format={format!r} is none",
                'write format="text" or format="json"; logging itself adds what stands in front of a line',
            )
        self._as_json = format == "json"
        self._exempt = checked_paths(except_for, option="except_for")
        self._logger = logger

    async def __call__(self, request: Request, call_next: CallNext) -> Response[Any]:
        logger = logging.getLogger(self._logger)
        if not logger.isEnabledFor(logging.INFO) or is_below(request.path, self._exempt):
            return await call_next(request)
        line = Line(self._write, request)
        socket = request.websocket
        if socket is not None:
            socket.on_accept(line.accepted)
        try:
            response = await decided(request, await call_next(request))
        except asyncio.CancelledError:
            if line.is_accepted:
                line.closed(INTERNAL_ERROR)
            else:
                line.write(CLIENT_LEFT, None)
            raise
        if line.is_accepted:
            line.closed(NORMAL_CLOSURE)
        else:
            watch(request, response, line)
        return response

    def _write(self, entry: Entry | End) -> None:
        logging.getLogger(self._logger).info(
            "%s",
            entry.as_json() if self._as_json else entry.as_text(),
            # For who writes records as objects.
            extra={"fields": entry.fields()},
        )


class Line(Counter):
    """A line that is still to be written, when the body is out; of a WebSocket two.

    Attributes:
        status: of the answer.
        is_accepted: it is a WebSocket, and its first line is written.
    """

    def __init__(self, log: Callable[[Entry | End], None], request: Request) -> None:
        super().__init__()
        self._log = log
        self._at = time.time()
        self._start = time.perf_counter()
        self._request = request
        self.status = 200
        self.is_accepted = False

    def accepted(self) -> None:
        """The handshake was answered."""
        self.is_accepted = True
        self.write(101, 0)

    def closed(self, otherwise: int) -> None:
        """The conversation is over; with which code the engine is about to close, where nobody has."""
        request, socket = self._request, self._request.websocket
        closed = None if socket is None else socket.closed
        end = End(
            self._at,
            request.client or "-",
            request.method,
            request.raw_path.decode("latin-1"),
            request.dispatch.route_of(request) or "-",
            otherwise if closed is None else closed[0],
            time.perf_counter() - self._start,
            request.id,
        )
        self._log(end)

    def over(self, *, whole: bool) -> None:
        self.write(self.status, self.size if whole else None)

    def write(self, status: int, size: int | None) -> None:
        request = self._request
        entry = Entry(
            self._at,
            request.client or "-",
            request.method,
            request.raw_path.decode("latin-1"),
            request.dispatch.route_of(request) or "-",
            status,
            size,
            time.perf_counter() - self._start,
            request.id,
        )
        self._log(entry)


def watch(request: Request, response: Response[Any], line: Line) -> None:
    """Have the line written when the body is known, or is out."""
    line.status = response.status
    if request.method == "HEAD" or response.status in (204, 304):
        line.write(response.status, 0)
    elif response.file is not None:
        line.write(response.status, response.file.length)
    elif not send_through(response, line, keeps_length=True):
        line.write(response.status, 0 if response.body is None else len(response.body))


def plain(text: str) -> str:
    """The text where every character that is not visible ASCII, or that could end a quoted part, is escaped."""
    cut = text if len(text) <= limits.LOG_CHARACTERS else text[: limits.LOG_CHARACTERS] + "…"
    if PRINTABLE.issuperset(cut):
        return cut
    return "".join(
        each
        if each in PRINTABLE
        else f"\\x{ord(each):02x}"
        if ord(each) < 0x100
        else f"\\u{ord(each):04x}"
        if ord(each) < 0x1_0000
        else f"\\U{ord(each):08x}"
        for each in cut
    )
