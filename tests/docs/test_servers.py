"""The page for those who come from other servers: every option that it names is one, there and here, and what it says about proxies holds."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import flask
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from kingpost import App
from kingpost.cli.commands import dev, run
from kingpost.server.options import limits_of
from kingpost.testing import TestClient
from tests.docs.markdown import ROOT

PAGE = (ROOT / "docs" / "coming-from" / "servers.md").read_text("utf-8")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9_-]*")


def rows_of(server: str) -> Iterator[tuple[str, str]]:
    """What stands in the table of a server: there, and here."""
    section = re.split(r"^## ", PAGE.partition(f"## From {server}\n")[2], flags=re.MULTILINE)[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) == 2 and set(line) > set("|- "):
            yield cells[0].strip("| "), cells[1].strip("| ")


@pytest.mark.parametrize(
    ("server", "module"),
    [("uvicorn", "uvicorn"), ("gunicorn", "gunicorn"), ("Granian", "granian")],
)
def test_every_option_is_one_there_and_here(server: str, module: str) -> None:
    command = [sys.executable, "-m", module, "--help"]
    known = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - a server's own help
    theirs = set(OPTION.findall(known))
    ours = {name for command in (run, dev) for each in command.params for name in each.opts}
    assert OPTION.search(known)
    rows = list(rows_of(server))
    assert len(rows) > 10
    for there, here in rows:
        named = set(OPTION.findall(there))
        assert named <= theirs, named - theirs
        # What stands here may begin with another of theirs.
        said = set(OPTION.findall(here)) - theirs
        assert said <= ours, said - ours


def test_every_limit_is_one() -> None:
    named = re.findall(r"--limit ([a-z0-9_]+)=", PAGE)
    assert len(named) > 8
    assert set(limits_of([f"{name}=7" for name in named])) == set(named)


FORWARDED = {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}


def test_an_application_of_asgi_believes_the_proxy_by_the_middleware_that_is_named() -> None:
    async def told(request: Request) -> JSONResponse:
        assert request.client is not None
        return JSONResponse([request.url.scheme, request.client.host])

    theirs = Starlette(routes=[Route("/", told)])
    theirs.add_middleware(ProxyHeadersMiddleware, trusted_hosts="127.0.0.1")
    app = App()
    app.mount("/", theirs)
    with TestClient(app) as client:
        assert client.get("/", headers=FORWARDED).json() == ["https", "203.0.113.7"]


def test_an_application_of_wsgi_believes_the_proxy_by_the_middleware_that_is_named() -> None:
    theirs = flask.Flask("theirs")

    @theirs.get("/")
    def told() -> list[str | None]:
        return [flask.request.scheme, flask.request.remote_addr]

    theirs.wsgi_app = ProxyFix(theirs.wsgi_app)  # type: ignore[method-assign]  # as the page and Flask's own say
    app = App()
    app.mount("/", theirs)
    with TestClient(app) as client:
        assert client.get("/", headers=FORWARDED).json() == ["https", "203.0.113.7"]
