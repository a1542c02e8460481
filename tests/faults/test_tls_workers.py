"""HTTPS with several workers: sessions are resumed by whichever comes, also behind a reload."""

from __future__ import annotations

import os
import signal
import ssl
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.faults.program import Program, running

pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks")

APP = """
import os
from kingpost import App

app = App()

@app.get("/")
def home() -> int:
    return os.getpid()
"""

GET = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"


def ask(
    program: Program, client: ssl.SSLContext, session: ssl.SSLSession | None
) -> tuple[int, bool, ssl.SSLSession | None]:
    """Which worker answers, whether the session was resumed, and the one to resume next."""
    with (
        program.connect() as plain,
        client.wrap_socket(plain, server_hostname="localhost", session=session) as connection,
    ):
        connection.sendall(GET)
        data = b""
        while piece := connection.recv(65536):
            data += piece
        pid = int(data.partition(b"\r\n\r\n")[2])
        return pid, bool(connection.session_reused), connection.session


def test_each_worker_resumes_the_sessions_of_the_others(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.sign("localhost").pair
    tmp_path.joinpath("app.py").write_text(APP)
    arguments = ("--workers", "3", "--port", "0", "--tls-cert", certificate, "--tls-key", key)
    with running(tmp_path, "run", "app.py", *arguments) as program:
        program.until_said(r"ready on https://127\.0\.0\.1:\d+ \(production, 3 workers\)")
        client = authority.client()
        _, resumed, session = ask(program, client, None)
        assert not resumed

        seen: set[int] = set()

        def all_have_answered() -> bool:
            nonlocal session
            pid, resumed, session = ask(program, client, session)
            assert resumed
            seen.add(pid)
            return len(seen) == 3

        program.until(all_have_answered, pause=0)

        program.signal(signal.SIGHUP)
        program.until_said("reloaded in")
        pid, resumed, _ = ask(program, client, session)
        assert pid not in seen
        assert resumed, "a reload has forgotten the sessions"
        program.signal(signal.SIGTERM)
        assert program.end() == 0
