"""Running a program of the catalogue and telling how it ended."""

from __future__ import annotations

import json
from http.client import HTTPResponse
from typing import Any

from kingpost.testing import TestClient


def outcome(program: str, name: str) -> str | None:
    """The code that a program ends with; None when it ends well.

    That is the code of the exception that leaves it; else that of the problem that it was told in
    a message, its `answer`; else that of the error that it leaves as `response`; else that of the
    exception with which its `app` does not start.
    """
    names: dict[str, Any] = {"__name__": "program"}
    try:
        exec(compile(program, name, "exec"), names)  # noqa: S102 - our own catalogue
        answer = names.get("answer")
        if isinstance(answer, dict) and "code" in answer:
            return str(answer["code"])
        response = names.get("response")
        if isinstance(response, HTTPResponse):
            text = response.read()
            return json.loads(text)["code"] if response.status >= 400 else None
        if response is not None:
            return response.json()["code"] if response.status >= 400 else None
        if "app" in names:
            with TestClient(names["app"]):
                pass
    except Exception as error:
        code = getattr(error, "code", None)
        if not isinstance(code, str):
            raise
        return code
    return None
