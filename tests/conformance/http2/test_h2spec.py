"""The cases of h2spec, strict ones too: what RFC 9113 and RFC 7541 ask of a server, asked by somebody else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kingpost import App, Request
from kingpost.server.options import Http
from tests.certificates import Authority
from tests.conformance.http2.client import Client
from tests.needs import need
from tests.security.rig import SHELLS, Driver, serving
from tests.waiting import PATIENCE

TOOL = (
    os.environ.get("H2SPEC")
    or shutil.which("h2spec")
    or shutil.which(Path.home() / "go/bin/h2spec")
)
HOW = "go install github.com/summerwind/h2spec/cmd/h2spec@af83a65"
CASES = 146
"""Of the last release; the newest source has one more."""

BOTH = {"Sends invalid connection preface"}
"""What is no preface may be a request of HTTP/1.1 where that is spoken, too, and is refused in its words."""


def make() -> App:
    """An App for what the tool asks: GET and POST of "/"."""
    app = App()

    @app.get("/")
    async def home() -> str:
        return "Hello, world!"

    @app.post("/")
    async def post(request: Request) -> int:
        return len(request.body)

    return app


@pytest.mark.parametrize("driver", SHELLS)
@pytest.mark.parametrize(("http", "but"), [("2", set[str]()), ("auto", BOTH)])
def test_every_case_passes(driver: Driver, http: Http, but: set[str]) -> None:
    with serving(make(), driver=driver, http=http) as rig:
        said = ask(rig.port)
        with Client(rig.port) as client:
            assert client.get("/").body == b"Hello, world!"
    judge(said, but)


@pytest.mark.skipif(os.name != "posix", reason="the driver needs POSIX")
def test_every_case_passes_by_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with serving(make(), tls=authority.serves()) as rig:
        said = ask(rig.port, "--tls", "--insecure")
        with Client(rig.port, tls=authority.client()) as client:
            assert client.get("/").body == b"Hello, world!"
    # What was agreed on is not looked for in what is sent.
    judge(said, set())


def ask(port: int, *options: str) -> str:
    """What the tool says of a server."""
    tool = need(TOOL, "h2spec", remedy=HOW)
    command = [tool, "--strict", "--host", "127.0.0.1", "--port", str(port), *options]
    command += ["--timeout", "10"]
    return subprocess.run(  # noqa: S603 - the tool
        command, capture_output=True, text=True, timeout=PATIENCE * 5, check=False
    ).stdout


def judge(said: str, but: set[str]) -> None:
    """All cases have passed but these."""
    _, _, failures = said.partition("Failures:")
    failed = set(re.findall("\N{MULTIPLICATION SIGN}" + r" \d+: (.*)", failures))
    summary = re.search(r"(\d+) tests, \d+ passed, 0 skipped, (\d+) failed", said)
    assert summary is not None, said
    assert failed == but, said
    assert int(summary[1]) >= CASES
    assert int(summary[2]) == len(but)
