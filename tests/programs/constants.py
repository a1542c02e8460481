"""Answers that never change: given to the engine once, and sent without any Python."""

from __future__ import annotations

from kingpost import App, Html, Response, Route

app = App(
    routes=[
        Route("/ping", Response("pong")),
        Route(
            "/about", Response(Html("<p>made of wood</p>"), headers={"cache-control": "max-age=60"})
        ),
        Route("/old", Response(status=410), methods=["GET", "POST"]),
    ]
)
app.add_route(
    "/robots.txt", Response("user-agent: *\ndisallow: /private\n", media_type="text/plain")
)
