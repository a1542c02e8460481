"""`./dev wheels`: release wheels for this interpreter's version, for this system and for others.

A wheel for another system is linked by zig, which comes from the package index; Rust's standard library
for it comes from rustup. Nothing of macOS's own is needed: we use no more of it than its C library. A wheel
for Windows is built on Windows, by `pip wheel . --no-deps`.
"""

from __future__ import annotations

import shutil
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tools import assets, environment, toolchain
from tools.console import ROOT, Failure, run, say

# glibc 2.17 and musl 1.2: what wheels for Linux are commonly made for.
LINUX = {
    "x86_64-unknown-linux-gnu": "manylinux2014",
    "aarch64-unknown-linux-gnu": "manylinux2014",
    "x86_64-unknown-linux-musl": "musllinux_1_2",
    "aarch64-unknown-linux-musl": "musllinux_1_2",
}
MACOS = ("aarch64-apple-darwin", "x86_64-apple-darwin")
TARGETS = (*LINUX, *MACOS)

USAGE = f"""\
usage: ./dev wheels [TARGET ...]

Builds one wheel for this system, or one for each TARGET, into dist/:
  {chr(10).join(f"  {target}" for target in TARGETS).strip()}
  all  every one of these
"""


def build(arguments: Sequence[str]) -> None:
    """Build the wheels that the arguments name; nothing is set up for arguments that ask for help or are wrong.

    Raises:
        Failure: an unknown target, a toolchain that is not there, or files for browsers that cannot be fetched.
    """
    if {"-h", "--help"} & set(arguments):
        print(USAGE, end="")
        return
    if unknown := set(arguments) - {*TARGETS, "all"}:
        raise Failure(f"no such target: {', '.join(sorted(unknown))}\n{USAGE}")
    python = environment.prepare("build", "wheels")
    toolchain.prepare(python)
    assets.prepare()
    command = ("maturin", "build", "--release", "--out", "dist", "--interpreter")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not arguments:
        run(*command, python)
    for target in TARGETS if "all" in arguments else arguments:
        if shutil.which("rustup") is None:
            raise Failure(f"{target} needs rustup, which brings Rust's standard library for it")
        say(f"{target}: rustup target add, then a build linked by zig")
        run("rustup", "target", "add", target)
        tag = ("--compatibility", LINUX[target]) if target in LINUX else ()
        run(*command, version, "--target", target, "--zig", *tag)
    for wheel in sorted((ROOT / "dist").glob("*.whl")):
        if missing := missing_in(wheel):
            raise Failure(f"dist/{wheel.name} lacks {', '.join(missing)}; delete it and build anew")
        say(f"dist/{wheel.name}")


def missing_in(wheel: Path) -> list[str]:
    """The files for browsers that a wheel should have and has not."""
    with zipfile.ZipFile(wheel) as archive:
        there = set(archive.namelist())
    wanted = [place.relative_to(assets.PACKAGES).as_posix() for place in assets.places()]
    return [name for name in wanted if name not in there]
