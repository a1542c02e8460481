"""What is measured, row by row (design.md section 6 and the goals that each release names)."""

from harness.exchange import AROUND, CLOSING, JSON, PLAINTEXT, STATIC, TYPED, VALIDATED
from harness.http2 import Http2Row, greet
from harness.idle import IdleCpuRow, IdleMemoryRow, WorkerMemoryRow
from harness.lag import LagRow
from harness.load import LoadRow, entries
from harness.startup import ImportRow, StartRow
from harness.websocket import BROADCAST, ECHO, WebSocketRow
from harness.websocket import greet as converse

Row = LoadRow | IdleMemoryRow | WorkerMemoryRow | IdleCpuRow | LagRow | ImportRow | StartRow

EVERYBODY = entries(
    *("kingpost", "japronto", "rust", "epoll", "socketify", "fastpysgi", "fastpysgi-falcon"),
    *("granian-rsgi", "granian-asgi", "granian-wsgi", "uvicorn", "blacksheep", "falcon"),
    *("starlette", "sanic", "fastapi", "django", "flask"),
)
SERVERS = entries("kingpost", "japronto", "rust", "fastpysgi", "granian-rsgi", "uvicorn")
TYPED_PEERS = entries(
    *("kingpost", "falcon", "fastpysgi-falcon", "blacksheep", "litestar", "sanic", "fastapi"),
)

