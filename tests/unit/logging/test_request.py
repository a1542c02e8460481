"""The request that a log record belongs to."""

from __future__ import annotations

import logging
from io import StringIO

import pytest

from kingpost import App, Request
from kingpost.logging import RequestFilter, request
from kingpost.testing import TestClient

log = logging.getLogger("shop")


@pytest.fixture(autouse=True)
def unwanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request, "_wanted", list[bool]())


def test_a_format_of_ones_own_has_the_request_by_a_filter() -> None:
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(request_id)s %(trace_id)s %(message)s"))
    handler.addFilter(RequestFilter())
    log.addHandler(handler)
    app = App()

    @app.get("/")
    def home(request: Request) -> str:
        log.warning("here")
        return request.id

    try:
        with TestClient(app) as client:
            number = client.get("/").text
        log.warning("outside")
    finally:
        log.removeHandler(handler)

    assert stream.getvalue() == f"{number} - here\n- - outside\n"


def test_nobody_pays_for_what_nobody_looks_at() -> None:
    assert request.request_variable() is None
    app = App()

    @app.get("/")
    async def home() -> str:
        return repr(request.REQUEST.get())

    with TestClient(app) as client:
        assert client.get("/").text == "None"
