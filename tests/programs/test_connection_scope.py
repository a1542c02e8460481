"""What `connection_scope` promises."""

from __future__ import annotations

import http.client

from kingpost.testing import TestClient
from kingpost.testing.live import LiveServer
from tests.programs.test_programs import program


def test_a_value_lasts_as_long_as_a_connection() -> None:
    app = program("connection_scope")
    with LiveServer(app) as server:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        pages: list[bytes] = []
        for path in ("/next", "/next?size=3", "/open"):
            client.request("GET", path)
            pages.append(client.getresponse().read())
        client.close()
    with TestClient(app) as browser:
        # Each request of a test is a connection of its own.
        anew = [browser.get(path).json() for path in ("/next", "/next", "/open")]

    assert pages == [b"[0,1]", b"[2,3,4]", b"1"]
    assert anew == [[0, 1], [0, 1], 0]
