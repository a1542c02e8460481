"""Forms with files (multipart/form-data): uploads that are kept for a handler, and parts that pass by.

Rule 1: memory is bounded: of a form that is received for a handler, a file beyond 256 KiB lies in a temporary file, which has no name and
is gone when it is closed.
Rule 2: what a client says of a file (its name, its type) is not to be trusted; `filename` is what is left when everything that could
lead out of a folder is taken away.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from kingpost import limits
from kingpost._native import FormRefused, MultipartParser
from kingpost.errors import BadRequest, HTTPError, UnsupportedMediaType
from kingpost.http.multidict import MultiDict
from kingpost.http.stream import BodyStream, Chunks

Head = tuple[bytes, bytes | None, bytes | None]

_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def safe_filename(name: str) -> str:
    r"""The last part of a file name as a client sent it, without what means something to a file system; `"file"` where nothing is left.

    Example:
        >>> safe_filename("../../etc/passwd"), safe_filename("CON.txt"), safe_filename("C:\\a\\b.png")
        ('passwd', '_CON.txt', 'b.png')
    """
    last = re.split(r"[/\\]", name)[-1]
    plain = _UNSAFE.sub("_", last).strip(" .")
    if not plain:
        return "file"
    # 255 bytes is what file systems take; an extension is worth more than the middle of a name.
    stem, dot, extension = plain.rpartition(".")
    if len(plain.encode()) > limits.FILENAME_BYTES:
        room = limits.FILENAME_BYTES - len(f".{extension}".encode())
        plain = (
            f"{cut(stem, room)}.{extension}"
            if dot and room > 0
            else cut(plain, limits.FILENAME_BYTES)
        )
    return f"_{plain}" if _DEVICES.fullmatch(plain) else plain


def cut(text: str, size: int) -> str:
    return text.encode()[:size].decode("utf-8", "ignore")


class FormBounds(NamedTuple):
    """How much one form may hold; None where the route does not say it, and what stands in the limits holds.

    Attributes:
        fields: fields without a file name.
        files: files.
        field: bytes of one field.
        memory: bytes of all fields together.
        file: bytes of one file.
        spool: bytes of one file that are held in memory; a larger one lies in a temporary file.
    """

    fields: int | None = None
    files: int | None = None
    field: int | None = None
    memory: int | None = None
    file: int | None = None
    spool: int | None = None

    def file_within(self, size: int) -> FormBounds:
        """These, with a size of one file where they have none."""
        return self if self.file is not None else self._replace(file=size)

    @property
    def in_memory(self) -> int:
        """Bytes of all fields together."""
        if self.memory is not None:
            return self.memory
        # Whoever allows one large field has allowed as much for all of them.
        return max(limits.FORM_BYTES, self.field or 0)


UNSAID: Final = FormBounds()
"""Of a route that says nothing."""


class UploadFile:
    """One file of a form, received whole before the handler is called.

    Attributes:
        filename: The name that the client gave, made safe to be used below a folder of yours; never empty.
        raw_filename: The name as it was sent.
        content_type: What the client said it is, "application/octet-stream" where it said nothing. Not to be trusted.
        size: Bytes.
        file: The content as an open binary file, at its beginning; closed once the answer is made.
    """

    __slots__ = ("content_type", "file", "filename", "raw_filename", "size")

    def __init__(self, raw_filename: str, content_type: str, file: IO[bytes], size: int) -> None:
        self.raw_filename = raw_filename
        self.filename = safe_filename(raw_filename)
        self.content_type = content_type
        self.file = file
        self.size = size

    def read(self) -> bytes:
        """The whole content."""
        self.file.seek(0)
        return self.file.read()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the content to a file; one that is there is replaced.

        Args:
            path: The file, not a folder: `picture.save(folder / picture.filename)`.

        Raises:
            OSError: It cannot be written.
        """
        import shutil

        self.file.seek(0)
        with Path(path).open("wb") as target:
            shutil.copyfileobj(self.file, target, limits.MIB)

    def __repr__(self) -> str:
        return f"<UploadFile {self.filename!r}, {self.size} bytes>"


class FormData:
    """The fields and the files of one form."""

    __slots__ = ("fields", "files")

    def __init__(self, fields: MultiDict, files: list[tuple[str, UploadFile]]) -> None:
        self.fields = fields
        self.files = files

    def files_of(self, name: str) -> list[UploadFile]:
        """Every file that was sent under a name."""
        return [file for known, file in self.files if known == name]

    def close(self) -> None:
        """Give the temporary files back."""
        for _, file in self.files:
            file.file.close()


