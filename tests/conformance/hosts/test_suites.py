"""The web tests, asked through other interfaces: a part of them with each run, all of them with --long."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conformance.hosts.servers import ROOT

PART = (
    "tests/unit/app/test_dispatch.py",
    "tests/unit/app/test_background.py",
    "tests/unit/app/test_before_body.py",
    "tests/unit/http/test_files.py",
    "tests/unit/http/test_uploads.py",
)


def run(host: str, *paths: str) -> None:
    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", "pytest", "-q", "-m", "not long", "--host", host, *paths],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.parametrize("host", ["asgi", "wsgi"])
def test_a_part_of_the_web_tests(host: str) -> None:
    run(host, *PART)


@pytest.mark.long
@pytest.mark.parametrize("host", ["asgi", "wsgi"])
def test_all_web_tests(host: str) -> None:
    run(host, "tests/programs", "tests/unit/app", "tests/unit/http", "tests/unit/middleware")