ROWS: tuple[Row, ...] = (
    LoadRow("plain", "plaintext, async def, 64 connections", PLAINTEXT, EVERYBODY),
    LoadRow("plain-24", "plaintext, async def, pipelined 24 deep", PLAINTEXT, EVERYBODY, depth=24),
    LoadRow(
        "plain-16",
        "plaintext, async def, pipelined 16 deep",
        PLAINTEXT,
        (*SERVERS, *entries("epoll", "socketify")),
        depth=16,
    ),
    LoadRow("plain-1", "plaintext, async def, 1 connection", PLAINTEXT, SERVERS, connections=1),
    LoadRow(
        "plain-512", "plaintext, async def, 512 connections", PLAINTEXT, SERVERS, connections=512
    ),
    LoadRow(
        "close",
        "plaintext, a connection for every request",
        CLOSING,
        entries("kingpost", "japronto", "fastpysgi", "granian-rsgi", "uvicorn", "fastapi"),
    ),
    LoadRow(
        "inline",
        "plaintext, a plain function in place, 64 connections",
        PLAINTEXT,
        entries("kingpost/inline", "kingpost", "japronto/sync", "rust", "fastpysgi"),
    ),
    LoadRow(
        "inline-24",
        "plaintext, a plain function in place, pipelined 24 deep",
        PLAINTEXT,
        entries("kingpost/inline", "kingpost", "japronto/sync", "rust", "fastpysgi"),
        depth=24,
    ),
    LoadRow(
        "thread",
        "plaintext, a def on a worker thread, 64 connections",
        PLAINTEXT,
        entries("kingpost/thread", "fastapi/thread", "starlette/thread", "granian-wsgi", "flask"),
    ),
    LoadRow(
        "thread-1",
        "plaintext, a def on a worker thread, 1 connection",
        PLAINTEXT,
        entries("kingpost/thread", "kingpost/inline", "fastapi/thread", "granian-wsgi", "flask"),
        connections=1,
    ),
    LoadRow(
        "suspend",
        "plaintext, one real suspension (await asyncio.sleep(0)), 64 connections",
        PLAINTEXT,
        entries(
            *("kingpost/suspend", "uvicorn/suspend", "japronto/suspend", "granian-asgi/suspend"),
            *("starlette/suspend", "fastapi/suspend"),
        ),
    ),
    LoadRow(
        "suspend-24",
        "plaintext, one real suspension, pipelined 24 deep",
        PLAINTEXT,
        # Japronto's queue of ten answers overflows here and takes the process with it.
        entries("kingpost/suspend", "uvicorn/suspend"),
        depth=24,
    ),
    LoadRow(
        "json",
        "JSON of a small dict, async def, 64 connections",
        JSON,
        entries(
            *("kingpost", "japronto", "fastpysgi", "granian-rsgi", "uvicorn", "falcon"),
            *("blacksheep", "starlette", "sanic", "fastapi", "django", "flask"),
        ),
    ),
    LoadRow("json-24", "JSON of a small dict, pipelined 24 deep", JSON, SERVERS[:2], depth=24),
    LoadRow("typed", "GET with a typed path and three typed query parameters", TYPED, TYPED_PEERS),
    LoadRow("validated", "POST of 110 bytes of JSON, validated, echoed", VALIDATED, TYPED_PEERS),
    LoadRow(
        "around",
        "the typed GET through three providers and three middlewares",
        AROUND,
        entries("kingpost", "litestar", "fastapi"),
    ),
    LoadRow(
        "constant",
        "plaintext, an answer that never changes, 64 connections",
        PLAINTEXT,
        entries("kingpost/constant", "rust"),
    ),
    LoadRow(
        "middleware",
        "plaintext, async def, through empty middlewares",
        PLAINTEXT,
        entries("kingpost", "kingpost/middleware-1", "kingpost/middleware-11"),
    ),
    LoadRow(
        "asgi",
        "someone else's ASGI application, plaintext, 64 connections",
        PLAINTEXT,
        entries("kingpost-asgi", "granian-asgi", "uvicorn"),
    ),
    LoadRow(
        "wsgi",
        "someone else's WSGI application, plaintext, 64 connections",
        PLAINTEXT,
        entries("kingpost-wsgi", "granian-wsgi", "gunicorn", "fastpysgi"),
    ),
    LoadRow("static", "a file of 50 KB, 64 connections", STATIC, entries("kingpost", "nginx")),
    LoadRow(
        "https",
        "plaintext by TLS 1.3, 64 connections that stay",
        PLAINTEXT,
        entries("kingpost-tls", "granian-tls"),
    ),
    Http2Row(
        "http2",
        "plaintext by HTTP/2, 8 connections with 32 streams",
        PLAINTEXT,
        entries("kingpost", "rust", "granian-http2"),
        connections=8,
        depth=32,
    ),
    WebSocketRow(
        "websocket-echo",
        "WebSocket, an echo of 64 bytes, 64 connections",
        ECHO,
        entries(
            *(
                "kingpost-websocket",
                "picows",
                "picows-callbacks",
                "granian-websocket",
                "uvicorn-websocket",
            ),
        ),
    ),
    WebSocketRow(
        "websocket-broadcast",
        "WebSocket, 64 bytes from one to 1,000 clients, for each that receives them",
        BROADCAST,
        entries("kingpost-websocket", "granian-websocket", "websockets"),
        connections=1_000,
        kind="broadcast",
    ),
    IdleMemoryRow(
        "websocket-memory",
        "memory for one idle WebSocket, 10,000 held",
        entries("kingpost-websocket", "granian-websocket", "uvicorn-websocket"),
        greet=converse,
    ),
    IdleMemoryRow(
        "http2-memory",
        "memory for one idle connection of HTTP/2, 2,000 held",
        entries("kingpost", "granian-http2"),
        connections=2_000,
        greet=greet,
    ),
    IdleMemoryRow(
        "idle-memory",
        "memory for one idle connection, 10,000 held",
        entries("kingpost", "rust", "uvicorn", "fastapi", "japronto", "granian-rsgi"),
    ),
    WorkerMemoryRow(
        "worker-memory",
        "memory for one more worker that it shares with no other process",
        entries("kingpost-workers"),
    ),
    IdleCpuRow(
        "idle-cpu",
        "processor time with 1,000 idle connections",
        entries("kingpost", "rust", "uvicorn", "japronto", "granian-rsgi", "socketify"),
    ),
    LagRow(
        "lag",
        "timer lag on the saturated loop, 64 connections",
        entries("kingpost", "kingpost/inline", "uvicorn", "fastapi", "japronto"),
    ),
    LagRow(
        "lag-24",
        "timer lag on the saturated loop, pipelined 24 deep",
        entries("kingpost", "kingpost/inline", "uvicorn", "japronto"),
        depth=24,
    ),
    LagRow(
        "lag-threads",
        "timer lag while 4 clients each ask for 5 ms of computing in a def",
        entries("kingpost/compute", "fastapi/compute"),
        connections=4,
    ),
    ImportRow(
        "import",
        "import, processor time over that of an empty interpreter",
        entries("kingpost", "falcon", "starlette", "flask", "blacksheep", "sanic", "fastapi"),
    ),
    StartRow(
        "start",
        "start of the process to its first 200",
        entries(
            *("kingpost", "japronto", "uvicorn", "granian-rsgi", "flask", "django", "sanic"),
            "fastapi",
        ),
    ),
    LoadRow(
        "memory",
        "memory of the whole server after load",
        PLAINTEXT,
        entries(
            *("kingpost", "rust", "japronto", "fastpysgi", "granian-rsgi", "uvicorn", "falcon"),
            *("starlette", "sanic", "fastapi", "django", "flask"),
        ),
        metric="pss_mb",
        most_runs=1,
    ),
)
BY_NAME = {row.name: row for row in ROWS}
