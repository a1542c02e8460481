"""`FileResponse`: a file as an answer, sent from where it lies.

Rule 1: what is said about the file (size, date, entity tag) is of the descriptor that is sent, so a file that is replaced meanwhile is sent
as it was.
Rule 2: what of it is sent depends on the request and is decided when the response is answered with, behind all middleware.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from kingpost._native import Answer, FileBody, OpenFile
from kingpost.http.conditions import judge, wants_this_range
from kingpost.http.date import http_date, parse_http_date
from kingpost.http.disposition import attachment
from kingpost.http.extensions import OCTETS, media_type_of_name
from kingpost.http.headers import Fields
from kingpost.http.ranges import Stretch, parse_range
from kingpost.http.request import Request
from kingpost.http.response import NOSNIFF, Response

NANOSECONDS = 10**9
# What a 304 repeats of the 200 (RFC 9110 section 15.4.5).
_ABOUT_THE_CACHED = frozenset(
    {"cache-control", "content-location", "date", "etag", "expires", "vary", "set-cookie"}
)
_ABOUT_A_CONTENT = frozenset({"content-type", "content-range"})


class Representation(NamedTuple):
    """A file and what is said about it."""

    file: OpenFile
    etag: str
    """With its quotes; empty where there is none."""
    modified: int | None
    """Seconds since 1970; None where nothing is said."""
    media_type: str

    def body(self, stretches: list[Stretch], boundary: str) -> FileBody:
        """The body of a 206."""
        if len(stretches) == 1:
            return FileBody(self.file, [stretches[0]])
        parts: list[bytes | tuple[int, int]] = []
        for stretch in stretches:
            head = (
                f"\r\n--{boundary}\r\ncontent-type: {self.media_type}\r\n"
                f"content-range: {stretch.content_range(self.file.size)}\r\n\r\n"
            )
            parts += [head.encode("latin-1"), stretch]
        parts.append(f"\r\n--{boundary}--\r\n".encode())
        return FileBody(self.file, parts)

    def answer(
        self,
        request: Request,
        fields: list[tuple[str, str]],
        whole: FileBody,
        ready: Answer | None = None,
    ) -> Answer:
        """The answer to a request: all of it, some of it, or that the client has it (RFC 9110 sections 13 and 14).

        Args:
            request: what is answered.
            fields: of the 200, names in lower case.
            whole: the body of the 200.
            ready: the 200, if it was made before.

        Raises:
            PreconditionFailed: the client meant another state of it.
            HTTPError: 416, the client asked for bytes behind its end.
        """
        headers, method = request.headers, request.method
        if judge(method, headers, etag=self.etag, modified=self.modified) == "not-modified":
            kept = [field for field in fields if field[0] in _ABOUT_THE_CACHED]
            return Answer(304, [*kept, NOSNIFF], b"")
        wanted = headers.get("range")
        if (
            wanted is None
            or method != "GET"
            or not wants_this_range(headers.get("if-range"), etag=self.etag, modified=self.modified)
        ):
            return ready or Answer(200, fields, whole)
        stretches = parse_range(wanted, self.file.size)
        if stretches is None:
            return ready or Answer(200, fields, whole)
        # Drawn by lot, so that nobody can write a file that holds it.
        boundary = os.urandom(16).hex()
        if len(stretches) == 1:
            about = [
                ("content-type", self.media_type),
                ("content-range", stretches[0].content_range(self.file.size)),
            ]
        else:
            about = [("content-type", f"multipart/byteranges; boundary={boundary}")]
        kept = [field for field in fields if field[0] not in _ABOUT_A_CONTENT]
        return Answer(206, [*kept, *about], self.body(stretches, boundary))


class FileResponse(Response[None]):
    """A file, sent from where it lies; whole, in ranges, or not at all where the client has it.

    The file is opened here, so a `def` handler opens it on its own thread; an `async def` one waits for it on the loop, which is a matter of
    microseconds on a local disk: write `def` where files come over a network.

    Args:
        path: What to send. Never a path that a client gave: folders are for `kingpost.staticfiles.Static`.
        download: The name under which the browser saves it; without it, it is shown where the browser can.
        media_type: The Content-Type; by the end of the path's name if not said.
        status: 200 to 599. Only with 200 are conditions and ranges looked at.
        headers: Further fields; `etag` and `last-modified` in place of those that are made of the file.

    Raises:
        OSError: The file cannot be opened, or is no regular file; its class says why, such as FileNotFoundError.

    Example:
        `FileResponse("reports/2024.pdf", download="report.pdf")`
    """

    __slots__ = ("_file", "_whole")

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        download: str | None = None,
        media_type: str | None = None,
        status: int = 200,
        headers: Fields | None = None,
    ) -> None:
        super().__init__(
            None, status=status, headers=() if headers is None else headers, media_type=media_type
        )
        self._file = OpenFile(path)
        self._whole = FileBody(self._file)
        self.file = self._whole
        own = self.headers
        if media_type is not None:
            own["content-type"] = media_type
        if download is not None:
            own["content-disposition"] = attachment(download)
        own.fill(
            (
                ("content-type", media_type_of_name(os.fspath(path))),
                NOSNIFF,
                ("last-modified", http_date(self._file.modified_ns // NANOSECONDS)),
                ("etag", self._file.etag),
                ("accept-ranges", "bytes"),
            )
        )

    def __answer__(self, request: Request) -> Answer:
        """What is sent to a request, decided when everybody has seen the response."""
        fields = self.headers.pairs()
        self.seal()
        if self.file is not self._whole or self.status != 200:
            # Somebody has put another body in its place, or it is the page of an error.
            return Answer(self.status, fields, self.encoded or b"")
        own = self.headers
        shown = Representation(
            self._file,
            own.get("etag", ""),
            parse_http_date(own.get("last-modified")),
            own.get("content-type", OCTETS),
        )
        return shown.answer(request, fields, self._whole)
