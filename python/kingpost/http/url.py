r"""URLs that we write: percent-encoding, query strings, absolute URLs, and whether a location stays on this site.

Rule: a location is judged as a browser reads it (https://url.spec.whatwg.org section 4.4), not as RFC 3986 does: tabs and line ends vanish,
leading blanks vanish, a backslash is a slash. `/\\evil.example` is another site.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

# RFC 3986 section 2.3 (unreserved), with what a path segment may hold besides (section 3.3: sub-delims, ":" and "@").
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SEGMENT = _UNRESERVED | frozenset(b"!$&'()*+,;=:@")
# Everything that may stand in a whole reference, "%" included, so that encoding twice changes nothing.
_REFERENCE = _SEGMENT | frozenset(b"/?#[]%")

_ENCODED = tuple(f"%{byte:02X}" for byte in range(256))


def _encode(data: bytes, kept: frozenset[int]) -> str:
    if kept.issuperset(data):
        return data.decode("ascii")
    return "".join(chr(byte) if byte in kept else _ENCODED[byte] for byte in data)


def encode_segment(text: str) -> str:
    """`text` as one segment of a path: a slash in it becomes `%2F`, so it cannot add a segment.

    `.` and `..` alone would be taken as steps by browsers, encoded or not (WHATWG URL section 4.1).

    Raises:
        ValueError: The text is `.` or `..`, or holds a lone surrogate.
    """
    if text in (".", ".."):
        raise ValueError(
            f"{text!r} cannot be a part of a path: browsers take it as a step, encoded or not"
        )
    return _encode(text.encode(), _SEGMENT)


def encode_path(text: str) -> str:
    """`text` as a path: slashes stay, everything that is not allowed in a segment is percent-encoded."""
    return _encode(text.encode(), _SEGMENT | frozenset(b"/"))


def encode_query(pairs: Mapping[str, object] | Iterable[tuple[str, object]]) -> str:
    """`a=1&b=x%20y` of pairs; a list or tuple as a value repeats its name; None leaves it out.

    A space becomes `%20`, which both ways of decoding a query read as a space.
    """
    items = cast("Mapping[str, object]", pairs).items() if isinstance(pairs, Mapping) else pairs
    return "&".join(
        f"{_encode(name.encode(), _UNRESERVED)}={_encode(_text(one).encode(), _UNRESERVED)}"
        for name, value in items
        for one in _each(value)
        if one is not None
    )


def _each(value: object) -> Sequence[object]:
    return cast("Sequence[object]", value) if isinstance(value, list | tuple) else (value,)


def _text(value: object) -> str:
    # As JSON and our own binding write them.
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value)


def encode_reference(text: str) -> str:
    """A URL reference with everything that a header may not hold percent-encoded as UTF-8; what is encoded already stays."""
    return _encode(text.encode("utf-8", "replace"), _REFERENCE)


def absolute_url(scheme: str, host: str, path: str) -> str:
    """`https://example.org/path` of the validated parts of a request.

    Raises:
        ValueError: The host is empty or holds a character that would end it, or the path does not begin with a slash (CVE-2026-48710:
            an authority such as `a/?` must not move the path).
    """
    if not host or any(
        character in "/\\?#@" or character <= " " or character >= "\x7f" for character in host
    ):
        raise ValueError(f"host {host!r}: it cannot stand in a URL")
    if not path.startswith("/"):
        raise ValueError(f"path {path!r}: it does not begin with '/'")
    return f"{scheme}://{host}{path}"


def leaves_site(location: str) -> str:
    """Why a browser could follow `location` to another site, as the end of a sentence; "" when it cannot.

    A local location is a path (`/a`), a query (`?a`), a fragment (`#a`) or a relative path (`a/b`).
    """
    if any(character < " " or character == "\x7f" for character in location):
        return "it holds a control character, and browsers drop those before they read it"
    if location != location.strip():
        return "it begins or ends with a blank"
    if "\\" in location:
        return "it holds a backslash, which browsers read as a slash"
    lower = location[:12].lower()
    # Proxies that decode once more would make these two slashes.
    if lower.startswith(("//", "/%2f", "/%5c", "%2f", "%5c")):
        return "it begins with two slashes, so what follows is a host"
    scheme, colon, _ = location.partition(":")
    if colon and not any(character in "/?#" for character in scheme):
        return f"it begins with a scheme, {scheme!r}"
    return ""
