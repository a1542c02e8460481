"""The URLs of applications of others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from kingpost.interop.guest_urls import urls_of

STRANGLE = Path(__file__).parents[3] / "examples" / "strangle"


async def page(request: Any) -> Any: ...


def test_flask_is_asked() -> None:
    app = Flask("shop", static_folder=None)
    app.add_url_rule("/items/<int:number>", "item", lambda number: "", methods=["GET", "POST"])
    assert urls_of(app) == [(["GET", "HEAD", "OPTIONS", "POST"], "/items/<int:number>", "item")]


def test_the_starlette_family_is_asked_however_deep() -> None:
    inner = [Route("/{id:int}", page, name="item")]
    app = Starlette(routes=[Route("/", page), Mount("/items", routes=inner)])
    assert urls_of(app) == [
        (["GET", "HEAD"], "/", "page"),
        (["GET", "HEAD"], "/items/{id:int}", "item"),
    ]
    api = FastAPI(openapi_url=None)
    api.get("/todos")(page)
    assert urls_of(api) == [(["GET"], "/todos", "page")]


def test_what_cannot_be_asked_says_nothing() -> None:
    assert urls_of(lambda environ, start: []) is None


def test_django_is_asked_and_all_is_listed_behind_our_routes() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "kingpost.cli", "routes", "app.py"],
        cwd=STRANGLE,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    lines = [line.split() for line in said.splitlines()]
    assert lines[1][:3] == ["GET", "/polls/{question:int}/results/", "results"]
    assert ["*", "/polls/<int:pk>/", "polls:detail"] in [line[:3] for line in lines]
    assert ["*", "/admin/login/", "admin:login"] in [line[:3] for line in lines]
