"""What works where: each feature is tried on each host, and the outcomes are the table of `kingpost hosts`.

`python -m tests.conformance.hosts.features` writes the table anew; `test_features.py` compares it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import pytest

from kingpost import (
    App,
    BackgroundTasks,
    BodyStream,
    File,
    FileResponse,
    NotFound,
    Request,
    UploadFile,
    WebSocket,
)
from kingpost.testing import LiveServer, SocketRefused, TestClient
from tests.frames import handshake

Host = Literal["native", "asgi", "wsgi"]
HOSTS: tuple[Host, ...] = ("native", "asgi", "wsgi")
TABLE = Path(__file__).parents[3] / "python/kingpost/server/hosted/features.json"


class Feature(NamedTuple):
    """One line of the table.

    Attributes:
        name: what users call it.
        works: tries it on a host, in full.
        otherwise: what happens instead, by host, where it does not; it begins with "degrades" or "refused".
    """

    name: str
    works: Callable[[Host], bool]
    otherwise: Mapping[Host, str] = {}


@contextlib.contextmanager
def client_of(app: App, host: Host, **options: Any) -> Generator[TestClient]:
    before = os.environ.get("KINGPOST_TEST_HOST")
    os.environ["KINGPOST_TEST_HOST"] = host
    try:
        with TestClient(app, **options) as client:
            yield client
    finally:
        if before is None:
            del os.environ["KINGPOST_TEST_HOST"]
        else:
            os.environ["KINGPOST_TEST_HOST"] = before


def answers(host: Host) -> bool:
    app = App()

    @app.get("/")
    async def home() -> dict[str, int]:
        return {"a": 1}

    @app.get("/def")
    def here() -> str:
        return "x"

    with client_of(app, host) as client:
        return [client.get(path).status for path in ("/", "/def", "/no")] == [200, 200, 404]


def forms(host: Host) -> bool:
    app = App()

    @app.post("/")
    async def upload(file: Annotated[UploadFile, File()]) -> int:
        return file.size

    with client_of(app, host) as client:
        return bool(client.post("/", files={"file": ("a", b"x" * 100_000)}).json() == 100_000)


def streams(host: Host) -> bool:
    app, go_on = App(), threading.Event()

    @app.get("/")
    def chunks() -> Iterator[str]:
        yield "1"
        assert go_on.wait(60)
        yield "2"

    with client_of(app, host) as client, client.stream("GET", "/") as answer:
        pieces = iter(answer)
        first = next(pieces)
        go_on.set()
        return first + b"".join(pieces) == b"12"


def body_streams(host: Host) -> bool:
    app = App()

    @app.post("/")
    async def size(body: BodyStream) -> int:
        return sum([len(chunk) async for chunk in body])

    with client_of(app, host) as client:
        return bool(client.post("/", content=b"x" * 300_000).json() == 300_000)


def files(host: Host) -> bool:
    app = App()

    @app.get("/")
    async def source() -> FileResponse:
        return FileResponse(__file__)

    with client_of(app, host) as client:
        answer = client.get("/", headers={"range": "bytes=0-2"})
        return answer.status == 206 and answer.content == b'"""'


def limits(host: Host) -> bool:
    app = App()

    @app.post("/", max_body=1000)
    async def size(request: Request) -> int:
        return len(request.body)

    with client_of(app, host) as client:
        return [client.post("/", content=b"x" * size).status for size in (1000, 1001)] == [200, 413]


def early_refusals(host: Host) -> bool:
    app = App()

    @app.post("/", max_body=1000)
    async def size(request: Request) -> int:
        return len(request.body)

    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b"x" * 65_536

    with client_of(app, host) as client:
        return client.post("/", content=body()).status == 413 and sent < 1000


def repeated_fields(host: Host) -> bool:
    app = App()

    @app.get("/")
    async def fields(request: Request) -> list[str]:
        return request.headers.get_all("x")

    with client_of(app, host) as client:
        return bool(client.get("/", headers=[("x", "1"), ("x", "2")]).json() == ["1", "2"])


def background(host: Host) -> bool:
    app, done = App(), threading.Event()

    @app.get("/")
    async def home(tasks: BackgroundTasks) -> str:
        tasks.add_task(done.set)
        return "x"

    with client_of(app, host) as client:
        return client.get("/").text == "x" and done.wait(60)


def leaving(host: Host) -> bool:
    app, ended = App(), threading.Event()

    @app.get("/")
    async def home() -> str:
        return "x"

    @app.get("/forever")
    async def forever() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    with client_of(app, host) as client:
        with contextlib.suppress(TimeoutError):
            client.get("/forever", timeout=0.2)
        client.get("/")
        return ended.is_set()


def start(host: Host) -> bool:
    app, seen = App(), list[str]()

    @app.lifespan
    @contextlib.asynccontextmanager
    async def life() -> AsyncGenerator[None]:
        seen.append("start")
        yield

    if host == "native":
        with LiveServer(app):
            return seen == ["start"]
    if host == "wsgi":
        app.wsgi.__repr__()
        return seen == ["start"]
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    asyncio.run(app({"type": "lifespan"}, _from(messages), _to([])))
    return seen == ["start"]


