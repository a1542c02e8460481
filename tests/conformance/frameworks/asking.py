"""What is asked of an application, and what came back, apart from what belongs to the server."""

from __future__ import annotations

import contextlib
import http.client
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

SERVERS_OWN = frozenset({"date", "server", "connection", "transfer-encoding", "keep-alive"})
"""Fields that tell of the server and of the connection, not of the answer."""

FILE = (
    b'--frontier\r\nContent-Disposition: form-data; name="file"; filename="a b.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\n" + b"line\n" * 40_000 + b"\r\n--frontier--\r\n"
)


@dataclass(frozen=True)
class Ask:
    """One request."""

    method: str
    target: str
    body: bytes | tuple[bytes, ...] = b""
    fields: Sequence[tuple[str, str]] = field(default_factory=tuple)


FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
JSON = (("Content-Type", "application/json"),)
MULTIPART = (("Content-Type", "multipart/form-data; boundary=frontier"),)

PAGES: Sequence[Ask] = (
    Ask("GET", "/"),
    Ask("HEAD", "/"),
    Ask("OPTIONS", "/"),
    Ask("PUT", "/", b"x"),
    Ask("GET", "/missing"),
    Ask("GET", "/fail"),
    Ask("GET", "/redirect"),
    Ask("GET", "/cookie"),
    Ask("GET", "/seen", fields=[("Cookie", "one=1; two=2"), ("X-Tag", "a")]),
    Ask("POST", "/form", b"name=J%C3%B6rg+x&n=1&n=2", FORM),
    Ask("POST", "/upload", FILE, MULTIPART),
    Ask("POST", "/json", b'{"name": "x", "price": 1.5, "tags": ["a"]}', JSON),
    Ask("POST", "/json", b"{not json", JSON),
    Ask("POST", "/size", b"x" * 300_000),
    Ask("POST", "/size", (b"x" * 10, b"y" * 70_000, b"z")),
    Ask("GET", "/stream"),
    Ask("HEAD", "/stream"),
    Ask("GET", "/query?x=1&x=2&y=%C3%A9%20%2B"),
    Ask("GET", "/item/7"),
    Ask("GET", "/item/seven"),
    Ask("GET", "/text/caf%C3%A9%20x"),
    Ask("GET", "/text/a%3Fb"),
    Ask("GET", "/empty"),
    Ask("GET", "/file"),
    Ask("HEAD", "/file"),
    Ask("GET", "/file", fields=[("Range", "bytes=10-19")]),
)


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    fields: Sequence[tuple[str, str]]
    length: str | None
    body: bytes


def ask(port: int, one: Ask) -> Reply:
    """The answer to one request, on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.putrequest(one.method, one.target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", "grid.example")
        for name, value in one.fields:
            connection.putheader(name, value)
        if isinstance(one.body, tuple):
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders(iter(one.body), encode_chunked=True)
        else:
            if one.body:
                connection.putheader("Content-Length", str(len(one.body)))
            connection.endheaders(one.body or None)
        answer = connection.getresponse()
        body = answer.read()
        named = [(name.lower(), value) for name, value in answer.getheaders()]
        lengths = [value for name, value in named if name == "content-length"]
        # Where a body is there to be counted, how its end is told is the server's affair.
        is_told = one.method == "HEAD" and bool(lengths)
        return Reply(
            answer.status,
            [each for each in named if each[0] not in SERVERS_OWN | {"content-length"}],
            lengths[0] if is_told else None,
            body,
        )


def converse(port: int, target: str, messages: Iterable[str]) -> list[object]:
    """What is said on a WebSocket, up to its end; or the status that refuses it."""
    said: list[object] = []
    try:
        with connect(f"ws://127.0.0.1:{port}{target}", open_timeout=60) as client:
            for message in messages:
                client.send(message)
                said.append(client.recv(60))
            client.send("bye")
            said.append(client.recv(60))
    except InvalidStatus as refused:
        said.append(refused.response.status_code)
    except ConnectionClosed as closed:
        said.append(closed.rcvd and (closed.rcvd.code, closed.rcvd.reason))
    return said


def masked(reply: Reply, secrets: Mapping[str, str]) -> Reply:
    """An answer without what is drawn by lot for each visitor."""
    body = reply.body.decode("latin-1")
    fields = [(name, value) for name, value in reply.fields]
    for pattern, instead in secrets.items():
        body = re.sub(pattern, instead, body)
        fields = [(name, re.sub(pattern, instead, value)) for name, value in fields]
    return Reply(reply.status, fields, reply.length, body.encode("latin-1"))
