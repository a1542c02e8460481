"""Reading answers off the wire: bytes in, events out, no sockets.

The client side of HTTP/1.1 as far as our own engine speaks it: for the test client, and where another server calls us. It is
strict where an answer would be ambiguous, since who forgives hides the bug.
"""

from __future__ import annotations

from dataclasses import dataclass, field


class BadReply(Exception):
    """The bytes are not a well-formed HTTP/1 response."""


@dataclass(slots=True)
class ReplyHead:
    """Status line and fields, as they came."""

    status: int
    reason: str
    fields: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def get(self, name: str) -> str | None:
        """The first value of a field; `name` is in lower case."""
        return next((value for known, value in self.fields if known == name), None)


class ReplyReader:
    """Reads one response after another from bytes that arrive in any pieces.

    Args:
        method: Of the request, since the answer to HEAD has no body whatever it says (RFC 9112 section 6.3).
        talks: Whether what follows a 101 is read as a body without end.
    """

    def __init__(self, method: str, *, talks: bool = False) -> None:
        self._method = method
        self._talks = talks
        self._rest = bytearray()
        self._left: int | None = None
        self._chunked = False
        self._trailers = False
        self.head: ReplyHead | None = None
        """The final response's head; None until it is complete. Interim ones (1xx) are kept in `interim`."""
        self.interim: list[ReplyHead] = []
        self.done = False
        """Whether the response is complete."""

    @property
    def rest(self) -> bytes:
        """Bytes after a response that is complete."""
        return bytes(self._rest)

    def feed(self, data: bytes) -> bytes:
        """Takes bytes in and returns what they bring of the body.

        Raises:
            BadReply: they are not HTTP.
        """
        self._rest += data
        while self.head is None:
            end = self._rest.find(b"\r\n\r\n")
            if end < 0:
                return b""
            head = _head(bytes(self._rest[:end]))
            del self._rest[: end + 4]
            if 100 <= head.status < 200 and head.status != 101:
                self.interim.append(head)
                continue
            self.head = head
            self._frame(head)
        if self.done:
            return b""
        return self._chunks() if self._chunked else self._plain()

    def end(self) -> None:
        """Says that the connection has closed.

        Raises:
            BadReply: the response was not complete.
        """
        if self.head is None:
            raise BadReply("the connection was closed before the answer")
        if not self.done and (self._chunked or self._left is not None):
            raise BadReply("the connection was closed in the middle of the answer")
        self.done = True

    def _frame(self, head: ReplyHead) -> None:
        if head.status == 101 and self._talks:
            return
        if self._method == "HEAD" or head.status in (101, 204, 304):
            self.done = True
            return
        coding = head.get("transfer-encoding")
        length = head.get("content-length")
        if coding is not None:
            if coding.lower() != "chunked" or length is not None:
                raise BadReply(f"transfer-encoding {coding!r} with content-length {length!r}")
            self._chunked = True
        elif length is not None:
            if not (length.isascii() and length.isdigit()):
                raise BadReply(f"content-length is {length!r}")
            self._left = int(length)
            self.done = self._left == 0

    def _plain(self) -> bytes:
        if self._left is None:
            data = bytes(self._rest)
            self._rest.clear()
            return data
        data = bytes(self._rest[: self._left])
        del self._rest[: len(data)]
        self._left -= len(data)
        self.done = self._left == 0
        return data

    def _chunks(self) -> bytes:
        out = bytearray()
        while not self.done:
            if self._left is None and not self._next_size():
                break
            if self._left:
                piece = self._rest[: self._left]
                del self._rest[: len(piece)]
                out += piece
                self._left -= len(piece)
                if self._left:
                    break
            if len(self._rest) < 2:
                break
            if not self._rest.startswith(b"\r\n"):
                raise BadReply("a chunk is longer than it says")
            del self._rest[:2]
            self._left = None
        return bytes(out)

    def _next_size(self) -> bool:
        """Reads a chunk's size, or the trailers after the last one; False while they are incomplete."""
        while True:
            end = self._rest.find(b"\r\n")
            if end < 0:
                return False
            line = bytes(self._rest[:end])
            del self._rest[: end + 2]
            if self._trailers:
                if not line:
                    self.done = True
                    return False
                continue
            try:
                size = int(line.partition(b";")[0], 16)
            except ValueError:
                raise BadReply(f"{line[:20]!r} is not the size of a chunk") from None
            if size:
                self._left = size
                return True
            self._trailers = True


def _head(raw: bytes) -> ReplyHead:
    lines = raw.decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    code, _, reason = rest.partition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or len(code) != 3 or not code.isdigit():
        raise BadReply(f"{lines[0][:60]!r} is not a status line")
    head = ReplyHead(int(code), reason)
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadReply(f"{line[:60]!r} is not a header field")
        head.fields.append((name.lower(), value.strip(" \t")))
    return head
