"""The App as a CGI program: a process for each request."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.hosts.servers import ROOT
from tests.waiting import PATIENCE


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        ("/", b"", b"Hello, world!"),
        ("/def", b"", b"Hello from a thread!"),
        ("/def-chunks", b"", b"0\n1\n2\n"),
        ("/chunks", b"", b"0\n1\n2\n"),
        ("/json", b"[1,2]", b'{"sum":3}'),
    ],
)
def test_a_request_is_answered(path: str, body: bytes, answer: bytes, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    environment = {
        **os.environ,
        "KINGPOST_TEST_NOTES": str(notes),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "python")]),
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": "POST" if body else "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "example.org",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.0",
        "REMOTE_ADDR": "203.0.113.9",
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "CONTENT_TYPE": "application/json" if body else "",
    }

    done = subprocess.run(
        [sys.executable, "-m", "tests.conformance.hosts.cgi"],
        cwd=ROOT,
        env=environment,
        input=body,
        capture_output=True,
        timeout=PATIENCE,
        check=True,
    )

    head, _, content = done.stdout.partition(b"\r\n\r\n")
    assert head.startswith(b"Status: 200 OK\r\n")
    assert content == answer
    # The end of the process is the end of the application.
    assert notes.read_text("utf-8").split() == ["start", "stop"]
