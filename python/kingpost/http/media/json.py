"""JSON bodies (RFC 8259), read strictly and within limits.

At most 64 levels deep, integers of at most 4,300 digits, no NaN and no Infinity, UTF-8 only. A document that breaks a limit is the
client's mistake (400), never a RecursionError of ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar, overload

import msgspec

from kingpost import limits
from kingpost.errors import BadRequest

T = TypeVar("T")


class Json:
    """JSON among the formats of a route: what an answer is where nobody says anything else."""

    media_type = "application/json"
    extension = "json"

    def encode(self, value: Any, /) -> bytes:
        """The bytes of a value.

        Raises:
            TypeError: JSON has no form for it.
        """
        return msgspec.json.encode(value)

    def decode(self, document: bytes, /) -> Any:
        """The value of a document.

        Raises:
            BadRequest: It is empty, malformed, too deep or has too long an integer; the code says which.
        """
        return decode(document)


# Objects and arrays alike become "[" and "]"; every other byte is dropped.
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_PAIR = b"[]"


def is_too_deep(document: bytes) -> bool:
    """Whether a well-formed document has more than 64 arrays and objects inside each other.

    Costs two searches for an ordinary body, and at most 64 passes over its brackets otherwise.
    """
    if document.count(b"[") + document.count(b"{") <= limits.JSON_DEPTH:
        return False
    brackets = _without_strings(document).translate(_BRACKETS, _NOT_BRACKETS)
    # Each pass takes away the innermost level everywhere, so what is left after 64 passes was deeper.
    for _ in range(limits.JSON_DEPTH):
        if not brackets:
            return False
        brackets = brackets.replace(_PAIR, b"")
    return bool(brackets)


def _without_strings(document: bytes) -> bytes:
    # Escaped backslashes first, then escaped quotes: every quote that is left begins or ends a string.
    bare = document.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(bare.split(b'"')[::2])


@overload
def decode(document: bytes) -> Any: ...
@overload
def decode(document: bytes, decoder: Callable[[bytes], T]) -> T: ...
def decode(document: bytes, decoder: Callable[[bytes], Any] = msgspec.json.decode) -> Any:
    """The value of a JSON document.

    Args:
        document: The bytes of a body.
        decoder: What decodes it, such as `msgspec.json.Decoder(Todo).decode`.

    Raises:
        BadRequest: It is empty, malformed, too deep or has too long an integer; the code says which.
        msgspec.ValidationError: It is well-formed, and not of the decoder's type.
    """
    if not document:
        raise BadRequest("the body is empty, and a JSON document was expected", code="json.empty")
    try:
        value = decoder(document)
    except RecursionError:
        raise BadRequest(_TOO_DEEP, code="json.too-deep") from None
    except UnicodeDecodeError:
        raise BadRequest(
            f"the body is no JSON: {_wrong_byte(document)}", code="json.malformed"
        ) from None
    except msgspec.ValidationError as error:
        if _is_out_of_range(error):
            raise BadRequest(_NUMBER, code="json.number-too-long") from None
        raise
    except msgspec.DecodeError as error:
        # The decoder takes a surrogate without its other half for the end of the document.
        reason = _lone_surrogate(document) or str(error)
        raise BadRequest(f"the body is no JSON: {reason}", code="json.malformed") from None
    if is_too_deep(document):
        raise BadRequest(_TOO_DEEP, code="json.too-deep")
    return value


def _wrong_byte(document: bytes) -> str:
    """Where bytes are no UTF-8, counted from the document's first: the decoder counts from where a text in it begins."""
    try:
        document.decode()
    except UnicodeDecodeError as error:
        return f"{error.reason} at byte {error.start}"
    return "a text is not UTF-8"


_ESCAPE: Final = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)


def _lone_surrogate(document: bytes) -> str:
    """What is wrong with the first escape of a document that is half of a character; "" where there is none (RFC 8259 section 8.2)."""
    high: re.Match[bytes] | None = None
    for escape in _ESCAPE.finditer(document):
        unit = 0 if escape[1] is None else int(escape[1], 16)
        is_low = 0xDC00 <= unit <= 0xDFFF
        if high is not None and not (is_low and escape.start() == high.end()):
            break
        if high is None and is_low:
            high = escape
            break
        high = escape if 0xD800 <= unit <= 0xDBFF else None
    if high is None:
        return ""
    return f"{high[0].decode()} at byte {high.start()} is half of a surrogate pair, and stands for no character alone"


_TOO_DEEP = (
    f"the JSON document has more than {limits.JSON_DEPTH} arrays and objects inside each other"
)
_NUMBER = f"the JSON document has a number with more than {limits.JSON_INTEGER_DIGITS} digits or an exponent beyond a double's"


def _is_out_of_range(error: msgspec.ValidationError) -> bool:
    # msgspec says so for untyped numbers too, where no type of the user's was broken.
    return str(error).startswith(("Integer value out of range", "Number out of range"))
