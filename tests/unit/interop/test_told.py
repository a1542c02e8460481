"""Who asks an application of others, where proxies stand in front of the server."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.conf import settings as django_settings
from fastapi import FastAPI, Request
from fastapi.websockets import WebSocket
from websockets.sync.client import connect

from kingpost import App
from kingpost.interop.guest import Guest, GuestService
from kingpost.middleware import TrustedProxies
from tests.security.rig import Rig, serving

SAID = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
HOST = {"X-Forwarded-Host": "shop.example.org"}


def fastapi() -> FastAPI:
    app = FastAPI()

    @app.get("/items/")
    def items(request: Request) -> list[Any]:
        return [request.url.scheme, request.client, request.scope["root_path"], request.url.path]

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        await websocket.accept()
        assert websocket.client is not None
        await websocket.send_text(f"{websocket.url.scheme} {websocket.client.host}")
        await websocket.close()

    return app


def wsgi(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
    names = (
        "wsgi.url_scheme",
        "REMOTE_ADDR",
        "REMOTE_PORT",
        "HTTP_HOST",
        "SCRIPT_NAME",
        "PATH_INFO",
    )
    start("200 OK", [])
    return [" ".join(str(environ.get(name, "-")) for name in names).encode()]


def is_secure(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
    """What Django makes of it."""
    from django.core.handlers.wsgi import WSGIRequest

    if not django_settings.configured:
        django_settings.configure()
    start("200 OK", [])
    return [str(WSGIRequest(environ).is_secure()).encode()]


def alone(app: Any, interface: Any, *networks: str, **options: Any) -> GuestService:
    proxies = TrustedProxies(networks) if networks else None
    return GuestService(Guest(app, interface, proxies=proxies, **options), mode="production")


def mounted(app: Any, **options: Any) -> App:
    outer = App(middleware=[TrustedProxies(["127.0.0.1"], **options)])
    outer.mount("/", app)
    return outer


def ask(rig: Rig, path: str, fields: dict[str, str]) -> tuple[int, str | None, str]:
    connection = http.client.HTTPConnection("127.0.0.1", rig.port, timeout=60)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Host": "inner:8000", **fields})
        answer = connection.getresponse()
        return answer.status, answer.getheader("location"), answer.read().decode()


@pytest.mark.parametrize(
    "served", [lambda: alone(fastapi(), "asgi", "127.0.0.1"), lambda: mounted(fastapi())]
)
def test_an_asgi_application_is_told_what_a_trusted_proxy_says(served: Callable[[], Any]) -> None:
    with serving(served()) as rig:
        assert ask(rig, "/items", SAID)[:2] == (307, "https://inner:8000/items/")
        assert ask(rig, "/items/", SAID)[2] == '["https",["203.0.113.7",0],"","/items/"]'
        assert ask(rig, "/items", {})[:2] == (307, "http://inner:8000/items/")
        with connect(
            f"ws://127.0.0.1:{rig.port}/ws", additional_headers=SAID, proxy=None
        ) as client:
            assert client.recv() == "wss 203.0.113.7"


@pytest.mark.parametrize(
    "served", [lambda: alone(wsgi, "wsgi", "127.0.0.1"), lambda: mounted(wsgi)]
)
def test_a_wsgi_application_is_told_what_a_trusted_proxy_says(served: Callable[[], Any]) -> None:
    with serving(served()) as rig:
        assert ask(rig, "/a", SAID)[2] == "https 203.0.113.7 - inner:8000  /a"
        assert ask(rig, "/a", {})[2].startswith("http 127.0.0.1 ")


def test_django_takes_a_request_for_secure() -> None:
    with serving(alone(is_secure, "wsgi", "127.0.0.1")) as rig:
        assert ask(rig, "/", SAID)[2] == "True"
        assert ask(rig, "/", {})[2] == "False"


@pytest.mark.parametrize("networks", [(), ("10.0.0.0/8",)])
def test_nobody_else_is_believed(networks: tuple[str, ...]) -> None:
    with serving(alone(wsgi, "wsgi", *networks)) as rig:
        assert ask(rig, "/a", SAID)[2].startswith("http 127.0.0.1 ")


@pytest.mark.parametrize(("app", "interface"), [(fastapi(), "asgi"), (wsgi, "wsgi")])
def test_what_can_be_read_in_two_ways_is_400(app: Any, interface: str) -> None:
    with serving(alone(app, interface, "127.0.0.1")) as rig:
        assert ask(rig, "/items/", {"X-Forwarded-For": "not an address"})[0] == 400
        assert ask(rig, "/items/", SAID)[0] == 200


@pytest.mark.parametrize("app", [fastapi(), wsgi])
def test_the_host_is_told_where_it_is_read(app: Any) -> None:
    with serving(mounted(app, host=True)) as rig:
        _, location, text = ask(rig, "/items", SAID | HOST)
        assert "shop.example.org" in (location or text)
        assert "inner" not in (location or text)
    with serving(mounted(app)) as rig:
        _, location, text = ask(rig, "/items", SAID | HOST)
        assert "shop.example.org" not in (location or text)


def test_what_a_proxy_has_taken_from_the_paths_is_told() -> None:
    with serving(alone(fastapi(), "asgi", root="/shop")) as rig:
        assert ask(rig, "/items/", {})[2].endswith('"/shop","/shop/items/"]')
        assert ask(rig, "/items", {})[1] == "http://inner:8000/shop/items/"
    with serving(alone(wsgi, "wsgi", root="/shop")) as rig:
        assert ask(rig, "/a", {})[2].endswith(" /shop /a")
