"""HEAD of a stream: the fields of a GET, and nobody draws a chunk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from kingpost import App, Response
from kingpost.testing import TestClient


def test_head_of_a_stream_is_answered_once() -> None:
    drawn: list[str] = []
    app = App()

    async def chunks() -> AsyncIterator[str]:
        drawn.append("async")
        yield "async"

    def lines() -> Iterator[str]:
        drawn.append("def")
        yield "def"

    @app.get("/async")
    async def stream() -> Response[AsyncIterator[str]]:
        return Response(chunks())

    @app.get("/def")
    def stream_blocking() -> Response[Iterator[str]]:
        return Response(lines())

    with TestClient(app) as browser:
        for kind in ("async", "def"):
            head = browser.head(f"/{kind}")
            drawn_by_head = list(drawn)
            got = browser.get(f"/{kind}")
            assert (head.status, head.text, got.text) == (200, "", kind)
            assert drawn_by_head.count("async") == 0 or kind == "def"
            drawn.clear()