def early_hints(host: Host) -> bool:
    app = App()

    @app.get("/")
    async def home(request: Request) -> str:
        request.early_hints("</a.css>; rel=preload")
        return "x"

    if host == "native":
        with (
            LiveServer(app) as server,
            socket.create_connection(("127.0.0.1", server.port), 60) as connection,
        ):
            connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            return b"".join(iter(lambda: connection.recv(4096), b"")).startswith(b"HTTP/1.1 103 ")
    if host == "asgi":
        sent: list[Any] = []
        scope = scope_of("http", extensions={"http.response.early_hint": {}})
        body = iter([{"type": "http.request", "body": b"", "more_body": False}])
        asyncio.run(app(scope, _from(body), _to(sent)))
        return bool(sent[0]["type"] == "http.response.early_hint")
    with client_of(app, host) as client:
        # `start_response` is called once, for the final answer.
        return client.get("/").status == 103


def websocket(host: Host) -> bool:
    app = App()

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        await ws.send("x")

    if host != "wsgi":
        with client_of(app, host) as client, client.websocket("/") as ws:
            return bool(ws.receive() == "x")
    with client_of(app, host) as client:
        return (
            client.get("/", headers={"upgrade": "websocket", "connection": "upgrade"}).status != 501
        )


def socket_refusals(host: Host) -> bool:
    app = App()

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        raise NotFound("no such room")

    with client_of(app, host) as client:
        if host == "wsgi":
            asking = {"upgrade": "websocket", "connection": "upgrade"}
            return client.get("/", headers=asking).status == 404
        with pytest.raises(SocketRefused) as refused, client.websocket("/"):
            pass
    if host == "native":
        return refused.value.response.status == 404
    # Of a host without the extension, which has one answer for all.
    sent: list[Any] = []
    messages = iter([{"type": "websocket.connect"}])
    asyncio.run(app(scope_of("websocket", scheme="ws"), _from(messages), _to(sent)))
    return bool(sent[0]["type"] == "websocket.http.response.start")


def pings(host: Host) -> bool:
    """Whether the pings of a handler reach its client."""
    app = App()

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        ws.__socket__().ping(b"there?")
        await ws.receive()

    if host == "wsgi":
        return websocket(host)
    if host == "native":
        with (
            LiveServer(app) as server,
            socket.create_connection(("127.0.0.1", server.port), 60) as connection,
        ):
            connection.sendall(handshake("/"))
            got = b""
            while not got.endswith(b"there?"):
                got += connection.recv(4096)
            return True
    sent: list[Any] = []
    messages = iter([{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "x"}])
    asyncio.run(app(scope_of("websocket", scheme="ws"), _from(messages), _to(sent)))
    return [each["type"] for each in sent] != ["websocket.accept", "websocket.close"]


def scope_of(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "http_version": "1.1",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        **more,
    }


def _from(messages: Iterator[dict[str, Any]]) -> Callable[[], Any]:
    async def receive() -> dict[str, Any]:
        for message in messages:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    return receive


def _to(sent: list[Any]) -> Callable[[Any], Any]:
    async def send(message: Any) -> None:
        sent.append(message)

    return send


FEATURES = (
    Feature("routes, answers, errors, def and async def", answers),
    Feature("forms and uploads", forms),
    Feature("limits of bodies", limits),
    Feature("refusals before the body has come", early_refusals),
    Feature("bodies that are read as streams", body_streams),
    Feature("answers that are streamed, events", streams),
    Feature("files, and parts of them", files),
    Feature("work behind the answer", background),
    Feature(
        "start-up before the first request",
        start,
        {"wsgi": "degrades: WSGI has no word for it; the first request starts the App and waits"},
    ),
    Feature(
        "header fields that come twice",
        repeated_fields,
        {"wsgi": "degrades: CGI has one variable for both; their values are joined by commas"},
    ),
    Feature(
        "a client that leaves cancels its handler",
        leaving,
        {
            "wsgi": "degrades: nobody tells; a stream ends when it cannot be sent, a handler goes on to its end"
        },
    ),
    Feature(
        "early hints (103)",
        early_hints,
        {"wsgi": "degrades: they are left out"},
    ),
    Feature(
        "WebSocket",
        websocket,
        {"wsgi": "refused: the handshake is answered with 501"},
    ),
    Feature(
        "WebSocket: a refusal with a status of its own",
        socket_refusals,
        {
            "asgi": "degrades: whole where the host has ASGI's websocket.http.response, as uvicorn, hypercorn and granian do; elsewhere it is a 403",
            "wsgi": "refused: the handshake is answered with 501",
        },
    ),
    Feature(
        "WebSocket: pings",
        pings,
        {
            "asgi": "degrades: they are the host's, at its own pace",
            "wsgi": "refused: the handshake is answered with 501",
        },
    ),
)


def outcomes() -> list[dict[str, str]]:
    """The table."""
    return [
        {
            "feature": each.name,
            **{host: "works" if each.works(host) else each.otherwise[host] for host in HOSTS},
        }
        for each in FEATURES
    ]


if __name__ == "__main__":
    TABLE.write_text(json.dumps(outcomes(), indent=2) + "\n", "utf-8")
