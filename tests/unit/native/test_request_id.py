"""The number of a request in its answer."""

from __future__ import annotations

import re

import pytest

from kingpost import App, Request, Response
from kingpost.testing import TestClient


def test_an_answer_has_one_id_and_the_applications_own_wins() -> None:
    app = App()

    @app.get("/mine")
    def mine() -> Response[str]:
        return Response("x", headers={"X-Request-ID": "mine"})

    @app.get("/")
    def show() -> str:
        return "x"

    with TestClient(app) as client:
        assert client.get("/mine").headers.get_all("x-request-id") == ["mine"]
        (ours,) = client.get("/").headers.get_all("x-request-id")

    assert re.fullmatch("[0-9a-f]{16}", ours)


def test_an_exception_is_raised_in_the_test_whatever_the_request_is_called() -> None:
    app = App()

    @app.after_request
    async def called(request: Request, response: Response[object]) -> None:
        response.headers["x-request-id"] = "theirs"

    @app.get("/")
    def fail() -> str:
        raise ValueError("for nobody")

    with TestClient(app) as client, pytest.raises(ValueError, match="for nobody"):
        client.get("/")
