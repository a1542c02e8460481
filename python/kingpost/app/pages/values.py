"""Showing any value of a user's program: bounded, never raising, and without secrets.

Rule 1: what is named like a secret is `***`, as a variable, a key, a field, an attribute or a header; so is every `Secret`, and the
password in a URL.
Rule 2: no value is asked for more than is shown of it: a long text is cut before it is quoted, a container after its first items.
Rule 3: `repr()` is the user's code: whatever it raises is said in place of the value.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, cast

import msgspec

from kingpost import limits
from kingpost.settings import Secret

MASK = "***"

_SECRET_WORDS = (
    "password", "passwd", "passphrase", "secret", "token", "apikey", "api_key", "api-key", "authorization", "cookie", "credential",
    "private_key", "privatekey", "session_id", "sessionid", "session_key", "csrf", "totp",
)  # fmt: skip
_ITEMS = 20
_DEPTH = 4

# A name and what stands between it and its value, as in `password='x'`, `"token": "x"` and `secret=x&`. It begins only where a word begins,
# and no repetition goes back, so a text is read once.
_ASSIGNMENT = re.compile(r"(?<![\w-])([\w-]++)[\"']?\s*+[=:]\s*+")
_VALUE = re.compile(
    r"'(?:[^'\\]|\\.)*+'?|\"(?:[^\"\\]|\\.)*+\"?|(?:(?i:bearer|basic|digest)\s++)?+[^\s,;&)}\]>]++"
)

# `scheme://name:password@host`, wherever it stands.
_USER_INFORMATION = re.compile(r"(?<=://)([^\s/@:'\"]*+):[^\s/@'\"]*+@")


def is_secret_name(name: str) -> bool:
    """Whether something of this name is not shown: it holds a word such as "password" or "token"."""
    lower = name.lower()
    return any(word in lower for word in _SECRET_WORDS)


def masked_text(text: str) -> str:
    """`text` with what looks like an assigned secret replaced: `token=abc` becomes `token=***`, `db://me:abc@host` `db://me:***@host`."""
    parts: list[str] = []
    position = 0
    while found := _ASSIGNMENT.search(text, position):
        parts.append(text[position : found.end()])
        position = found.end()
        value = _VALUE.match(text, position) if is_secret_name(found[1]) else None
        if value is not None:
            parts.append(MASK)
            position = value.end()
    return _USER_INFORMATION.sub(rf"\1:{MASK}@", "".join(parts) + text[position:])


def shown(value: object, *, name: str = "") -> str:
    """`value` as Python would write it, at most 400 characters; `***` if it or its name is secret.

    Args:
        value: Anything.
        name: What it is called where it stands.
    """
    try:
        if name and is_secret_name(name) and not _is_harmless(value):
            return MASK
        text = _shown(value, _DEPTH)
    except BaseException as error:  # noqa: BLE001 - the user's code may raise anything, SystemExit too
        text = _failed(value, error)
    return _cut(text)


def _is_harmless(value: object) -> bool:
    """Code and nothings: a function called `check_token` is no secret, and that `session` is None may be the bug."""
    return (
        value is None
        or isinstance(value, bool | type)
        or (callable(value) and hasattr(value, "__code__"))
    )


def _shown(value: object, depth: int) -> str:
    if isinstance(value, Secret):
        return repr(cast("Secret[object]", value))
    if isinstance(value, str | bytes | bytearray):
        return _shown_text(value)
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 4_000:
        return f"<int of {value.bit_length()} bits>"
    shower = _shower_for(value)
    if shower is not None:
        return shower(value, depth - 1) if depth > 0 else f"<{type(value).__name__}>"
    return masked_text(repr(value)[: limits.TRACEBACK_VALUE_CHARACTERS * 4])


def _shown_text(value: str | bytes | bytearray) -> str:
    limit = limits.TRACEBACK_VALUE_CHARACTERS
    if len(value) <= limit:
        return masked_text(repr(value))
    unit = "characters" if isinstance(value, str) else "bytes"
    return f"{masked_text(repr(value[: limit - 40]))}… {len(value)} {unit}"


def _shower_for(value: object) -> Callable[[Any, int], str] | None:
    kind = type(value)
    if kind in _CONTAINERS:
        return _CONTAINERS[kind]
    if isinstance(value, dict):
        return _shown_dict
    if isinstance(value, msgspec.Struct):
        return _shown_struct
    if dataclasses.is_dataclass(value) and kind.__dataclass_params__.repr:  # type: ignore[attr-defined]  # typeshed leaves it out
        return _shown_dataclass
    return None


def _shown_dict(value: Mapping[object, object], depth: int) -> str:
    parts = [
        f"{_shown(key, depth)}: {_item(key, item, depth)}"
        for key, item in islice(value.items(), _ITEMS)
    ]
    return "{" + ", ".join(parts) + _more(len(value)) + "}"


def _item(key: object, item: object, depth: int) -> str:
    return (
        MASK
        if isinstance(key, str) and is_secret_name(key) and not _is_harmless(item)
        else _shown(item, depth)
    )


def _sequence(opening: str, closing: str) -> Callable[[Any, int], str]:
    def show(value: Any, depth: int) -> str:
        parts = [_shown(item, depth) for item in islice(value, _ITEMS)]
        return opening + ", ".join(parts) + _more(len(value)) + closing

    return show


_CONTAINERS: Mapping[type, Callable[[Any, int], str]] = {
    dict: _shown_dict,
    list: _sequence("[", "]"),
    tuple: _sequence("(", ")"),
    set: _sequence("{", "}"),
    frozenset: _sequence("frozenset({", "})"),
}


def _more(count: int) -> str:
    return f", … {count - _ITEMS} more" if count > _ITEMS else ""


def _shown_struct(value: msgspec.Struct, depth: int) -> str:
    return _shown_fields(value, value.__struct_fields__, depth)


def _shown_dataclass(value: Any, depth: int) -> str:
    return _shown_fields(
        value, [field.name for field in dataclasses.fields(value) if field.repr], depth
    )


def _shown_fields(value: object, names: Iterable[str], depth: int) -> str:
    parts = [f"{name}={_item(name, getattr(value, name), depth)}" for name in islice(names, _ITEMS)]
    return f"{type(value).__name__}({', '.join(parts)})"


def _failed(value: object, error: BaseException) -> str:
    return f"<{type(value).__name__}, whose repr() raised {type(error).__name__}>"


def _cut(text: str) -> str:
    limit = limits.TRACEBACK_VALUE_CHARACTERS
    return text if len(text) <= limit + 40 else text[:limit] + f"… {len(text)} characters"
