"""What another server says of a request, written as an HTTP/1.1 head; and its body, framed as the head says.

Nothing is repaired: what is not well-formed is written so that the engine refuses it, in its own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, unquote_to_bytes

TOKEN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
"""RFC 9110 section 5.6.2."""
_NOT_IN_VALUE: Final = re.compile(rb"[\x00\r\n]")
_NOT_IN_TARGET: Final = re.compile(rb"[\x00-\x20\x7f]")

# What is said between the host and its client (RFC 9110 section 7.6.1), and not to us; the host has dealt with `expect`.
_OF_CONNECTION: Final = frozenset(
    {
        b"connection",
        b"expect",
        b"http2-settings",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"upgrade",
    }
)

# No method, no target: the engine refuses it with 400, whatever follows.
_REFUSED: Final = b"\x00\r\n\r\n"

# What a path may hold unescaped (RFC 3986 section 3.3).
_SAFE_IN_PATH: Final = "/:@!$&'()*+,;=-._~"


class Head:
    """The head of one request.

    Args:
        method: As the host says it.
        target: Path and query.
        fields: As the host says them.
        server: The name that the host answers to, for a request that names none.
        chunked: Whether a body follows whose length nobody knows.
        also: Lines behind the fields, which are written as they are.

    Attributes:
        data: The request line and the fields, with the empty line.
        path: Of the target, as it is written there.
        length: What `content-length` says, in bytes; None where it says nothing that is a number.
        is_chunked: Whether there is a `transfer-encoding`.
        expects: Whether the client waits before it sends the body.
        upgrade: What the client wants to speak instead of HTTP, in lower case; empty for nothing else.
    """

    __slots__ = ("data", "expects", "is_chunked", "length", "path", "upgrade")

    def __init__(
        self,
        method: str,
        target: bytes,
        fields: Iterable[tuple[bytes, bytes]],
        *,
        server: str,
        chunked: bool = False,
        also: Iterable[bytes] = (),
    ) -> None:
        self.path = target.partition(b"?")[0]
        self.length: int | None = None
        self.is_chunked = self.expects = False
        self.upgrade = b""
        verb = method.encode("utf-8", "replace")
        is_good = TOKEN.match(verb) is not None and is_target(target)
        lines = [b"%b %b HTTP/1.1" % (verb, target)]
        has_host = False
        for given, value in fields:
            name = given.lower()
            if TOKEN.match(name) is None or _NOT_IN_VALUE.search(value) is not None:
                is_good = False
            elif name in _OF_CONNECTION:
                self.expects = self.expects or name == b"expect"
                if name == b"upgrade":
                    self.upgrade = value.strip().lower()
            else:
                if name == b"content-length":
                    self.length = int(value) if value.isdigit() and len(value) < 20 else None
                elif name == b"transfer-encoding":
                    self.is_chunked = True
                elif name == b"host":
                    has_host = True
                lines.append(b"%b: %b" % (name, value))
        if not has_host:
            # HTTP/1.0 has none: the name that the host answers to.
            lines.insert(1, b"host: " + server.encode("ascii", "ignore"))
        if chunked and not self.is_chunked:
            self.is_chunked = True
            lines.append(b"transfer-encoding: chunked")
        lines += also
        self.data = b"\r\n".join((*lines, b"", b"")) if is_good else _REFUSED


class BodyFrame:
    """Writes a body as its head says.

    Args:
        length: Bytes that the head has promised; None: it is sent in chunks.
    """

    __slots__ = ("is_long", "is_over", "left")

    def __init__(self, length: int | None) -> None:
        self.left = length
        """Bytes that are still promised; None where no number was."""
        self.is_over = length == 0
        """Whether nothing more may be written."""
        self.is_long = False
        """Whether more has come than was promised."""

    def write(self, data: bytes, *, is_last: bool) -> bytes | None:
        """The bytes for the engine; None where the body has another length than its head said."""
        if self.left is None:
            framed = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
            self.is_over = is_last
            return framed + b"0\r\n\r\n" if is_last else framed
        self.left -= len(data)
        if self.left < 0 or (is_last and self.left):
            self.is_over, self.is_long = True, self.left < 0
            return None
        self.is_over = not self.left
        return data


def is_target(target: bytes) -> bool:
    """Whether this is a path with an optional query, or `*`: hosts have the other forms of RFC 9112 section 3.2 behind them."""
    return (target == b"*" or target.startswith(b"/")) and _NOT_IN_TARGET.search(target) is None


def target_of(path: bytes, raw: bytes | None, query: bytes, root: str) -> bytes:
    """Path and query below the place where the application is mounted, percent-encoded.

    Args:
        path: The whole path, percent-decoded.
        raw: The same as it was sent, where the host knows it; used where it means the same, since it tells `%2F` from `/`.
        query: As it was sent, without `?`.
        root: What stands before the application's own paths, without a slash at the end.
    """
    if path == b"*":
        return b"*"
    before = root.encode("utf-8", "surrogateescape")
    inside = path
    if before and (path == before or path.startswith(before + b"/")):
        inside = path[len(before) :] or b"/"
    below = _raw_below(raw, inside, root) if raw else None
    if below is None:
        below = quote(inside, safe=_SAFE_IN_PATH).encode("ascii") or b"/"
    return below + b"?" + query if query else below


def _raw_below(raw: bytes, inside: bytes, root: str) -> bytes | None:
    raw = raw.partition(b"?")[0]
    for prefix in (quote(root, safe=_SAFE_IN_PATH).encode("ascii"), root.encode(), b""):
        if raw.startswith(prefix):
            below = raw[len(prefix) :] or b"/"
            if unquote_to_bytes(below) == inside:
                return below
    return None
