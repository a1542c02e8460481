"""The system's package manager, as it would be asked for what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from tools import machine
from tools.console import Failure


class Machine:
    """A machine on which some programs are; what is run on it is written down and ends with `status`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.programs: set[str] = set()
        self.called: list[tuple[str, ...]] = []
        self.status = 0
        self.user = 0
        self.policy: str | None = None
        monkeypatch.setattr(machine.shutil, "which", self.which)
        monkeypatch.setattr(machine.os, "geteuid", lambda: self.user)
        monkeypatch.setattr(machine, "attempt", self.attempt)
        monkeypatch.setattr(machine, "ask", lambda *command, env: self.policy)
        machine._refresh.cache_clear()

    def which(self, program: str) -> str | None:
        return f"/bin/{program}" if program in self.programs else None

    def attempt(self, *command: str, **_: Any) -> int:
        self.called.append(command)
        return self.status


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


@pytest.mark.parametrize(("user", "prefix"), [(0, ()), (1000, ("sudo",))])
def test_debian_is_asked_after_its_lists_were_fetched_once(
    there: Machine, user: int, prefix: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    there.programs = {"apt-get", "sudo"}
    there.user = user

    machine.install("a C compiler", apt=("gcc", "libc6-dev"), brew=("gcc",))
    machine.install("Rust", apt=("rustc",))

    assert there.called == [
        (*prefix, "apt-get", "update", "-q"),
        (*prefix, "apt-get", "install", "-y", "gcc", "libc6-dev"),
        (*prefix, "apt-get", "install", "-y", "rustc"),
    ]
    assert "dev: a C compiler is missing: apt-get install -y gcc" in capsys.readouterr().out


def test_brew_is_asked_where_there_is_no_apt(there: Machine) -> None:
    there.programs = {"brew"}

    machine.install("Rust", apt=("rustc",), brew=("rust",))

    assert there.called == [("brew", "install", "rust")]


def test_who_may_not_install_is_told_what_to_run(there: Machine) -> None:
    there.programs = {"apt-get"}
    there.user = 1000

    with pytest.raises(Failure, match=r"run this as root, .*: apt-get install -y gcc"):
        machine.install("a C compiler", apt=("gcc",))
    assert there.called == []


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"apt": ("gcc", "make")}, r"\(packages are called gcc make\)"),
        ({"brew": ("rust",)}, r"\(packages are called rust\)"),
        ({"apt": ("rustc",), "brew": ("rust",)}, r"rustc or rust|rust or rustc"),
    ],
)
def test_a_machine_that_is_not_known_is_told_the_names(
    there: Machine, names: dict[str, tuple[str, ...]], said: str
) -> None:
    with pytest.raises(Failure, match=said):
        machine.install("it", **names)


def test_an_installation_that_fails_is_named(there: Machine) -> None:
    there.programs = {"apt-get"}
    there.status = 100

    with pytest.raises(Failure, match=r"run it by hand, .*: apt-get install -y gcc"):
        machine.install("a C compiler", apt=("gcc",))


@pytest.mark.parametrize(
    ("policy", "version"),
    [
        ("rustc:\n  Installed: (none)\n  Candidate: 1.85.0+dfsg3-1\n", (1, 85)),
        ("rustup:\n  Candidate: 2:1.27.1-4\n", (1, 27)),
        ("rustc:\n  Candidate: (none)\n", None),
        ("", None),
        (None, None),
    ],
)
def test_the_version_that_debian_would_install(
    there: Machine, policy: str | None, version: tuple[int, ...] | None
) -> None:
    there.programs = {"apt-get"}
    there.policy = policy

    assert machine.apt_version("rustc") == version


@pytest.mark.parametrize("programs", [set[str](), {"apt-get"}])
def test_what_nobody_can_install_has_no_version(there: Machine, programs: set[str]) -> None:
    there.programs = programs
    there.user = 1000
    there.policy = "  Candidate: 1.85.0\n"

    assert machine.apt_version("rustc") is None
    assert there.called == []