def spooled(size: int) -> IO[bytes]:
    """A file in memory that goes to disk when it has more bytes than that; whoever has the form closes it."""
    import tempfile

    # To SpooledTemporaryFile, 0 is no limit.
    return tempfile.SpooledTemporaryFile(size) if size else tempfile.TemporaryFile()


class Collector:
    """Gathers a form while its bytes come.

    Args:
        content_type: as the client sent it, with the boundary.
        bounds: how much it may hold.
        open_file: opens what a file is written to; what is spooled if not said.

    Raises:
        HTTPError: The type is none of a form, or has no boundary.
    """

    def __init__(
        self,
        content_type: str,
        bounds: FormBounds,
        *,
        open_file: Callable[[], IO[bytes]] | None = None,
    ) -> None:
        self._parser = parser_of(content_type, bounds)
        self._open_file = open_file or partial(spooled, spool_of(bounds))
        self._fields: list[tuple[str, str]] = []
        self._files: list[tuple[str, UploadFile]] = []
        self._head: Head | None = None
        self._size = 0
        self._content: IO[bytes] | None = None
        self._text: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Take more of the body.

        Raises:
            HTTPError: It breaks a rule.
        """
        for event in fed(self._parser, data):
            if event is None:
                self._end()
            elif isinstance(event, bytes):
                self._size += len(event)
                if self._content is None:
                    self._text.append(event)
                else:
                    self._content.write(event)
            else:
                self._head, self._size = event, 0
                if event[1] is not None:
                    self._content = self._open_file()

    def _end(self) -> None:
        head, self._head = self._head, None
        if head is None:
            return
        name, filename, content_type = head
        if self._content is None:
            self._fields.append((text_of(name), text_of(b"".join(self._text))))
            self._text = []
            return
        content, self._content = self._content, None
        if not filename and not self._size:
            # A file input that nobody filled in.
            content.close()
            return
        content.seek(0)
        kind = "application/octet-stream" if content_type is None else text_of(content_type)
        self._files.append(
            (text_of(name), UploadFile(text_of(filename or b""), kind, content, self._size))
        )

    def finish(self) -> FormData:
        """The form.

        Raises:
            HTTPError: It is not whole.
        """
        finished(self._parser)
        return FormData(MultiDict(self._fields), self._files)

    def close(self) -> None:
        """Give back what was gathered of a form that will not be finished."""
        if self._content is not None:
            self._content.close()
        for _, file in self._files:
            file.file.close()


def text_of(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def spool_of(bounds: FormBounds) -> int:
    return limits.UPLOAD_IN_MEMORY if bounds.spool is None else bounds.spool


def parser_of(content_type: str, bounds: FormBounds) -> MultipartParser:
    try:
        return MultipartParser(
            content_type.encode("latin-1", "replace"),
            fields=bounds.fields,
            files=bounds.files,
            field=bounds.field,
            memory=bounds.in_memory,
            file=bounds.file,
        )
    except FormRefused as refused:
        raise as_http_error(refused) from None


def fed(parser: MultipartParser, data: bytes) -> list[Head | bytes | None]:
    try:
        return parser.feed(data)
    except FormRefused as refused:
        raise as_http_error(refused) from None


def finished(parser: MultipartParser) -> None:
    try:
        parser.finish()
    except FormRefused as refused:
        raise as_http_error(refused) from None


def as_http_error(refused: FormRefused) -> HTTPError:
    status, code, sentence = refused.args
    kinds: dict[int, type[HTTPError]] = {400: BadRequest, 415: UnsupportedMediaType}
    kind = kinds.get(status)
    if kind is None:
        return HTTPError(sentence, status=status, code=code)
    return kind(sentence, code=code)


async def receive(chunks: AsyncIterator[bytes], content_type: str, bounds: FormBounds) -> FormData:
    """Gather a form from an unread body on the event loop; what is large is written to disk on a thread.

    Raises:
        HTTPError: The form breaks a rule, is not whole, or its client was too slow.
    """
    collector = Collector(content_type, bounds)
    received, in_memory = 0, spool_of(bounds)
    try:
        async for chunk in chunks:
            received += len(chunk)
            if received > in_memory:
                await asyncio.to_thread(collector.feed, chunk)
            else:
                collector.feed(chunk)
        return collector.finish()
    except BaseException:
        collector.close()
        raise


class Part:
    """One part of a form, read while it arrives: `async for chunk in part`, or `for chunk in part` in a `def`.

    Attributes:
        name: The field's name.
        filename: As `UploadFile.filename`; None where the part is no file.
        content_type: As `UploadFile.content_type`; None where the client said nothing.
    """

    __slots__ = ("_stream", "content_type", "filename", "name")

    def __init__(self, stream: MultipartStream, head: Head) -> None:
        name, filename, content_type = head
        self._stream = stream
        self.name = text_of(name)
        self.filename = None if filename is None else safe_filename(text_of(filename))
        self.content_type = None if content_type is None else text_of(content_type)

    def __iter__(self) -> Iterator[bytes]:
        while True:
            event = self._stream.next_event(self)
            if isinstance(event, bytes):
                yield event
            elif event is MORE:
                self._stream.read()
            else:
                return

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            event = self._stream.next_event(self)
            if isinstance(event, bytes):
                yield event
            elif event is MORE:
                await self._stream.aread()
            else:
                return

    def text(self) -> str:
        """What is left of the part, as text, in a `def`."""
        return text_of(b"".join(self))

    async def atext(self) -> str:
        """What is left of the part, as text, in an `async def`."""
        return text_of(b"".join([chunk async for chunk in self]))


MORE: Final[Any] = object()


class MultipartStream:
    """The unread form of a request: `async for part in form`, and in it `async for chunk in part`; without `async` in a `def`.

    It can be read once, in order; a part that is not read to its end is skipped. Nothing is kept, so memory stays flat whatever the size.

    Iterating raises:
        HTTPError: The form breaks a rule, the client broke off, was too slow or sent more than the route's `max_body`.
        RuntimeError: It was read already.
    """

    def __init__(self, chunks: Chunks, content_type: str, bounds: FormBounds) -> None:
        self._parser = parser_of(content_type, bounds)
        self._body = BodyStream(chunks)
        self._blocking: Iterator[bytes] | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        self._events: list[Head | bytes | None] = []
        self._current: Part | None = None
        self._is_over = False

    def __iter__(self) -> Iterator[Part]:
        self._blocking = iter(self._body)
        while True:
            part = self.next_part()
            if part is MORE:
                self.read()
            elif part is None:
                return
            else:
                yield part

    async def __aiter__(self) -> AsyncIterator[Part]:
        self._chunks = aiter(self._body)
        while True:
            part = self.next_part()
            if part is MORE:
                await self.aread()
            elif part is None:
                return
            else:
                yield part

    def next_part(self) -> Any:
        """The next part; None at the end; MORE where bytes must come first."""
        while self._events:
            event = self._events.pop(0)
            if isinstance(event, tuple):
                self._current = Part(self, event)
                return self._current
        return None if self._is_over else MORE

    def next_event(self, part: Part) -> Any:
        """What comes next of a part: bytes, None at its end, MORE where bytes must come first."""
        if self._current is not part:
            return None
        if self._events:
            event = self._events.pop(0)
            if event is None:
                self._current = None
            return event
        return None if self._is_over else MORE

    def read(self) -> None:
        """Take in more of the body, in a `def`."""
        if self._blocking is None:
            raise RuntimeError("a form that is read in an async def is read with `async for`")
        self._take(next(self._blocking, b""))

    async def aread(self) -> None:
        """Take in more of the body, in an `async def`."""
        if self._chunks is None:
            raise RuntimeError("a form that is read in a def is read with a plain `for`")
        self._take(await anext(self._chunks, b""))

    def _take(self, chunk: bytes) -> None:
        if chunk:
            self._events += fed(self._parser, chunk)
            return
        finished(self._parser)
        self._is_over = True


def collected(body: bytes, content_type: str, bounds: FormBounds) -> FormData:
    """A form whose body is at hand. Its files stay in memory, as the body does: nobody has to close them.

    Raises:
        HTTPError: It breaks a rule, or is not whole.
    """
    collector = Collector(content_type, bounds, open_file=io.BytesIO)
    try:
        collector.feed(body)
        return collector.finish()
    except BaseException:
        collector.close()
        raise
