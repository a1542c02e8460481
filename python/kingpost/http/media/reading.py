"""Documents of any media type as JSON: one decoder, one set of rules and limits, and one way to tell mistakes for all of them."""

from __future__ import annotations

import math
from typing import Final, cast

import msgspec

from kingpost import limits
from kingpost.errors import BadRequest
from kingpost.http.media.codec import Codec

_TOO_DEEP: Final = f"the body has more than {limits.JSON_DEPTH} lists and objects inside each other"


def as_json(codec: Codec, document: bytes) -> bytes:
    """A document as a JSON document that says the same: names that are numbers become text, and so do dates and bytes.

    Args:
        codec: What reads it.
        document: The bytes of a body.

    Raises:
        BadRequest: It is malformed, or has what JSON has not (`media.malformed`); it is so deep that it cannot be JSON
            (`json.too-deep`), though the limit itself is left to whoever reads that.
    """
    try:
        value = codec.decode(document)
    except RecursionError:
        raise BadRequest(_TOO_DEEP, code="json.too-deep") from None
    except ValueError as error:
        raise _malformed(codec, str(error)) from None
    try:
        made = msgspec.json.encode(value)
    except RecursionError:
        raise BadRequest(_TOO_DEEP, code="json.too-deep") from None
    except (TypeError, ValueError):
        # Such as an extension type of MessagePack, or a name that is a list.
        raise _malformed(codec, "it has what JSON has no form for") from None
    # JSON has null for what is no number, so that without a null there is none of them.
    if b"null" in made and _has_no_number(value):
        raise _malformed(codec, "NaN and Infinity are no numbers")
    return made


def _has_no_number(value: object) -> bool:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, float) and not math.isfinite(each):
            return True
        if isinstance(each, dict):
            waiting.extend(cast("dict[object, object]", each).values())
        elif isinstance(each, list):
            waiting.extend(cast("list[object]", each))
    return False


def _malformed(codec: Codec, problem: str) -> BadRequest:
    essence = codec.media_type.partition(";")[0].strip()
    return BadRequest(f"the body is no {essence}: {problem}", code="media.malformed")
