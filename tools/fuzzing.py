"""The fuzz targets of the crates, a minute each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tools.console import ROOT, ask, run, say

SECONDS = 60


def run_all() -> None:
    """Run every fuzz target for a minute, where the tools for it are found; else say so in one line.

    Raises:
        Failure: a target found something; cargo fuzz has printed the input and how to run it again.
    """
    if ask("cargo", "+nightly", "fuzz", "--version") is None:
        say("fuzz targets: left out, no nightly toolchain with cargo-fuzz here")
        return
    for folder in _folders():
        names = ask("cargo", "+nightly", "fuzz", "list", "--fuzz-dir", folder) or ""
        for name in names.split():
            say(f"fuzzing {name} for {SECONDS} s")
            command = ("cargo", "+nightly", "fuzz", "run", "--fuzz-dir", folder, name)
            run(*command, "--", f"-max_total_time={SECONDS}", "-verbosity=0", "-timeout=10")


def _folders() -> Iterator[Path]:
    for manifest in sorted(ROOT.glob("crates/*/fuzz/Cargo.toml")):
        yield manifest.parent
