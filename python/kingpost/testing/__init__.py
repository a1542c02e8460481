"""Testing an App: clients that need no server, and fixtures for pytest.

from kingpost.testing import TestClient
from shop import app

def test_home() -> None:
    assert TestClient(app).get("/").text == "Hello, world!"
"""

from kingpost.testing.async_client import AsyncStreamedResponse, AsyncTestClient
from kingpost.testing.client import StreamedResponse, TestClient
from kingpost.testing.cookies import Cookie, CookieJar
from kingpost.testing.live import LiveServer
from kingpost.testing.reply import BadReply
from kingpost.testing.request import RequestOptions
from kingpost.testing.response import TestResponse

__all__ = [
    "AsyncStreamedResponse",
    "AsyncTestClient",
    "BadReply",
    "Cookie",
    "CookieJar",
    "LiveServer",
    "RequestOptions",
    "StreamedResponse",
    "TestClient",
    "TestResponse",
]
