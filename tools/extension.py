"""The native module: built into the environment, and only when something that it is made of changed."""

from __future__ import annotations

import sys
import time
import tomllib
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from tools import environment, stamps, toolchain
from tools.console import ROOT, run, say

# Folders of a crate that do not go into the library.
_ASIDE = {"tests", "benches", "examples", "fuzz", "target"}


def prepare(python: Path) -> None:
    """Build and install the package in place, as a release build, unless that is done already.

    Raises:
        Failure: it does not compile, or Rust is missing and cannot be installed.
    """
    stamp = environment.folder() / "kingpost-extension"
    toolchain.prepare(python)
    package = ROOT / "python" / "kingpost"
    is_there = any((package / f"_native{suffix}").is_file() for suffix in EXTENSION_SUFFIXES)
    if is_there and stamps.is_fresh(stamp, _state()):
        return
    say("building the native module (release build: a minute or two when cold)")
    start = time.monotonic()
    run("maturin", "develop", "--release", quiet=True)
    say(f"built in {time.monotonic() - start:.0f} s")
    # Cargo may have written its lock file only now.
    stamps.write(stamp, _state())


def _state() -> str:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    built_from = repr([project["build-system"], project["project"], project["tool"]["maturin"]])
    return stamps.digest(_sources(), built_from, sys.version)


def _sources() -> Iterator[Path]:
    for name in ("Cargo.toml", "Cargo.lock"):
        if (ROOT / name).is_file():
            yield ROOT / name
    for crate in (ROOT / "crates").iterdir():
        for file in crate.rglob("*"):
            if file.is_file() and not _ASIDE & set(file.relative_to(crate).parts[:1]):
                yield file
