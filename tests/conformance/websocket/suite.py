"""Autobahn|Testsuite, made ready to run: its last release, turned from Python 2 to Python 3, with an environment of its own.

It lands in `.cache/autobahn`, and is made anew where this file has changed. `python -m tests.conformance.websocket.suite` makes it.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / ".cache" / f"autobahn-{sys.version_info.major}.{sys.version_info.minor}"

RELEASE = "autobahntestsuite==25.10.1"
INTEGRITY = "sha256:b083d6e15330fc16f3e5f0975cce2b15f21bfa0c6db09547316b1852c6dbd6df"
# The cases drive the client of `autobahn`, below its public face as well. fissix is lib2to3, which Python no longer has from 3.13 on.
NEEDED = ("autobahn[twisted]>=25.12,<27", "fissix>=24.4.24")
PATIENCE = 600.0
"""Seconds for each of the programs that make it."""


class SuiteError(Exception):
    """The suite cannot be had here; the text says why."""


def prepare() -> Path:
    """The folder of the suite: `bin/python` runs it, `case` has its cases. It is made if it is not there. Raises SuiteError."""
    stamp = FOLDER / "prepared"
    wanted = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(FOLDER, ignore_errors=True)
        try:
            _make(FOLDER)
        except (OSError, tarfile.TarError, subprocess.SubprocessError) as error:
            raise SuiteError(str(error)) from error
        stamp.write_text(wanted)
    return FOLDER


def _make(folder: Path) -> None:
    _run(sys.executable, "-m", "venv", folder)
    python = folder / "bin" / "python"
    _run(python, "-m", "pip", "install", "--quiet", *NEEDED)
    pinned = folder / "pinned.txt"
    pinned.write_text(f"{RELEASE} --hash={INTEGRITY}\n")
    fetch = ("download", "--quiet", "--no-deps", "--no-binary", ":all:", "--require-hashes")
    _run(python, "-m", "pip", *fetch, "--dest", folder, "--requirement", pinned)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    archive.unlink()
    (source,) = folder.glob("autobahntestsuite-*/autobahntestsuite")
    for name in ("case", "testdata"):
        shutil.move(source / name, folder / name)
    shutil.rmtree(source.parent)

    cases = folder / "case"
    _rewrite(cases, _bytes_as_characters)
    _run(python, "-m", "fissix", "--write", "--nobackups", "--no-diffs", cases)
    _rewrite(cases, _of_today)


def _rewrite(folder: Path, change: Callable[[bytes], bytes]) -> None:
    for file in folder.glob("*.py"):
        file.write_bytes(change(file.read_bytes()))


def _bytes_as_characters(source: bytes) -> bytes:
    """A string of Python 2 is bytes: in what becomes of it each of them is the character of its number."""
    return source.decode("latin-1").encode()


def _of_today(source: bytes) -> bytes:
    """What the translation of the syntax leaves."""
    text = source.decode()
    text = text.replace("(object, Case, )", "(Case, )")
    text = text.replace("len(self.payload) / ", "len(self.payload) // ")
    # `autobahn` has renamed what its offers of compression take.
    text = text.replace("NoContextTakeover", "_no_context_takeover")
    return text.replace("MaxWindowBits", "_max_window_bits").encode()


def _run(*command: str | Path) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - pip and the translator
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SuiteError(f"{command[1:4]} takes longer than {PATIENCE:.0f} s") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise SuiteError(said[-1][:300] if said else f"{command[1:4]} failed")


if __name__ == "__main__":
    try:
        prepare()
    except SuiteError as error:
        sys.exit(f"Autobahn|Testsuite cannot be had: {error}")
