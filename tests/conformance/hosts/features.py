"""What works where: each feature is tried on each host, and the outcomes are the table of `kingpost hosts`.

`python -m tests.conformance.hosts.features` writes the table anew; `test_features.py` compares it.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import json
import logging
import os
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from urllib.request import urlopen
from wsgiref.simple_server import WSGIRequestHandler, make_server

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
from kingpost.middleware import AccessLog
from kingpost.testing import LiveServer, SocketRefused, TestClient
from tests.conformance.hosts.together import PROCESSES, together
from tests.frames import handshake
from tests.waiting import until

Host = Literal["native", "asgi", "wsgi"]
HOSTS: tuple[Host, ...] = ("native", "asgi", "wsgi")
TABLE = Path(__file__).parents[3] / "python/kingpost/server/hosted/features.json"


class Instead(NamedTuple):
    """What happens where a feature does not work.

    Attributes:
        words: what users are told; they begin with "degrades" or "refused".
        is_so: tries that it is as the words say.
    """

    words: str
    is_so: Callable[[], bool]


class Feature(NamedTuple):
    """One line of the table.

    Attributes:
        name: what users call it.
        works: tries it on a host, in full.
        otherwise: what happens instead, by host, where it does not.
    """

    name: str
    works: Callable[[Host], bool]
    otherwise: Mapping[Host, Instead] = {}


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
    return seen_twice(host) == ["1", "2"]


def joined_fields() -> bool:
    return seen_twice("wsgi") in (["1,2"], ["1, 2"])


def seen_twice(host: Host) -> list[str]:
    """What is seen of two fields of one name."""
    app = App()

    @app.get("/")
    async def fields(request: Request) -> list[str]:
        return request.headers.get_all("x")

    with client_of(app, host) as client:
        found: list[str] = client.get("/", headers=[("x", "1"), ("x", "2")]).json()
        return found


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


def unheard_leaving() -> bool:
    """WSGI: a handler goes on to its end, and a stream ends when the host closes it."""
    app, asked, go_on = App(), threading.Event(), threading.Event()
    ended, closed = threading.Event(), threading.Event()

    @app.get("/")
    async def home() -> str:
        asked.set()
        await asyncio.to_thread(go_on.wait, 60)
        ended.set()
        return "x"

    @app.get("/stream")
    def stream() -> Iterator[str]:
        try:
            while True:
                yield "x"
        finally:
            closed.set()

    with client_of(app, "wsgi") as client:
        # The client is gone before its handler goes on.
        with contextlib.suppress(TimeoutError):
            client.get("/", timeout=0.2)
        was_asked = asked.wait(60)
        go_on.set()
        if not (was_asked and ended.wait(60)):
            return False
    answer = app.wsgi(environ_of("/stream"), started)
    try:
        next(iter(answer))
        is_open = not closed.is_set()
        # What a host does that cannot send (PEP 3333).
        answer.close()  # type: ignore[attr-defined]  # an iterable with a close
        return is_open and closed.wait(60)
    finally:
        app.wsgi.here().stop()


def started(
    status: str, fields: list[tuple[str, str]], exc_info: Any = None, /
) -> Callable[[bytes], object]:
    """A host that keeps nothing of an answer's head."""
    del status, fields, exc_info
    return bytes


def environ_of(path: str, **more: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **more,
    }


def start(host: Host) -> bool:
    app, seen = beginning()
    if host == "native":
        with LiveServer(app):
            return seen == ["start"]
    if host == "wsgi":
        with serving(app):
            return seen == ["start"]
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    asyncio.run(app({"type": "lifespan"}, _from(messages), _to([])))
    return seen == ["start"]


def first_request_starts() -> bool:
    app, seen = beginning()
    with serving(app) as port:
        before = [*seen]
        with urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
            return not before and answer.read() == b"x" and seen == ["start"]


def beginning() -> tuple[App, list[str]]:
    """An App that tells when it starts."""
    app, seen = App(), list[str]()

    @app.lifespan
    @contextlib.asynccontextmanager
    async def life() -> AsyncGenerator[None]:
        seen.append("start")
        yield

    @app.get("/")
    async def home() -> str:
        return "x"

    return app, seen


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        """As a host whose log is elsewhere."""


