"""HTTP/2 by TLS: what both sides have agreed on (ALPN) is spoken, from the first byte on."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from pathlib import Path

import httpx2
import pytest

from kingpost import App, Request
from kingpost.server.options import Http
from kingpost.server.tls import Tls
from tests.certificates import Authority
from tests.conformance.http2.client import Client, agreed
from tests.needs import need
from tests.security.rig import SHELLS, Driver, serving
from tests.waiting import PATIENCE

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the driver needs POSIX")

SETTINGS, GOAWAY = 4, 7


def make() -> App:
    """An App that shows how a request came, and one that takes small bodies only."""
    app = App()

    @app.get("/")
    async def home(request: Request) -> dict[str, str]:
        return {"version": request.http_version, "scheme": request.scheme}

    @app.post("/echo", max_body=4 << 20)
    async def echo(request: Request) -> bytes:
        return request.body

    @app.post("/small", max_body=10)
    async def small(request: Request) -> int:
        return len(request.body)

    return app


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def first_frame(connection: socket.socket) -> bytes:
    """Head of the first frame that the server sends."""
    data = b""
    while len(data) < 9:
        piece = connection.recv(9 - len(data))
        assert piece, data
        data += piece
    return data


@pytest.mark.parametrize("driver", SHELLS)
@pytest.mark.parametrize("http", ["auto", "2"])
def test_a_server_that_agreed_speaks_first(
    driver: Driver, http: Http, authority: Authority
) -> None:
    tls = Tls([authority.sign("localhost").pair], http=http)
    with serving(make(), driver=driver, http=http, tls=tls) as rig:
        # The client says nothing behind the handshake.
        with agreed(rig.connect(), authority.client()) as connection:
            assert first_frame(connection)[3] == SETTINGS


@pytest.mark.parametrize("driver", SHELLS)
def test_what_was_agreed_on_is_not_looked_for_in_what_is_sent(
    driver: Driver, authority: Authority
) -> None:
    with serving(make(), driver=driver, tls=authority.serves()) as rig:
        with agreed(rig.connect(), authority.client()) as connection:
            # To who has agreed to HTTP/2 nobody answers in HTTP/1.1.
            connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            said = b""
            while piece := connection.recv(10_000):
                said += piece
        old = authority.client()
        old.set_alpn_protocols(["http/1.1"])
        with old.wrap_socket(rig.connect(), server_hostname="localhost") as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            refused = b""
            while piece := connection.recv(10_000):
                refused += piece
        with old.wrap_socket(rig.connect(), server_hostname="localhost") as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            answer = b""
            while piece := connection.recv(10_000):
                answer += piece
    assert said[3] in (SETTINGS, GOAWAY)
    assert b"HTTP/1.1" not in said
    # Nor does who has agreed to HTTP/1.1 get to HTTP/2.
    assert refused.startswith(b"HTTP/1.1 ")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("driver", SHELLS)
def test_requests_come_side_by_side(driver: Driver, authority: Authority) -> None:
    big = bytes(range(256)) * 4_096
    with (
        serving(make(), driver=driver, tls=authority.serves()) as rig,
        Client(rig.port, tls=authority.client()) as client,
    ):
        asked = [client.ask("/") for _ in range(20)]
        answers = [client.answer(stream) for stream in asked]
        echoed = client.post("/echo", big)
    assert {answer.body for answer in answers} == {b'{"version":"2","scheme":"https"}'}
    assert echoed.body == big


@pytest.mark.parametrize("driver", SHELLS)
def test_a_client_of_somebody_else_agrees(driver: Driver, authority: Authority) -> None:
    async def ask(port: int) -> list[tuple[str, int, bytes]]:
        async with httpx2.AsyncClient(http2=True, verify=authority.client()) as client:
            url = f"https://localhost:{port}"
            answers = [
                *await asyncio.gather(*(client.get(f"{url}/") for _ in range(10))),
                await client.post(f"{url}/echo", content=b"x" * 300_000),
                await client.post(f"{url}/small", content=b"x" * 11),
            ]
        return [(answer.http_version, answer.status_code, answer.content) for answer in answers]

    with serving(make(), driver=driver, tls=authority.serves()) as rig:
        *shown, echoed, refused = asyncio.run(ask(rig.port))
    assert shown == [("HTTP/2", 200, b'{"version":"2","scheme":"https"}')] * 10
    assert echoed == ("HTTP/2", 200, b"x" * 300_000)
    assert refused[:2] == ("HTTP/2", 413)


@pytest.mark.parametrize("driver", SHELLS)
@pytest.mark.parametrize("by_tls", [False, True])
def test_curl_shows_the_answer_to_an_upload_that_is_too_large(
    driver: Driver, by_tls: bool, authority: Authority, tmp_path: Path
) -> None:
    curl = need(shutil.which("curl"), "curl", remedy="apt install curl")
    upload = tmp_path / "upload"
    upload.write_bytes(b"x" * 8_000_000)
    with serving(make(), driver=driver, tls=authority.serves() if by_tls else None) as rig:
        where = f"{'https' if by_tls else 'http'}://localhost:{rig.port}/small"
        how = (
            ["--http2", "--cacert", str(authority.file)] if by_tls else ["--http2-prior-knowledge"]
        )
        command = [curl, "--silent", "--show-error", "--ipv4", "--data-binary", f"@{upload}"]
        result = subprocess.run(  # noqa: S603 - the tool
            [*command, *how, "--write-out", " %{http_version} %{http_code}", where],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert result.returncode == 0, result
    assert '"code":"http.body-too-large"' in result.stdout
    assert result.stdout.endswith(" 2 413")
