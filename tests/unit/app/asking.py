"""One request to an App."""

from __future__ import annotations

from typing import Unpack

from kingpost import App
from kingpost.testing import RequestOptions, TestClient, TestResponse


def ask(
    app: App, path: str = "/", method: str = "GET", **options: Unpack[RequestOptions]
) -> TestResponse:
    """The answer, of a server of its own; what a handler raises is a 500."""
    with TestClient(app, raise_errors=False) as client:
        return client.request(method, path, **options)
