"""From the text of an environment variable to the type of a field."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path, PurePath
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin, is_typeddict

import msgspec

from kingpost.settings.secret import Secret

FieldType: TypeAlias = Any
"""A type as an annotation says it; the type system has no narrower name for one."""

_BOOLEANS = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


def convert(text: str, to: FieldType) -> Any:
    """`text` as a value of type `to`.

    bool takes true/false, yes/no, on/off and 1/0; list, set and tuple take `a, b, c` or a JSON array; dict, Struct, dataclass and TypedDict
    take JSON; `T | None` takes an empty text as None; `Secret[T]` takes what T takes; everything else as msgspec reads a string.

    Raises:
        ValueError: It is no such value; the message is the end of a sentence that begins with the value.
    """
    plain = _bare(to)
    if is_optional(plain):
        if not text:
            return None
        rest = [arg for arg in get_args(plain) if arg is not types.NoneType]
        if len(rest) == 1:
            # What was said of `T | None` is said of T.
            rules = getattr(to, "__metadata__", ())
            return convert(text, Annotated[(rest[0], *rules)] if rules else rest[0])
    if plain is bool:
        value = _BOOLEANS.get(text.strip().lower())
        if value is None:
            raise ValueError("is none of true, false, yes, no, on, off, 1, 0")
        return value
    if _origin(plain) is Secret or plain is Secret:
        return Secret(convert(text, (get_args(plain) or (str,))[0]))
    return _converted(text, plain, to)


def _origin(to: FieldType) -> FieldType:
    # Declared, since typeshed's overloads of get_origin answer ParamSpec for Any.
    origin: FieldType = get_origin(to)
    return origin


def _bare(to: FieldType) -> FieldType:
    return get_args(to)[0] if _origin(to) is Annotated else to


def is_optional(to: FieldType) -> bool:
    """Whether None is one of the type's values."""
    plain = _bare(to)
    return _origin(plain) in (Union, types.UnionType) and types.NoneType in get_args(plain)


def holds_secret(to: FieldType) -> bool:
    """Whether a value of the type is, or may be, a Secret."""
    return to is Secret or _origin(to) is Secret or any(holds_secret(arg) for arg in get_args(to))


def _converted(text: str, plain: FieldType, to: FieldType) -> object:
    kind: FieldType = _origin(plain) or plain
    try:
        if _is_json(kind) or (_is_collection(kind) and text.lstrip().startswith("[")):
            return msgspec.json.decode(text.encode(), type=to, dec_hook=_custom)
        if _is_collection(kind):
            items = [item.strip() for item in text.split(",")] if text.strip() else []
            return msgspec.convert(items, to, strict=False, dec_hook=_custom)
        return msgspec.convert(
            text if kind is str else text.strip(), to, strict=False, dec_hook=_custom
        )
    except msgspec.ValidationError as error:
        raise ValueError(_reason(error, plain)) from None
    except NotImplementedError as error:
        raise ValueError(str(error)) from None
    except msgspec.DecodeError as error:
        raise ValueError(f"is no JSON ({error})") from None


def _is_collection(kind: FieldType) -> bool:
    return (
        isinstance(kind, type)
        and issubclass(kind, Sequence | AbstractSet)
        and not issubclass(kind, str | bytes | bytearray)
    )


def _is_json(kind: FieldType) -> bool:
    if is_typeddict(kind) or dataclasses.is_dataclass(kind):
        return True
    return isinstance(kind, type) and issubclass(kind, Mapping | msgspec.Struct)


def _custom(to: FieldType, value: object) -> object:
    if _origin(to) is Secret or to is Secret:
        return Secret(
            msgspec.convert(value, (get_args(to) or (str,))[0], strict=False, dec_hook=_custom)
        )
    if isinstance(to, type) and issubclass(to, PurePath) and isinstance(value, str):
        return Path(value) if to is Path else to(value)
    raise NotImplementedError(f"has a type that settings do not know, {to}; use str")


def _reason(error: msgspec.ValidationError, plain: FieldType) -> str:
    # msgspec speaks of a JSON document; the reader has a variable before him.
    text = str(error).partition(" - at `$")[0]
    if text.startswith("Expected") and ", got" in text:
        return f"is no {getattr(plain, '__name__', plain)}"
    return f"breaks a rule: {text[:1].lower()}{text[1:]}"
