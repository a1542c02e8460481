"""The document as text: JSON, and YAML 1.2 in blocks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, cast

import msgspec

PLAIN: Final = re.compile(
    r"(?!.*(?:: | #))[A-Za-z/$][A-Za-z0-9_/.{}$+:,;()'?!=<>@*%~^`\[\]| -]*[A-Za-z0-9_/}.,;)?!`]|[A-Za-z]",
    re.ASCII,
)
"""Text that YAML reads as text without quotes."""
RESERVED: Final = frozenset(
    {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "inf", "nan"}
)
UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def to_json(document: dict[str, Any], *, indent: int = 0) -> bytes:
    """JSON, in one line or indented."""
    encoded = msgspec.json.encode(document)
    return msgspec.json.format(encoded, indent=indent) + b"\n" if indent else encoded


def to_yaml(document: dict[str, Any]) -> bytes:
    """YAML: the same as the JSON, line by line."""
    return ("\n".join(lines(document, "")) + "\n").encode()


def lines(value: Any, indent: str) -> Iterator[str]:
    """The lines of a value that is not empty and has parts."""
    if isinstance(value, dict):
        for name, each in cast("dict[str, Any]", value).items():
            yield from part(f"{indent}{scalar(name)}:", each, indent + "  ")
    else:
        for each in cast("list[Any]", value):
            if isinstance(each, dict | list) and each:
                first, *rest = lines(each, indent + "  ")
                yield f"{indent}- {first[len(indent) + 2 :]}"
                yield from rest
            else:
                yield f"{indent}- {scalar(each)}"


def part(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, dict | list) and value:
        yield head
        yield from lines(value, indent)
    else:
        yield f"{head} {scalar(value)}"


def scalar(value: Any) -> str:
    """A value in one line: JSON is YAML, and needs quotes that YAML does not."""
    if isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in RESERVED:
        return value
    written = json.dumps(value, ensure_ascii=False)
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)
