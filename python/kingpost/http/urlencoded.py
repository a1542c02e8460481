"""application/x-www-form-urlencoded: query strings and plain forms (https://url.spec.whatwg.org section 5.1).

Rule 1: `&` is the only separator; `;` is data (CVE-2020-28473: a cache that splits elsewhere is poisoned).
Rule 2: the number of pairs is bounded before anything is decoded (CVE-2025-46727).
Rule 3: bytes that are no UTF-8 become U+FFFD; a `%` without two hexadecimal digits stays as it is. Nothing raises on content.
"""

from __future__ import annotations

from kingpost.errors import BadRequest

_HEX = {
    f"{a}{b}".encode(): bytes([int(a + b, 16)])
    for a in "0123456789abcdefABCDEF"
    for b in "0123456789abcdefABCDEF"
}


def percent_decode(data: bytes) -> bytes:
    """`data` with every `%XX` replaced by its byte; linear in its length."""
    first, *rest = data.split(b"%")
    if not rest:
        return data
    parts = [first]
    for piece in rest:
        byte = _HEX.get(piece[:2])
        if byte is None:
            parts += (b"%", piece)
        else:
            parts += (byte, piece[2:])
    return b"".join(parts)


def parse_pairs(data: bytes, *, limit: int, what: str) -> list[tuple[str, str]]:
    """The (name, value) pairs of `data` in order; `a` is `("a", "")`, an empty piece between two `&` is nothing.

    Args:
        data: The encoded bytes.
        limit: The most pairs that are taken.
        what: "query" or "form", for the refusal's code and sentence.

    Raises:
        BadRequest: There are more pairs than `limit` (code `query.too-many-pairs` or `form.too-many-fields`).
    """
    if not data:
        return []
    if data.count(b"&") >= limit:
        # Empty pieces count here: splitting them is the work that is bounded.
        noun = "fields" if what == "form" else "pairs"
        raise BadRequest(f"the {what} has more than {limit} {noun}", code=f"{what}.too-many-{noun}")
    pairs: list[tuple[str, str]] = []
    for piece in data.split(b"&"):
        if piece:
            name, _, value = piece.partition(b"=")
            pairs.append((_text(name), _text(value)))
    return pairs


def _text(encoded: bytes) -> str:
    return percent_decode(encoded.replace(b"+", b" ")).decode("utf-8", "replace")
