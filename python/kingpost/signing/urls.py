"""`SignedUrls`: links that work as they were given out, and in no other way.

Rule 1: what is signed is what the client sends, byte for byte: the path and the query up to the signature, which stands last. Reordered,
added, removed or re-encoded parameters are refused: a name that stands twice means its first value to us, so order has meaning.
Rule 2: a URL is written as browsers send it before it is signed, so that they have nothing to change about it.
Rule 3: an absolute URL is bound to its host, which may be another customer's; not to its scheme, which ends at a proxy.
Rule 4: it is bound to its method, GET if not said, and HEAD asks what GET answers.
"""

from __future__ import annotations

import re
import time
from typing import Protocol

from kingpost.signing.errors import refused
from kingpost.signing.keys import KeyRing, with_length
from kingpost.signing.signer import is_signed, mac
from kingpost.signing.stamp import STAMP_BYTES, Clock, Duration, Unreadable, stamped, unstamped
from kingpost.signing.text import from_text, to_text

PARAMETER = "signature"

_WITH_HOST, _ANY_METHOD = 1, 2
# The stamp and one byte of flags; a dot; 32 bytes of HMAC.
_TOKEN_CHARACTERS = (STAMP_BYTES + 1) // 3 * 4 + 1 + 43
_ABSOLUTE = re.compile(r"(https?)://([A-Za-z0-9._:\[\]-]+)(/.*|\?.*|)", re.ASCII | re.DOTALL)
_PORTS = {"http": ":80", "https": ":443"}
_METHOD = re.compile(r"[A-Z]+", re.ASCII)
# RFC 3986 sections 3.3 and 3.4, without the quote, which browsers encode in queries, and with "%", which begins what is encoded already.
_IN_PATH = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/%"
)
_IN_QUERY = (_IN_PATH | frozenset(b"?")) - frozenset(b"'")


class SignedRequest(Protocol):
    """What is looked at of a request: `Request` has it."""

    @property
    def method(self) -> str:
        """As sent."""
        ...

    @property
    def host(self) -> str:
        """The checked Host."""
        ...

    @property
    def raw_path(self) -> bytes:
        """The path, as sent."""
        ...

    @property
    def query_string(self) -> bytes:
        """What stands behind the question mark, as sent."""
        ...


