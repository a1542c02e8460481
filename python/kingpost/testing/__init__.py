"""Testing an App: clients that need no server, and fixtures for pytest.

from kingpost.testing import TestClient
from shop import app

def test_home() -> None:
    assert TestClient(app).get("/").text == "Hello, world!"
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kingpost.server.reply import BadReply
    from kingpost.testing.async_client import (
        AsyncStreamedResponse,
        AsyncTestClient,
        AsyncTestSocket,
    )
    from kingpost.testing.channel_stores import ChannelStoreConformance
    from kingpost.testing.client import StreamedResponse, TestClient, TestSocket
    from kingpost.testing.cookies import Cookie, CookieJar
    from kingpost.testing.live import LiveServer
    from kingpost.testing.rate_stores import RateStoreConformance
    from kingpost.testing.request import RequestOptions
    from kingpost.testing.response import TestResponse
    from kingpost.testing.talk import SocketOptions, SocketRefused

__all__ = [
    "AsyncStreamedResponse",
    "AsyncTestClient",
    "AsyncTestSocket",
    "BadReply",
    "ChannelStoreConformance",
    "Cookie",
    "CookieJar",
    "LiveServer",
    "RateStoreConformance",
    "RequestOptions",
    "SocketOptions",
    "SocketRefused",
    "StreamedResponse",
    "TestClient",
    "TestResponse",
    "TestSocket",
]

# Loaded at the first look (PEP 562): pytest imports this package in every run, for its plugin alone.
_HOMES = {
    "AsyncStreamedResponse": "async_client",
    "AsyncTestClient": "async_client",
    "AsyncTestSocket": "async_client",
    "BadReply": "core",
    "ChannelStoreConformance": "channel_stores",
    "Cookie": "cookies",
    "CookieJar": "cookies",
    "LiveServer": "live",
    "RateStoreConformance": "rate_stores",
    "RequestOptions": "request",
    "SocketOptions": "talk",
    "SocketRefused": "talk",
    "StreamedResponse": "client",
    "TestClient": "client",
    "TestResponse": "response",
    "TestSocket": "client",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'kingpost.testing' has no attribute {name!r}")
    value: object = getattr(import_module(f"kingpost.testing.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
