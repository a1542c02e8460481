"""A C compiler and Rust: what is done about it on machines that have them, or not."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tools import machine, toolchain
from tools.console import Failure

PYTHON = Path("/env/bin/python")
GOOD, OLD = "rustc 1.999.0 (abc 2030-01-01)", "rustc 1.10.0 (abc 2016-01-01)"


class Machine:
    """A machine with some programs, which answer as is said; whatever installs brings a new Rust, unless it is told not to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
        self.programs = {"cc"}
        self.answers: dict[str, str] = {"cargo --version": "cargo", "rustc --version": GOOD}
        self.packages: dict[str, tuple[int, ...]] = {}
        self.done: list[str] = []
        self.brings = GOOD
        monkeypatch.setattr(toolchain.sys, "platform", "linux")
        monkeypatch.setattr(toolchain.shutil, "which", lambda name: name in self.programs or None)
        monkeypatch.setattr(toolchain, "ask", lambda *command: self.answers.get(" ".join(command)))
        monkeypatch.setattr(toolchain, "run", self.run)
        monkeypatch.setattr(toolchain, "attempt", self.attempt)
        monkeypatch.setattr(machine, "install", self.install)
        monkeypatch.setattr(machine, "apt_version", self.packages.get)
        monkeypatch.setattr(toolchain, "_wanted", lambda: (1, 85))
        monkeypatch.setattr(toolchain, "ROOT", root)
        monkeypatch.setenv("PATH", "/bin")

    def run(self, *command: object) -> None:
        self.done.append(" ".join(map(str, command)))
        self.answers |= {"cargo --version": "cargo", "rustc --version": self.brings}

    def attempt(self, *command: object, **_: Any) -> int:
        self.run(*command)
        if "--info-json" in command:
            made = Path(str(command[-1]))
            names = {"CARGO_HOME": "/fetched/cargo", "RUSTUP_HOME": "/fetched/rustup"}
            made.write_text(json.dumps({"env": names}), encoding="utf-8")
        return 0

    def install(self, purpose: str, **names: tuple[str, ...]) -> None:
        self.run(purpose, *(f"{by}: {' '.join(packages)}" for by, packages in names.items()))


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    # Set, so that what is set here is taken back.
    monkeypatch.setenv("CARGO_HOME", "")
    monkeypatch.setenv("RUSTUP_HOME", "")
    return Machine(monkeypatch, tmp_path)


def test_a_machine_that_has_all_is_left_alone(there: Machine) -> None:
    toolchain.prepare(PYTHON)

    assert there.done == []
    assert os.environ["PATH"] == f"/bin{os.pathsep}{toolchain._CARGO_HOME / 'bin'}"


@pytest.mark.parametrize(
    ("programs", "done"), [({"clang"}, []), (set[str](), ["a C compiler apt: gcc libc6-dev"])]
)
def test_any_compiler_will_do(there: Machine, programs: set[str], done: list[str]) -> None:
    there.programs = programs

    toolchain.prepare(PYTHON)

    assert there.done == done


def test_macos_is_asked_for_its_tools_not_for_cc(
    there: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolchain.sys, "platform", "darwin")

    with pytest.raises(Failure, match="finish the installer, then"):
        toolchain.prepare(PYTHON)
    assert there.done == ["xcode-select --install"]
    there.answers["xcode-select -p"] = "/Library/Developer/CommandLineTools"
    there.done.clear()
    toolchain.prepare(PYTHON)
    assert there.done == []


RUSTUP = ["rustup toolchain install stable --profile default", "rustup default stable"]


@pytest.mark.parametrize(
    ("programs", "packages", "done"),
    [
        ({"rustup", "brew"}, {"rustc": (1, 90)}, RUSTUP),
        (set[str](), {"rustc": (1, 85)}, ["{} apt: rustc cargo"]),
        (set[str](), {"rustc": (1, 63), "rustc-web": (1, 85)}, ["{} apt: rustc-web cargo-web"]),
        ({"brew"}, {"rustc": (1, 63), "rustup": (1, 27)}, ["{} apt: rustup", RUSTUP[1]]),
        ({"brew"}, {"rustc": (1, 63)}, ["{} brew: rust"]),
    ],
    ids=["rustup", "debian", "debian's second set", "debian's rustup", "brew"],
)
@pytest.mark.parametrize("found", [None, OLD])
def test_rust_comes_from_the_first_that_has_it(
    there: Machine,
    found: str | None,
    programs: set[str],
    packages: dict[str, tuple[int, ...]],
    done: list[str],
) -> None:
    there.programs |= programs
    there.packages |= packages
    there.answers = {} if found is None else {**there.answers, "rustc --version": found}

    toolchain.prepare(PYTHON)

    assert there.done == [line.format("Rust 1.85 or newer") for line in done]


def test_where_nobody_has_it_an_installer_comes_from_the_package_index_once(
    there: Machine, tmp_path: Path
) -> None:
    there.answers = {}

    toolchain.prepare(PYTHON)
    there.answers["rustc --version"] = OLD
    there.brings = OLD
    with pytest.raises(Failure, match="cargo is still not that"):
        toolchain.prepare(PYTHON)

    folder = tmp_path / ".cache" / "rust"
    assert there.done == [
        f"{PYTHON} -m pip install --quiet puccinialin",
        f"{PYTHON} -m puccinialin --location {folder} --info-json {folder / 'environment.json'}",
    ]
    assert os.environ["CARGO_HOME"] == "/fetched/cargo"
    assert os.environ["PATH"].startswith(f"/fetched/cargo/bin{os.pathsep}")


def test_an_installer_that_fails_is_told(there: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    there.answers = {}
    monkeypatch.setattr(toolchain, "attempt", lambda *command, quiet: 1)

    with pytest.raises(Failure, match="could not be fetched; install rustup, then"):
        toolchain.prepare(PYTHON)


@pytest.mark.parametrize(
    ("programs", "packages", "done"),
    [
        ({"rustup"}, {}, "rustup component add clippy rustfmt"),
        ({"cc"}, {"rustc-web": (1, 85)}, "clippy or rustfmt apt: rust-web-clippy rustfmt-web"),
        ({"cc"}, {"rustc": (1, 85)}, "clippy or rustfmt apt: rust-clippy rustfmt"),
    ],
)
def test_linters_come_from_where_rust_does(
    there: Machine, programs: set[str], packages: dict[str, tuple[int, ...]], done: str
) -> None:
    there.programs = programs
    there.packages |= packages
    there.answers["cargo clippy --version"] = "clippy 0.1"

    toolchain.prepare_linters()
    there.answers["cargo fmt --version"] = "rustfmt 1.8"
    toolchain.prepare_linters()

    assert there.done == [done]


def test_the_version_that_is_wanted_is_the_workspaces() -> None:
    text = (toolchain.ROOT / "Cargo.toml").read_text(encoding="utf-8")

    wanted = ".".join(map(str, toolchain._wanted()))

    assert re.search(rf'^rust-version = "{re.escape(wanted)}', text, flags=re.MULTILINE)
