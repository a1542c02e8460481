"""T43: every header with every byte value, as name and as value. The worker lives, with the same pid."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.program import Program, running
from tests.security.rig import read_answers, talk

pytestmark = pytest.mark.skipif(os.name != "posix", reason="looks at processes")

APP = """
import os
from kingpost import App, Request

app = App()

@app.get("/pid")
async def pid() -> int:
    return os.getpid()

@app.route("/all", methods=["GET", "POST"])
async def all_of(request: Request) -> str:
    request.headers.items(), request.headers.values(), request.headers.raw, repr(request.headers)
    dict(request.cookies), request.content_type, request.host, request.client, repr(request)
    str(dict(request.query)), request.path, request.url_for("pid", absolute=True)
    for name in request.headers:
        request.headers[name], request.headers.get_all(name)
    for read in (request.text, request.json, request.form):
        try:
            read()
        except Exception as error:
            if getattr(error, "status", 500) >= 500:
                raise
    return "read"
"""

FIELDS = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "keep-alive",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-authorization",
    "range",
    "referer",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-websocket-key",
    "sec-websocket-version",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-request-id",
]


@pytest.fixture(scope="module", params=["native", "asyncio"])
def program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Program]:
    folder: Path = tmp_path_factory.mktemp("site")
    (folder / "app.py").write_text(APP)
    with running(
        folder, "run", "--port", "0", environment={"KINGPOST_DRIVER": request.param}
    ) as program:
        yield program


def pid(program: Program) -> str:
    return program.body("/pid")


def ask(program: Program, data: bytes) -> list[int]:
    with program.connect() as connection:
        return [answer.status for answer in read_answers(talk(connection, data))]


# The shells differ below the parser only: for the second one some fields are enough.
EVERY = [("native", field) for field in FIELDS] + [("asyncio", field) for field in FIELDS[::6]]


@pytest.mark.parametrize(("program", "field"), EVERY, indirect=["program"])
def test_a_field_may_hold_any_byte_anywhere(program: Program, field: str) -> None:
    before = pid(program)
    for byte in range(256):
        value = bytes([byte])
        for text in (value, b"a" + value + b"b", value * 40)[: 3 if byte % 4 == 0 else 2]:
            host = b"" if field == "host" else b"host: a\r\n"
            method = b"POST" if byte % 2 else b"GET"
            name = field.encode()
            head = b"%s /all HTTP/1.1\r\n%s%s: %s\r\n" % (method, host, name, text)
            for status in ask(program, head + b"connection: close\r\n\r\n"):
                assert status < 500 or status == 501, (field, text, status)
    assert pid(program) == before


HANDSHAKE = {
    "host": b"a",
    "upgrade": b"websocket",
    "connection": b"Upgrade",
    "origin": b"http://a",
    "sec-websocket-key": b"dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": b"13",
    "sec-websocket-protocol": b"chat, superchat",
    "sec-websocket-extensions": b"permessage-deflate; client_max_window_bits",
}
"""What a browser sends to open a WebSocket (RFC 6455 section 4.1)."""


@pytest.mark.parametrize("field", HANDSHAKE)
def test_a_field_of_a_complete_websocket_handshake_may_hold_any_byte(
    program: Program, field: str
) -> None:
    before = pid(program)
    for byte in range(256):
        value = bytes([byte])
        right = HANDSHAKE[field]
        for text in (value, right + value, right[:1] + value + right[1:], value + right):
            lines = b"".join(
                b"%s: %s\r\n" % (name.encode(), text if name == field else usual)
                for name, usual in HANDSHAKE.items()
            )
            statuses = ask(program, b"GET /all HTTP/1.1\r\n" + lines + b"\r\n")
            assert statuses, (field, text)
            assert max(statuses) < 500, (field, text, statuses)
    assert pid(program) == before


def test_a_name_a_method_a_target_and_a_version_may_hold_any_byte(program: Program) -> None:
    before = pid(program)
    for byte in range(256):
        value = bytes([byte])
        for data in (
            b"GET /all HTTP/1.1\r\nhost: a\r\nx%sy: 1\r\n\r\n" % value,
            b"GET /all HTTP/1.1\r\nhost: a\r\n%s: 1\r\n\r\n" % value,
            b"G%sT /all HTTP/1.1\r\nhost: a\r\n\r\n" % value,
            b"GET /a%sll?a%sb=%s HTTP/1.1\r\nhost: a\r\n\r\n" % (value, value, value),
            b"GET /all?a=%%%02x&%%%02x HTTP/1.1\r\nhost: a\r\n\r\n" % (byte, byte),
            b"GET /%%%02x HTTP/1.1\r\nhost: a\r\n\r\n" % byte,
            b"GET /all HTTP/1.%s\r\nhost: a\r\n\r\n" % value,
            b"GET /all%sHTTP/1.1\r\nhost: a\r\n\r\n" % value,
            b"%sGET /all HTTP/1.1\r\nhost: a\r\n\r\n" % value,
            b"POST /all HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain;charset=%s\r\ncontent-length: 1\r\n\r\n%s"
            % (value, value),
            b'POST /all HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 3\r\n\r\n"%s"'
            % value,
            b"POST /all HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 4\r\n\r\n%s=%%%s"
            % (value, value),
        ):
            for status in ask(program, data):
                assert status < 500 or status in (501, 505), (data, status)
    assert pid(program) == before
    # Nobody's mistake but the client's: nothing was reported.
    assert "Traceback" not in program.said, program.said[-3000:]