class SignedUrls:
    """Signs links, and checks requests that come by them.

    A handler that names it gets the one with the keys of the App's settings. `before=[require_signed_url]` on a route checks for it.

    Args:
        keys: The ring.
        clock: Gives seconds since 1970; for tests.

    Example:
        >>> urls = SignedUrls(KeyRing("a key of at least 32 characters, for this example"), clock=lambda: 1_800_000_000)
        >>> urls.sign("/reports/7?page=2", expires_in=3600)
        '/reports/7?page=2&signature=AQBrSdIAAGtJ4BAA.EOS_KsSdlCZk6klsZxWAN-iKcVU4xKIA2PysMyJHLZk'
    """

    __slots__ = ("_clock", "_keys")

    def __init__(self, keys: KeyRing, *, clock: Clock = time.time) -> None:
        self._keys = keys.derive("signed URL")
        self._clock = clock

    def sign(
        self, url: str, *, expires_in: Duration | None = None, method: str | None = "GET"
    ) -> str:
        """The URL with `signature=…` at the end of its query; a fragment stays behind it.

        Args:
            url: A path such as `request.url_for(…)` gives, then it works on every host of the App; or an absolute http or https URL, then it
                works on that host only.
            expires_in: Seconds, or a timedelta, above 0; without it the link works as long as the key is in the ring.
            method: What may be done with it, such as "POST"; GET includes HEAD; None lets every method pass.

        Raises:
            ValueError: Browsers would ask for something else than this URL, or it has a parameter called "signature".
        """
        url, hash_sign, fragment = url.partition("#")
        start, host, target = _split(url)
        path, _, query = target.partition("?")
        _check(url, path, query)
        path = _encoded(path or "/", _IN_PATH)
        query = _encoded(query, _IN_QUERY)
        if method is not None and _METHOD.fullmatch(method) is None:
            raise ValueError(
                f'method={method!r} is no method: write it in capitals, such as "POST"'
            )
        flags = (_WITH_HOST if host else 0) | (_ANY_METHOD if method is None else 0)
        stamp = to_text(stamped(bytes([flags]), self._clock, expires_in))
        signed = message(stamp, method or "", host, path.encode(), query.encode())
        signature = f"{PARAMETER}={stamp}.{mac(self._keys[0], signed)}"
        query = f"{query}&{signature}" if query else signature
        return f"{start}{path}?{query}{hash_sign}{fragment}"

    def check(self, request: SignedRequest) -> None:
        """Let a request pass that asks for a URL which was signed.

        Raises:
            BadSignature: 403: there is no signature, anything about the URL was altered, it has ended, or it was signed for another method or
                host.
        """
        what = "a signed URL"
        query, _, token = request.query_string.rpartition(f"{PARAMETER}=".encode())
        stands_last = not query or (query != b"&" and query.endswith(b"&"))
        if not stands_last or len(token) != _TOKEN_CHARACTERS or not token.isascii():
            raise refused(what, "its query does not end with a signature")
        stamp, _, signature = token.decode("ascii").partition(".")
        data = from_text(stamp)
        if data is None or len(data) != STAMP_BYTES + 1:
            raise refused(what, "its signature has no stamp")
        flags = data[-1]
        method = "GET" if request.method == "HEAD" else request.method
        signed = message(
            stamp,
            "" if flags & _ANY_METHOD else method,
            request.host.lower() if flags & _WITH_HOST else "",
            request.raw_path,
            query.removesuffix(b"&"),
        )
        if not is_signed(self._keys, signed, signature):
            raise refused(what, "it was altered, is for another method or host, or its key is gone")
        try:
            _, late = unstamped(data, self._clock, None)
        except Unreadable as error:
            raise refused(what, str(error)) from None
        if late:
            raise refused(what, late, has_expired=True)


def message(stamp: str, method: str, host: str, path: bytes, query: bytes) -> bytes:
    """What the signature of a URL stands for."""
    return b"".join(map(with_length, (stamp.encode(), method.encode(), host.encode(), path, query)))


def _split(url: str) -> tuple[str, str, str]:
    """What stands in front of the path, the host as browsers send it, and the path with its query."""
    if url.startswith("/") and not url.startswith("//"):
        return "", "", url
    found = _ABSOLUTE.fullmatch(url)
    if found is None:
        raise ValueError(
            f"{url!r} cannot be signed: give a path that begins with one slash, or an http or https URL with a host in ASCII"
        )
    scheme, host, target = found.groups()
    host = host.lower().removesuffix(_PORTS[scheme])
    return f"{scheme}://{host}", host, target


def _check(url: str, path: str, query: str) -> None:
    if any(character < " " or character in "\\\x7f" for character in url):
        raise ValueError(
            f"{url!r} cannot be signed: browsers drop its control characters, or read a backslash as a slash"
        )
    dots = (part.lower().replace("%2e", ".") for part in path.split("/"))
    if any(part in (".", "..") for part in dots):
        raise ValueError(
            f"{url!r} cannot be signed: browsers resolve its dots, and ask for another path"
        )
    if any(pair.partition("=")[0] == PARAMETER for pair in query.split("&")):
        raise ValueError(f"{url!r} cannot be signed: it has a parameter {PARAMETER!r} already")


def _encoded(text: str, kept: frozenset[int]) -> str:
    data = text.encode("utf-8")
    if kept.issuperset(data):
        return text
    return "".join(chr(byte) if byte in kept else f"%{byte:02X}" for byte in data)
