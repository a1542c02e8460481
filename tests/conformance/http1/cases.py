"""The table of HTTP/1 requests, `cases.json`, as Python values.

One row a line. Texts are Latin-1: a character is a byte. Where a text may be long it is a list of texts and of
`{"repeat": text, "times": n}`. The Rust tests of `crates/wire` run the same rows whole and cut at every byte.

A row has:
    name: what the input is, in words.
    class: the bug class of the reliability page (T01 and so on), `limit` or `valid`.
    input: the bytes that a client sends; then it ends its side.
    requests: the requests to be read from it, each `[method, target, body]`.
    closes: true where the last request ends the connection, so that what follows it is not read.
    refusal: status and code with which the input is refused behind those requests. For `http.incomplete-request` the
        connection ended first, so nobody may be there to be told.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Case:
    """A row of the table."""

    name: str
    bug_class: str
    input: bytes
    requests: tuple[tuple[bytes, bytes, bytes], ...]
    closes: bool
    status: int | None
    code: str | None


@cache
def cases() -> tuple[Case, ...]:
    """All rows, in order."""
    rows = json.loads(Path(__file__).with_name("cases.json").read_text("utf-8"))
    return tuple(_case(row) for row in rows)


def _case(row: dict[str, Any]) -> Case:
    refusal = row.get("refusal")
    return Case(
        name=row["name"],
        bug_class=row["class"],
        input=_bytes(row["input"]),
        requests=tuple(
            (_bytes(method), _bytes(target), _bytes(body))
            for method, target, body in row["requests"]
        ),
        closes=row.get("closes", False),
        status=refusal and refusal["status"],
        code=refusal and refusal["code"],
    )


def _bytes(value: str | dict[str, Any] | list[Any]) -> bytes:
    if isinstance(value, str):
        return value.encode("latin-1")
    if isinstance(value, dict):
        return _bytes(value["repeat"]) * int(value["times"])
    return b"".join(map(_bytes, value))
