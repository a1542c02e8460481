"""By which interface an object is called."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.core.asgi import ASGIHandler
from django.core.wsgi import WSGIHandler
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette

from kingpost.interop.interface import interface_of, is_ambiguous


async def asgi(scope: Any, receive: Any, send: Any) -> None: ...


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    return []


def wrapping_asgi(scope: Any, receive: Any, send: Any) -> Any:
    return asgi(scope, receive, send)


class AsgiClass:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class WsgiClass:
    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        return []


async def with_any(*arguments: Any) -> None: ...


def bound(settings: Any, environ: Any, start_response: Any) -> list[bytes]:
    return []


class Shop(Flask):
    """A class of somebody's own."""


@pytest.mark.parametrize(
    ("app", "interface"),
    [
        (asgi, "asgi"),
        (wrapping_asgi, "asgi"),
        (AsgiClass(), "asgi"),
        (AsgiClass().__call__, "asgi"),
        (with_any, "asgi"),
        (wsgi, "wsgi"),
        (WsgiClass(), "wsgi"),
        (partial(bound, None), "wsgi"),
        (Flask("one"), "wsgi"),
        (Shop("one"), "wsgi"),
        (Flask("one").wsgi_app, "wsgi"),
        (Starlette(), "asgi"),
        (FastAPI(), "asgi"),
        (object.__new__(ASGIHandler), "asgi"),
        (object.__new__(WSGIHandler), "wsgi"),
    ],
)
def test_an_application_is_told_by_its_class_or_by_how_it_is_called(
    app: object, interface: str
) -> None:
    assert interface_of(app) == interface
    assert not is_ambiguous(app)


@pytest.mark.parametrize(
    "app", [None, 5, "text", AsgiClass, WsgiClass, lambda: None, lambda one: None, [wsgi]]
)
def test_what_is_no_application_is_none(app: object) -> None:
    assert interface_of(app) is None
    assert not is_ambiguous(app)


def test_what_needs_nothing_makes_applications() -> None:
    def make(settings: Any = None, name: str = "", more: Any = None) -> Any:
        return wsgi

    assert interface_of(make) is None
    assert not is_ambiguous(make)


def test_what_takes_anything_is_not_guessed() -> None:
    def hidden(*arguments: Any, **named: Any) -> Any:
        return None

    def optional(environ: Any, start: Any, more: Any = None) -> Any:
        return None

    for app in (hidden, optional):
        assert interface_of(app) is None
        assert is_ambiguous(app)
