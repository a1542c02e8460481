"""An App as an ASGI application, called as a host calls it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextvars import ContextVar
from typing import Annotated, Any

import pytest

from kingpost import App, File, Request, UploadFile
from kingpost.middleware import TrustedProxies
from tests.waiting import until_async

variable: ContextVar[str] = ContextVar("variable", default="none")


class Host:
    """One request of a host's."""

    def __init__(self, app: App, path: str = "/", method: str = "GET", **scope: Any) -> None:
        self.app = app
        self.sent: list[Any] = []
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.headers: list[tuple[bytes, bytes]] = [(b"host", b"example.org")]
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": self.headers,
            "client": ("203.0.113.9", 4711),
            "server": ("127.0.0.1", 8000),
            **scope,
        }

    def body(self, *pieces: bytes, more: bool = False) -> Host:
        for index, piece in enumerate(pieces):
            last = index == len(pieces) - 1 and not more
            self.incoming.put_nowait({"type": "http.request", "body": piece, "more_body": not last})
        return self

    def leave(self) -> None:
        self.incoming.put_nowait({"type": "http.disconnect"})

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def run(self) -> Host:
        if self.incoming.empty() and not self.headers[1:]:
            self.body(b"")
        await asyncio.wait_for(self.app(self.scope, self.incoming.get, self.send), 30)
        return self

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def content(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


def run(what: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(what())


def test_a_request_is_answered() -> None:
    app = App()

    @app.get("/hello/{name}")
    async def hello(name: str) -> str:
        return f"Hello, {name}!"

    async def main() -> None:
        host = await Host(app, "/hello/you").run()

        assert (host.status, host.content) == (200, b"Hello, you!")
        names = [name for name, _ in host.sent[0]["headers"]]
        assert b"x-request-id" in names
        assert not {b"connection", b"date", b"transfer-encoding"} & set(names)

    run(main)


def test_a_handler_runs_in_the_task_and_context_of_the_host() -> None:
    app = App()
    seen: list[object] = []

    @app.get("/")
    async def home() -> str:
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        seen.append(asyncio.current_task())
        return variable.get()

    @app.get("/def")
    def on_thread() -> str:
        seen.append(threading.current_thread())
        return variable.get()

    async def main() -> None:
        variable.set("of the host")
        host = Host(app)
        task = asyncio.ensure_future(host.run())
        await task
        assert host.content == b"of the host"
        # `wait_for` has a task of its own.
        assert seen[0] is seen[1] is not None
        assert (await Host(app, "/def").run()).content == b"of the host"
        assert seen[2] is not threading.main_thread()

    run(main)


def test_requests_at_the_same_time_keep_their_own() -> None:
    app = App()

    @app.get("/{name}")
    async def home(name: str, request: Request) -> str:
        await asyncio.sleep(0)
        return f"{name} {variable.get()} {request.headers['x-name']}"

    async def main() -> None:
        async def one(name: str) -> None:
            variable.set(name)
            host = Host(app, f"/{name}")
            host.headers.append((b"x-name", name.encode()))
            await host.body(b"").run()
            assert host.content == f"{name} {name} {name}".encode()

        await asyncio.gather(*(asyncio.create_task(one(f"n{number}")) for number in range(100)))

    run(main)


def test_the_request_says_what_the_host_knows() -> None:
    app = App()

    @app.get("/a")
    async def a(request: Request) -> list[str | None]:
        return [
            request.client,
            request.scheme,
            request.host,
            request.http_version,
            request.root_path,
            request.path,
            request.url_for("a"),
            request.url_for("a", absolute=True),
        ]

    async def main() -> None:
        host = await Host(app, "/shop/a", root_path="/shop", http_version="2").run()

        expected = '["203.0.113.9","https","example.org","2","/shop","/a","/shop/a","https://example.org/shop/a"]'
        assert host.content.decode() == expected
        slash = await Host(app, "/shop/a/", root_path="/shop").run()
        assert slash.status == 308
        assert (b"location", b"/shop/a") in slash.sent[0]["headers"]

    run(main)


def test_proxies_behind_the_host_are_known_by_its_peer() -> None:
    app = App(middleware=[TrustedProxies(["203.0.113.9"])])

    @app.get("/")
    async def home(request: Request) -> str:
        return f"{request.client} {request.scheme}"

    async def main() -> None:
        host = Host(app)
        host.headers += [(b"x-forwarded-for", b"198.51.100.7"), (b"x-forwarded-proto", b"http")]
        await host.body(b"").run()
        assert host.content == b"198.51.100.7 http"

    run(main)


def echo() -> App:
    app = App()

    @app.post("/")
    async def whole(request: Request) -> bytes:
        return request.body

    @app.post("/stream")
    async def stream(request: Request) -> str:
        return ""

    return app


@pytest.mark.parametrize("version", ["1.1", "2"])
@pytest.mark.parametrize("pieces", [[b"abc"], [b"a", b"bc"], [b"x" * 200_000, b"y" * 10]])
def test_a_body_comes_whole(pieces: list[bytes], version: str) -> None:
    async def main() -> None:
        host = Host(echo(), method="POST", http_version=version)
        host.headers.append((b"content-length", str(sum(map(len, pieces))).encode()))
        await host.body(*pieces).run()
        assert host.content == b"".join(pieces)

    run(main)


@pytest.mark.parametrize(
    ("version", "fields"), [("1.1", [(b"transfer-encoding", b"chunked")]), ("2", []), ("3", [])]
)
def test_a_body_without_a_length_comes_whole(
    version: str, fields: list[tuple[bytes, bytes]]
) -> None:
    async def main() -> None:
        host = Host(echo(), method="POST", http_version=version)
        host.headers += fields
        await host.body(b"a", b"", b"bc").run()
        assert host.content == b"abc"

    run(main)


@pytest.mark.parametrize("version", ["2", "3"])
def test_no_body_is_none(version: str) -> None:
    async def main() -> None:
        host = await Host(echo(), method="POST", http_version=version).body(b"").run()
        assert (host.status, host.content) == (200, b"")

    run(main)


@pytest.mark.parametrize("pieces", [[b"ab"], [b"abcdef"], [b"ab", b"cdef"]])
@pytest.mark.parametrize("path", ["/", "/stream"])
def test_a_length_that_is_a_lie_is_refused(pieces: list[bytes], path: str) -> None:
    async def main() -> None:
        host = Host(echo(), path, "POST")
        host.headers.append((b"content-length", b"3"))
        await host.body(*pieces).run()
        assert host.status == 400
        code = b"http.incomplete-request" if pieces == [b"ab"] else b"http.bad-content-length"
        assert code in host.content

    run(main)


@pytest.mark.parametrize("said", [b"transfer-encoding", b"content-length"])
def test_the_limit_of_a_body_holds(said: bytes) -> None:
    app = App()

    @app.post("/", max_body=100_000)
    async def whole(request: Request) -> int:
        return len(request.body)

    async def main() -> None:
        for size, status in ((100_000, 200), (100_001, 413)):
            host = Host(app, method="POST")
            value = b"chunked" if said == b"transfer-encoding" else str(size).encode()
            host.headers.append((said, value))
            await host.body(b"x" * (size - 1), b"x").run()
            assert host.status == status

    run(main)


def test_an_upload_that_lies_about_its_length_keeps_to_its_limit() -> None:
    app = App()

    @app.post("/")
    async def upload(file: Annotated[UploadFile, File()]) -> str:
        return file.filename or ""

    async def main() -> None:
        host = Host(app, method="POST", http_version="2")
        host.headers.append((b"content-type", b"multipart/form-data; boundary=b"))
        start = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
        taken = 0

        async def receive() -> dict[str, Any]:
            nonlocal taken
            taken += 1
            await asyncio.sleep(0)
            piece = start if taken == 1 else b"x" * 65_536
            return {"type": "http.request", "body": piece, "more_body": True}

        await asyncio.wait_for(app(host.scope, receive, host.send), 60)
        assert host.status == 413
        # 32 MiB is what an upload may have; what follows is not fetched.
        assert taken < 32 * 1024 * 1024 // 65_536 + 20

    run(main)


def test_a_broken_head_is_refused() -> None:
    async def main() -> None:
        host = Host(echo())
        host.headers.append((b"x", b"1\r\ny: 2"))
        await host.body(b"").run()
        assert host.status == 400

    run(main)


def test_a_stream_is_sent_as_it_is_made_and_waits_for_its_reader() -> None:
    app = App()
    made = 0

    @app.get("/")
    async def many() -> AsyncIterator[bytes]:
        nonlocal made
        for _ in range(200):
            made += 1
            yield b"x" * 65_536
            await asyncio.sleep(0)

    async def main() -> None:
        host = Host(app)
        go_on = asyncio.Event()

        async def send(message: Any) -> None:
            host.sent.append(message)
            if len(host.sent) == 3:
                await go_on.wait()

        host.body(b"")
        task = asyncio.ensure_future(app(host.scope, host.incoming.get, send))
        before = -1
        while made != before:
            before = made
            for _ in range(100):
                await asyncio.sleep(0)
        assert made < 20
        go_on.set()
        await asyncio.wait_for(task, 60)
        assert len(host.content) == 200 * 65_536
        assert [message["more_body"] for message in host.sent[-2:]] == [True, False]

    run(main)


def test_chunks_of_a_def_are_sent() -> None:
    app = App()

    @app.get("/")
    def many() -> Iterator[bytes]:
        for _ in range(50):
            yield b"x" * 65_536

    async def main() -> None:
        assert len((await Host(app).run()).content) == 50 * 65_536

    run(main)


def test_who_leaves_cancels_the_handler() -> None:
    app = App()
    ended: list[str] = []

    @app.get("/")
    async def forever() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return ""

    async def main() -> None:
        host = Host(app).body(b"")
        host.leave()
        await host.run()
        assert ended == ["cancelled"]
        assert host.sent == []
        task = asyncio.current_task()
        assert task is not None
        assert not task.cancelling()

    run(main)


def test_who_leaves_ends_a_stream() -> None:
    app = App()
    ended: list[str] = []

    @app.get("/")
    async def forever() -> AsyncIterator[str]:
        try:
            while True:
                yield "x"
                await asyncio.sleep(0)
        finally:
            ended.append("closed")

    async def main() -> None:
        host = Host(app).body(b"")

        async def send(message: Any) -> None:
            if host.sent:
                raise OSError("the client has left")
            host.sent.append(message)

        await asyncio.wait_for(app(host.scope, host.incoming.get, send), 30)
        assert ended == ["closed"]

    run(main)


def test_a_host_that_cancels_its_task_cancels_the_handler(caplog: pytest.LogCaptureFixture) -> None:
    app = App()
    ended: list[str] = []

    @app.get("/")
    async def forever() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")
        return ""

    async def main() -> None:
        host = Host(app).body(b"")
        task = asyncio.ensure_future(app(host.scope, host.incoming.get, host.send))
        for _ in range(10):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == ["ended"]
        assert host.sent == []

    with caplog.at_level(logging.WARNING):
        run(main)
    assert caplog.records == []


def test_a_stream_that_fails_is_cut_off() -> None:
    app = App()

    @app.get("/")
    async def broken() -> AsyncIterator[str]:
        yield "x"
        await asyncio.sleep(0)
        raise ValueError("too late")

    async def main() -> None:
        host = Host(app)
        with pytest.raises(Exception, match="ended before its end"):
            await host.run()
        assert not any(message.get("more_body") is False for message in host.sent[1:])

    run(main)


def test_early_hints_reach_hosts_that_can_send_them() -> None:
    app = App()

    @app.get("/")
    async def home(request: Request) -> str:
        request.early_hints("</a.css>; rel=preload")
        await asyncio.sleep(0)
        return "x"

    async def main() -> None:
        host = await Host(app, extensions={"http.response.early_hint": {}}).run()
        hint = {"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload"]}
        assert hint in host.sent[:1]
        assert [m["type"] for m in (await Host(app).run()).sent] == [
            "http.response.start",
            "http.response.body",
        ]

    run(main)


def lives(seen: list[str]) -> App:
    app = App()

    @app.lifespan
    @contextlib.asynccontextmanager
    async def life() -> AsyncGenerator[None]:
        variable.set("of start-up")
        seen.append("start")
        yield
        seen.append("stop")

    @app.get("/")
    async def home() -> str:
        return variable.get()

    return app


def test_the_lifespan_of_the_host_is_that_of_the_app() -> None:
    seen: list[str] = []
    app = lives(seen)

    async def main() -> None:
        host = Host(app)
        host.incoming.put_nowait({"type": "lifespan.startup"})
        task = asyncio.ensure_future(app({"type": "lifespan"}, host.incoming.get, host.send))
        await until_async(lambda: host.sent)
        assert host.sent == [{"type": "lifespan.startup.complete"}]
        assert (await Host(app).run()).content == b"of start-up"
        assert seen == ["start"]
        host.incoming.put_nowait({"type": "lifespan.shutdown"})
        await asyncio.wait_for(task, 30)
        assert host.sent[1:] == [{"type": "lifespan.shutdown.complete"}]
        assert seen == ["start", "stop"]

    run(main)


def test_without_a_lifespan_the_first_request_starts_the_app_once() -> None:
    seen: list[str] = []
    app = lives(seen)

    async def main() -> None:
        hosts = await asyncio.gather(*(Host(app).run() for _ in range(3)))
        assert [host.content for host in hosts] == [b"of start-up"] * 3
        assert seen == ["start"]
        assert variable.get() == "none"

    run(main)


def test_each_loop_has_its_own_start() -> None:
    seen: list[str] = []
    app = lives(seen)

    async def main() -> None:
        assert (await Host(app).run()).status == 200

    run(main)
    run(main)
    assert seen.count("start") == 2


def test_a_start_that_fails_is_told_to_the_host() -> None:
    app = App()

    @app.lifespan
    @contextlib.asynccontextmanager
    async def life() -> AsyncGenerator[None]:
        if variable.get() == "none":
            raise ValueError("no database")
        yield

    async def main() -> None:
        host = Host(app)
        host.incoming.put_nowait({"type": "lifespan.startup"})
        await app({"type": "lifespan"}, host.incoming.get, host.send)
        assert host.sent[0]["type"] == "lifespan.startup.failed"
        assert "no database" in host.sent[0]["message"]

    run(main)


def test_what_is_no_request_is_refused() -> None:
    async def main() -> None:
        host = Host(echo())
        with pytest.raises(ValueError, match="type 'mqtt'"):
            await host.app({"type": "mqtt"}, host.incoming.get, host.send)

    run(main)


def test_wrapped_in_other_middleware_it_is_the_same() -> None:
    app = App()

    @app.get("/")
    async def home() -> str:
        return variable.get()

    async def wrapped(
        scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        variable.set("of the middleware")
        await app(scope, receive, send)

    async def main() -> None:
        host = Host(app).body(b"")
        await wrapped(host.scope, host.incoming.get, host.send)
        assert host.content == b"of the middleware"

    run(main)
