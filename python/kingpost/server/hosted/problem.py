"""Answers that no engine can give: what is wrong lies between the host and us."""

from __future__ import annotations

import json
from http import HTTPStatus


def problem(status: int, code: str, detail: str) -> tuple[list[tuple[str, str]], bytes]:
    """Header fields and body of a problem (RFC 9457)."""
    body = json.dumps(
        {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "code": code,
            "detail": detail,
        },
        separators=(",", ":"),
    ).encode()
    fields = [
        ("content-type", "application/problem+json"),
        ("x-content-type-options", "nosniff"),
        ("content-length", str(len(body))),
    ]
    return fields, body
