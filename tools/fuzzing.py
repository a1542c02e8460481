"""The fuzz targets, a minute each."""

from __future__ import annotations

from tools.console import ROOT, ask, run, say

SECONDS = 60
DICTIONARIES = {"multipart": "multipart.dict", "proxy": "proxy.dict"}
"""The words of a target whose words are not those of HTTP/1."""


def run_all() -> None:
    """Run every fuzz target for a minute, where the tools for it are found; else say so in one line.

    Raises:
        Failure: a target found something; cargo fuzz has printed the input and how to run it again.
    """
    if ask("cargo", "+nightly", "fuzz", "--version") is None:
        say(
            "fuzz targets: left out, no nightly toolchain with cargo-fuzz here; these get it: "
            "rustup toolchain install nightly && cargo +nightly install cargo-fuzz"
        )
        return
    folder = ROOT / "fuzz"
    names = ask("cargo", "+nightly", "fuzz", "list", "--fuzz-dir", folder) or ""
    for name in names.split():
        say(f"fuzzing {name} for {SECONDS} s")
        command = ("cargo", "+nightly", "fuzz", "run", "--fuzz-dir", folder, name)
        options = (
            f"-max_total_time={SECONDS}",
            f"-dict={folder / DICTIONARIES.get(name, 'http1.dict')}",
            "-verbosity=0",
            "-timeout=10",
        )
        run(*command, "--", *options)
