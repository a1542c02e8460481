"""Header fields: those of a request come from the engine, those of a response are written here.

Rule: a name or value that could end the line early is refused where it is set, so the traceback shows the line that did it; the engine
checks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from functools import lru_cache
from typing import TypeAlias, cast

from kingpost._native import Headers
from kingpost.http.media_type import is_token

__all__ = ["Fields", "Headers", "ResponseHeaders", "check_field"]

Fields: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
"""Names and values: a mapping, or pairs where a name may come twice."""

# Printable ASCII, space and tab (RFC 9110 section 5.5). Bytes above 127 have no agreed meaning there.
_VALUE_CHARACTERS = frozenset(map(chr, range(0x20, 0x7F))) | {"\t"}

SERVERS_OWN: Mapping[str, str] = {
    "connection": "the server decides whether the connection is kept",
    "content-length": "the server counts the body",
    "date": "the server's clock sets it",
    "keep-alive": "the server decides whether the connection is kept",
    "trailer": "the server sends no trailers",
    "transfer-encoding": "the server frames the body",
    "upgrade": "the server decides which protocol is spoken",
}
"""The fields that nobody else sets, and why."""


def check_field(name: str, value: str) -> tuple[str, str]:
    """The name in lower case and the value without blanks around it.

    Raises:
        TypeError: One of them is not a str.
        ValueError: The name is no token, the value holds a character that no field may hold (CR, LF, NUL, other controls, non-ASCII),
            or the field is the server's own. The message names the field.
    """
    if not _are_texts(name, value):
        raise TypeError(
            f"header {name!r}: name and value are str, not {type(value).__name__}; write headers[{str(name)!r}] = str(value)"
        )
    lower = _checked_name(name)
    # The first two look at flags and at C speed; a tab is all that they miss.
    if not (value.isascii() and value.isprintable()) and not _VALUE_CHARACTERS.issuperset(value):
        bad = next(character for character in value if character not in _VALUE_CHARACTERS)
        raise ValueError(
            f"header {name!r}: the value holds {bad!a}, and a field value is printable ASCII (RFC 9110 section 5.5); "
            "percent-encode it, or remove line ends from what users wrote"
        )
    return lower, value.strip(" \t")


@lru_cache(256)
def _checked_name(name: str) -> str:
    """The name in lower case; a program sets the same few again and again."""
    if not is_token(name):
        raise ValueError(
            f"header name {name!r}: only ASCII letters, digits and !#$%&'*+-.^_`|~ may stand in it (RFC 9110 section 5.6.2)"
        )
    lower = name.lower()
    reason = SERVERS_OWN.get(lower)
    if reason is not None:
        raise ValueError(f"header {name!r} is not yours to set: {reason}; leave it out")
    return lower


def sent_already(name: str) -> RuntimeError:
    return RuntimeError(
        f"header {name!r} of a response that was sent already: it would be sent to other visitors as well; "
        "make a new Response for each request"
    )


def _are_texts(name: object, value: object) -> bool:
    # Typed as object: who calls without a checker may give anything.
    return isinstance(name, str) and isinstance(value, str)


def pairs_of(fields: Fields) -> Iterable[tuple[str, str]]:
    """The (name, value) pairs of a mapping or of pairs."""
    if isinstance(fields, Mapping):
        return cast("Mapping[str, str]", fields).items()
    return fields


class ResponseHeaders(MutableMapping[str, str]):
    """The fields of a response: names compare without case and are kept in lower case, in the order of setting.

    `headers["x"] = "1"` replaces, `headers.add("vary", "accept")` adds one more of that name. Reading gives the first; `get_all` every one.
    `len()` and iteration speak of names, `pairs()` of every field.

    Args:
        fields: A mapping, or (name, value) pairs where a name may come twice.

    Raises:
        ValueError: As `check_field`.
        RuntimeError: A field of a response that was sent already is changed.
    """

    __slots__ = ("_is_sealed", "_pairs")

    def __init__(self, fields: Fields | None = None) -> None:
        self._pairs: list[tuple[str, str]] = []
        self._is_sealed = False
        if fields is None:
            return
        if isinstance(fields, ResponseHeaders):
            self._pairs = fields.pairs()
            return
        for name, value in pairs_of(fields):
            self.add(name, value)

    def __getitem__(self, name: str, /) -> str:
        lower = name.lower()
        for field, value in self._pairs:
            if field == lower:
                return value
        raise KeyError(name)

    def __setitem__(self, name: str, value: str, /) -> None:
        if self._is_sealed:
            raise sent_already(name)
        field = check_field(name, value)
        lower = field[0]
        for index, (present, _) in enumerate(self._pairs):
            if present == lower:
                later = [pair for pair in self._pairs[index + 1 :] if pair[0] != lower]
                self._pairs[index:] = [field, *later]
                return
        self._pairs.append(field)

    def __delitem__(self, name: str, /) -> None:
        if self._is_sealed:
            raise sent_already(name)
        lower = name.lower()
        kept = [pair for pair in self._pairs if pair[0] != lower]
        if len(kept) == len(self._pairs):
            raise KeyError(name)
        self._pairs = kept

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for name, _ in self._pairs))

    def __len__(self) -> int:
        return len({name for name, _ in self._pairs})

    def __contains__(self, name: object, /) -> bool:
        return isinstance(name, str) and any(present == name.lower() for present, _ in self._pairs)

    def add(self, name: str, value: str, /) -> None:
        """One more field of that name, after those that are there."""
        if self._is_sealed:
            raise sent_already(name)
        self._pairs.append(check_field(name, value))

    def fill(self, fields: Iterable[tuple[str, str]], /) -> None:
        """Fields that `check_field` gave, or that need no check, names in lower case: each is set where there is none of its name."""
        present = {name for name, _ in self._pairs}
        absent = [field for field in fields if field[0] not in present]
        if absent and self._is_sealed:
            raise sent_already(absent[0][0])
        self._pairs += absent

    def get_all(self, name: str, /) -> list[str]:
        """Every value of `name` in the order of setting; an empty list when there is none."""
        lower = name.lower()
        return [value for present, value in self._pairs if present == lower]

    @property
    def is_sealed(self) -> bool:
        """Whether no field may change any more."""
        return self._is_sealed

    def seal(self) -> None:
        """Let no field change any more: the response that they are of is on its way."""
        self._is_sealed = True

    def pairs(self) -> list[tuple[str, str]]:
        """Every field, repeated names included, in the order in which they are sent."""
        return list(self._pairs)

    def __repr__(self) -> str:
        return f"ResponseHeaders({self._pairs!r})"
