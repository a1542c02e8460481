"""A C compiler (to link with) and Rust: found, or installed, or asked for by name."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tomllib
from pathlib import Path

from tools import machine
from tools.console import ROOT, Failure, ask, attempt, run, say

_CARGO_HOME = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")


def prepare(python: Path) -> None:
    """Make sure that a linker and a recent enough cargo are there and on PATH.

    Args:
        python: the environment's interpreter; on systems without a package manager that has Rust,
            the toolchain's installer comes from the package index.

    Raises:
        Failure: something is missing that cannot be installed; the message has the command to type.
    """
    _compiler()
    _rust(python)


def prepare_linters() -> None:
    """Make sure that `cargo clippy` and `cargo fmt` are there too; `prepare` comes first.

    Raises:
        Failure: they cannot be installed; the message has the command to type.
    """
    if all(ask("cargo", tool, "--version") for tool in ("clippy", "fmt")):
        return
    if shutil.which("rustup"):
        say("clippy or rustfmt is missing: rustup component add clippy rustfmt")
        run("rustup", "component", "add", "clippy", "rustfmt")
    elif _suffix(_wanted()) == "-web":
        machine.install("clippy or rustfmt", apt=("rust-web-clippy", "rustfmt-web"))
    else:
        machine.install("clippy or rustfmt", apt=("rust-clippy", "rustfmt"))


def _compiler() -> None:
    if sys.platform == "darwin":
        # /usr/bin/cc is there before the tools are, and opens a window when it is called.
        if ask("xcode-select", "-p") is None:
            attempt("xcode-select", "--install")
            raise Failure(
                "the command line tools are missing: finish the installer, then ./dev again"
            )
    elif not any(map(shutil.which, ("cc", "gcc", "clang"))):
        machine.install("a C compiler", apt=("gcc", "libc6-dev"))


def _rust(python: Path) -> None:
    wanted = _wanted()
    os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], str(_CARGO_HOME / "bin")])
    found = _version()
    if found is not None and found >= wanted:
        return
    what = f"Rust {wanted[0]}.{wanted[1]} or newer"
    if shutil.which("rustup"):
        say(f"{what} is missing: rustup toolchain install stable")
        run("rustup", "toolchain", "install", "stable", "--profile", "default")
        run("rustup", "default", "stable")
    elif (packages := _packaged(wanted)) is not None:
        machine.install(what, apt=packages)
        if "rustup" in packages:
            run("rustup", "default", "stable")
    elif shutil.which("brew"):
        machine.install(what, brew=("rust",))
    else:
        _bootstrap(python, what)
    if (_version() or (0, 0)) < wanted:
        raise Failure(
            f"{what} is needed and cargo is still not that; install rustup, then ./dev again"
        )


def _packaged(wanted: tuple[int, int]) -> tuple[str, ...] | None:
    """The distribution's own packages of a new enough Rust, or its rustup."""
    if (suffix := _suffix(wanted)) is not None:
        return (f"rustc{suffix}", f"cargo{suffix}")
    return ("rustup",) if machine.apt_version("rustup") is not None else None


def _suffix(wanted: tuple[int, int]) -> str | None:
    """How the packages of a new enough Rust end: Debian has a second set, which follows browsers."""
    for suffix in ("", "-web"):
        if (machine.apt_version(f"rustc{suffix}") or (0, 0)) >= wanted:
            return suffix
    return None


def _bootstrap(python: Path, what: str) -> None:
    """Where no package manager has Rust: the installer that maturin uses, into .cache/rust."""
    folder = ROOT / ".cache" / "rust"
    made = folder / "environment.json"
    if not made.is_file():
        say(f"{what} is missing: pip install puccinialin, which brings rustup and Rust")
        run(python, "-m", "pip", "install", "--quiet", "puccinialin")
        folder.mkdir(parents=True, exist_ok=True)
        place = ("--location", folder, "--info-json", made)
        if attempt(python, "-m", "puccinialin", *place, quiet=True) != 0:
            raise Failure(f"{what} could not be fetched; install rustup, then ./dev again")
    names: dict[str, str] = json.loads(made.read_text(encoding="utf-8"))["env"]
    for name in ("CARGO_HOME", "RUSTUP_HOME"):
        os.environ[name] = names[name]
    path = [str(Path(names["CARGO_HOME"]) / "bin"), os.environ["PATH"]]
    os.environ["PATH"] = os.pathsep.join(path)


def _wanted() -> tuple[int, int]:
    with (ROOT / "Cargo.toml").open("rb") as file:
        text = tomllib.load(file)["workspace"]["package"]["rust-version"]
    major, minor = text.split(".")[:2]
    return int(major), int(minor)


def _version() -> tuple[int, int] | None:
    """The version of rustc, as cargo would use it; None if either is missing."""
    printed = ask("rustc", "--version") if ask("cargo", "--version") else None
    found = re.match(r"rustc (\d+)\.(\d+)", printed or "")
    return (int(found[1]), int(found[2])) if found else None