@contextlib.contextmanager
def serving(app: App) -> Generator[int]:
    """A host of WSGI that listens: its port."""
    with make_server("127.0.0.1", 0, app.wsgi, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
            app.wsgi.here().stop()


def hinting() -> App:
    app = App()

    @app.get("/")
    async def home(request: Request) -> str:
        request.early_hints("</a.css>; rel=preload")
        return "x"

    return app


def early_hints(host: Host) -> bool:
    app = hinting()
    if host == "native":
        with (
            LiveServer(app) as server,
            socket.create_connection(("127.0.0.1", server.port), 60) as connection,
        ):
            connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            return b"".join(iter(lambda: connection.recv(4096), b"")).startswith(b"HTTP/1.1 103 ")
    if host == "asgi":
        # Of a host that has only what every host has.
        return sent_by(app, scope_of("http"))[0] == "http.response.early_hint"
    with client_of(app, host) as client:
        # `start_response` is called once, for the final answer.
        return client.get("/").status == 103


def hints_where_there_is_a_word() -> bool:
    with_it = scope_of("http", extensions={"http.response.early_hint": {}})
    return (
        sent_by(hinting(), with_it)[:2] == ["http.response.early_hint", "http.response.start"]
        and sent_by(hinting(), scope_of("http"))[0] == "http.response.start"
    )


def hints_left_out() -> bool:
    with client_of(hinting(), "wsgi") as client:
        answer = client.get("/")
        return (answer.status, answer.text, "link" in answer.headers) == (200, "x", False)


def sent_by(app: App, scope: dict[str, Any], *messages: dict[str, Any]) -> list[str]:
    """What is sent to a host of ASGI, by its types."""
    sent: list[Any] = []
    body = {"type": "http.request", "body": b"", "more_body": False}
    asyncio.run(app(scope, _from(iter(messages or (body,))), _to(sent)))
    return [each["type"] for each in sent]


HANDSHAKE = {"upgrade": "websocket", "connection": "upgrade"}


def talking() -> App:
    app = App()

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        await ws.send("x")

    return app


def websocket(host: Host) -> bool:
    app = talking()
    if host != "wsgi":
        with client_of(app, host) as client, client.websocket("/") as ws:
            return bool(ws.receive() == "x")
    with client_of(app, host) as client:
        return client.get("/", headers=HANDSHAKE).status == 101


def no_handshakes() -> bool:
    """501, and whoever has started it is told."""
    with client_of(talking(), "wsgi") as client:
        if client.get("/", headers=HANDSHAKE).status != 501:
            return False
    app = talking()
    with told("kingpost") as lines:
        list(app.wsgi(environ_of("/"), started))
        app.wsgi.here().stop()
    return any("WSGI has no WebSocket: / will answer" in line for line in lines)


@contextlib.contextmanager
def told(name: str, level: int = logging.INFO) -> Generator[list[str]]:
    """What is logged."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler, logger = Keep(), logging.getLogger(name)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield lines
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)


def refusing() -> App:
    app = App()

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        raise NotFound("no such room")

    return app


CONNECT = {"type": "websocket.connect"}


def socket_refusals(host: Host) -> bool:
    with client_of(refusing(), host) as client:
        if host == "wsgi":
            return client.get("/", headers=HANDSHAKE).status == 404
        with pytest.raises(SocketRefused) as refused, client.websocket("/"):
            pass
    if host == "native":
        return refused.value.response.status == 404
    # Of a host without the extension, which has one answer for all.
    sent = sent_by(refusing(), scope_of("websocket", scheme="ws"), CONNECT)
    return sent[0] == "websocket.http.response.start"


def refusals_where_there_is_a_word() -> bool:
    extended = scope_of("websocket", scheme="ws", extensions={"websocket.http.response": {}})
    plain = scope_of("websocket", scheme="ws")
    # A close before the handshake is answered is a 403 of the host's.
    return sent_by(refusing(), extended, CONNECT)[0] == "websocket.http.response.start" and (
        sent_by(refusing(), plain, CONNECT) == ["websocket.close"]
    )


def pinging() -> App:
    app = App()

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        ws.__socket__().ping(b"there?")
        await ws.receive()

    return app


def pings(host: Host) -> bool:
    """Whether the pings of a handler reach its client."""
    if host == "wsgi":
        return websocket(host)
    if host == "native":
        with (
            LiveServer(pinging()) as server,
            socket.create_connection(("127.0.0.1", server.port), 60) as connection,
        ):
            connection.sendall(handshake("/"))
            got = b""
            while not got.endswith(b"there?"):
                got += connection.recv(4096)
            return True
    return pings_sent() != ["websocket.accept", "websocket.close"]


def pings_sent() -> list[str]:
    said = {"type": "websocket.receive", "text": "x"}
    return sent_by(pinging(), scope_of("websocket", scheme="ws"), CONNECT, said)


def pings_left_out() -> bool:
    return pings_sent() == ["websocket.accept", "websocket.close"]


def logged(host: Host) -> bool:
    """A number of its own, and a line for each request."""
    app = App(middleware=[AccessLog()])

    @app.get("/")
    async def home() -> str:
        return "x"

    with told("kingpost.access") as lines, client_of(app, host) as client:
        numbers = {client.get("/").headers["x-request-id"] for _ in range(2)}
        until(lambda: len(lines) >= 2)
        return len(numbers) == 2 and all(" 200 " in line for line in lines)


def time_limits(host: Host) -> bool:
    app = App()

    @app.get("/", timeout=0.01)
    async def slow() -> str:
        await asyncio.Event().wait()
        return "x"

    with client_of(app, host) as client:
        answer = client.get("/")
        return (answer.status, answer.json()["code"]) == (503, "handler.timeout")


def blocks(host: Host) -> bool:
    return was_named(host) is True


def blocks_unseen(host: Host) -> Callable[[], bool]:
    return lambda: was_named(host) is False


def was_named(host: Host) -> object:
    """Whether a handler that blocks the event loop is named while it does, as it answers itself."""
    app, named = App(), threading.Event()

    class Name(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "blocks_the_loop" in record.getMessage():
                named.set()

    @app.get("/")
    async def blocks_the_loop() -> bool:
        # Our own server looks every 100 ms; where nobody looks, nothing will come.
        return named.wait(60 if host == "native" else 1)

    handler = Name()
    logging.getLogger("kingpost").addHandler(handler)
    try:
        with client_of(app, host) as client:
            return client.get("/").json()
    finally:
        logging.getLogger("kingpost").removeHandler(handler)


def of_connections(host: Host) -> bool:
    return made_for_two(host) == 1


def of_requests(host: Host) -> Callable[[], bool]:
    return lambda: made_for_two(host) == 2


class Cursor:
    """What is kept for a client."""


def made_for_two(host: Host) -> int:
    """How many values are made for two requests of one connection, where they share one."""
    app, made = App(), list[object]()

    @app.provide(scope="connection")
    async def cursor() -> Cursor:
        made.append(0)
        return Cursor()

    @app.get("/")
    async def home(cursor: Cursor) -> str:
        return "x"

    if host == "native":
        with LiveServer(app) as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            for _ in range(2):
                connection.request("GET", "/")
                connection.getresponse().read()
            connection.close()
        return len(made)
    with client_of(app, host) as client:
        for _ in range(2):
            client.get("/")
    return len(made)


def counted(host: Host) -> bool:
    seen = together(host)
    return (seen.allowed, seen.followed) == (3, True)


def counted_by_each(host: Host) -> Callable[[], bool]:
    def is_so() -> bool:
        seen = together(host)
        is_told = "in the memory of each process for itself" in seen.log
        return is_told and (seen.allowed, seen.followed) == (3 * PROCESSES, False)

    return is_so


def measured(host: Host) -> bool:
    return together(host).measured == PROCESSES


def measured_by_each(host: Host) -> Callable[[], bool]:
    return lambda: together(host).measured == 1


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


ALONE: tuple[Host, ...] = ("asgi", "wsgi")
"""Hosts whose processes have nothing together."""

NO_WEBSOCKET = Instead(
    "degrades: every handshake is answered with 501, and a warning names the routes when the App starts",
    no_handshakes,
)

FEATURES = (
    Feature("routes, answers, errors, def and async def", answers),
    Feature("forms and uploads", forms),
    Feature("limits of bodies", limits),
    Feature("refusals before the body has come", early_refusals),
    Feature("bodies that are read as streams", body_streams),
    Feature("answers that are streamed, events", streams),
    Feature("files, and parts of them", files),
    Feature("work behind the answer", background),
    Feature("time limits of handlers", time_limits),
    Feature("request ids, and a line of the log for each request", logged),
    Feature(
        "a handler that blocks the event loop is named",
        blocks,
        {
            host: Instead(
                "degrades: nobody watches the loop; the handler is answered when it is done, and not named",
                blocks_unseen(host),
            )
            for host in ALONE
        },
    ),
    Feature(
        "start-up before the first request",
        start,
        {
            "wsgi": Instead(
                "degrades: WSGI has no word for it; the first request starts the App and waits",
                first_request_starts,
            )
        },
    ),
    Feature(
        "values that are kept for a connection",
        of_connections,
        {
            host: Instead(
                "degrades: a host does not tell which requests share a connection; they are made for each request",
                of_requests(host),
            )
            for host in ALONE
        },
    ),
    Feature(
        "header fields that come twice",
        repeated_fields,
        {
            "wsgi": Instead(
                "degrades: CGI has one variable for both; their values are joined by commas",
                joined_fields,
            )
        },
    ),
    Feature(
        "a client that leaves cancels its handler",
        leaving,
        {
            "wsgi": Instead(
                "degrades: nobody tells; a stream ends when it cannot be sent, a handler goes on to its end",
                unheard_leaving,
            )
        },
    ),
    Feature(
        "early hints (103)",
        early_hints,
        {
            "asgi": Instead(
                "degrades: sent where the host has ASGI's http.response.early_hint, as hypercorn has over HTTP/2; elsewhere they are left out",
                hints_where_there_is_a_word,
            ),
            "wsgi": Instead("degrades: they are left out", hints_left_out),
        },
    ),
    Feature("WebSocket", websocket, {"wsgi": NO_WEBSOCKET}),
    Feature(
        "WebSocket: a refusal with a status of its own",
        socket_refusals,
        {
            "asgi": Instead(
                "degrades: whole where the host has ASGI's websocket.http.response, as uvicorn, hypercorn and granian do; elsewhere it is a 403",
                refusals_where_there_is_a_word,
            ),
            "wsgi": NO_WEBSOCKET,
        },
    ),
    Feature(
        "WebSocket: pings",
        pings,
        {
            "asgi": Instead("degrades: they are the host's, at its own pace", pings_left_out),
            "wsgi": NO_WEBSOCKET,
        },
    ),
    Feature(
        "RateLimit, Channels and Feed over several processes",
        counted,
        {
            host: Instead(
                "degrades: each process counts and tells for itself, and a warning says so at the start where the processes can be seen; "
                "with n of them RateLimit lets n times as much through. Take one process, or a store that they share",
                counted_by_each(host),
            )
            for host in ALONE
        },
    ),
    Feature(
        "metrics of all processes",
        measured,
        {
            host: Instead(
                "degrades: they are those of the process that answers", measured_by_each(host)
            )
            for host in ALONE
        },
    ),
)


def outcomes() -> list[dict[str, str]]:
    """The table."""
    return [
        {
            "feature": each.name,
            **{host: "works" if each.works(host) else each.otherwise[host].words for host in HOSTS},
        }
        for each in FEATURES
    ]


if __name__ == "__main__":
    TABLE.write_text(json.dumps(outcomes(), indent=2) + "\n", "utf-8")
