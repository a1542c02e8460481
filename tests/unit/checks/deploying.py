"""Reads what the catalogue shows for the checks of a deployment: programs, and what is typed and answered on a machine."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from kingpost import App
from kingpost.app.compile import compile_app
from kingpost.checks import Health, Metrics
from kingpost.checks.deploy import ask_deploy
from kingpost.checks.deploy.machine import MANY, Machine
from kingpost.checks.deploy.serving import Serving
from kingpost.checks.deploy.site import BareGuest, Site
from kingpost.interop.guest import Guest
from kingpost.interop.interface import interface_of
from kingpost.limits import MIB
from kingpost.middleware import (
    AccessLog,
    ContentSecurityPolicy,
    HttpsRedirect,
    SecurityHeaders,
    TrustedProxies,
)
from kingpost.server.options import limits_of

COMMAND = re.compile(r"kingpost(?:\.cli)? run app\.py(.*)$", re.MULTILINE)


def well_configured() -> App:
    """An App that no check has a word about."""
    return App(
        hosts=["shop.example.org"],
        middleware=[
            TrustedProxies(["unix"]),
            AccessLog(),
            HttpsRedirect(),
            SecurityHeaders(),
            ContentSecurityPolicy(),
        ],
        plugins=[Health(), Metrics()],
    )


def found(text: str, language: str, folder: Path) -> set[str]:
    """The ids of the checks that find something: about a program, or a transcript."""
    machine = Machine(folder=folder)
    sources: dict[str, str] = {}
    if language == "python" and "django" in text:
        return found_alone(text, folder)
    if language == "python":
        names: dict[str, Any] = {"__name__": "program"}
        exec(compile(text, "<program>", "exec", dont_inherit=True), names)  # noqa: S102 - our own catalogue
        app, sources = names["app"], {"app.py": text}
    else:
        app = well_configured()
        for command, answer in transcript(text):
            machine = told(machine, command, answer, sources)
    started = COMMAND.search(text)
    serving = started_by(started[1]) if started else Serving(uds="shop.sock")
    if isinstance(app, App):
        compile_app(app, mode="test")
        return {name for name, _ in ask_deploy(Site(app, serving, machine, sources))}
    return {name for name, _ in ask_deploy(bare(app, serving, machine, sources))}


def bare(
    app: object, serving: Serving, machine: Machine, sources: dict[str, str] | None = None
) -> BareGuest:
    """An application of others, as it is served without an App."""
    interface = interface_of(app)
    assert interface is not None
    return BareGuest(Guest(app, interface, name="theirs"), serving, machine, sources or {})


def found_alone(text: str, folder: Path) -> set[str]:
    """The same by the command, in a process of its own: Django is set up once for each."""
    folder.joinpath("app.py").write_text(text, encoding="utf-8")
    return {each["check"] for each in checked("app.py", folder)}


def checked(target: str, folder: Path) -> list[dict[str, str]]:
    """The problems that `kingpost check --deploy` tells of."""
    command = [sys.executable, "-m", "kingpost.cli", "check", "--deploy", "--json", target]
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert told.stderr == ""
    problems: list[dict[str, str]] = json.loads(told.stdout)["problems"]
    return problems


def started_by(words: str) -> Serving:
    """What `kingpost run` is told."""
    options = argparse.ArgumentParser()
    options.add_argument("--host", action="append", dest="hosts", default=[])
    options.add_argument("--uds")
    options.add_argument("--uds-mode", default=0o660, type=lambda text: int(text, 8))
    options.add_argument("--tls-cert")
    options.add_argument("--tls-key")
    options.add_argument("--workers", type=lambda text: None if text == "auto" else int(text))
    options.add_argument("--threads", type=int, default=40)
    options.add_argument("--grace", type=float, default=5)
    options.add_argument("--limit", action="append", dest="limits", default=[])
    options.add_argument("--ops-port", type=int)
    said = options.parse_args(shlex.split(words))
    return Serving(
        hosts=said.hosts,
        uds=said.uds,
        uds_mode=said.uds_mode,
        tls=said.tls_cert is not None,
        workers=said.workers,
        threads=said.threads,
        grace=said.grace,
        limits=limits_of(said.limits),
        ops=said.ops_port is not None,
    )


def transcript(text: str) -> Iterator[tuple[str, str]]:
    """Each command, with what it has answered."""
    for part in text.split("$ ")[1:]:
        command, _, answer = part.partition("\n")
        yield command, answer.strip()


def told(  # noqa: PLR0911, PLR0912 - a line for each command
    machine: Machine, command: str, answer: str, sources: dict[str, str]
) -> Machine:
    """The machine of which that is so."""
    replace = msgspec.structs.replace
    match command.split():
        case ["export", pair]:
            return replace(machine, environment=dict([pair.split("=")]))
        case ["unset", _]:
            return replace(machine, environment={})
        case ["id", "-u"]:
            return replace(machine, user=int(answer))
        case ["umask"]:
            return replace(machine, umask=int(answer, 8))
        case ["nproc"]:
            return replace(machine, processors=int(answer))
        case ["ulimit", "-Hn"]:
            return replace(machine, open_files=int(answer))
        case ["ulimit", "-c"]:
            return replace(machine, core_size=MANY if answer == "unlimited" else int(answer))
        case ["sysctl", "-n", "net.core.somaxconn"]:
            return replace(machine, backlog=int(answer))
        case ["python", "--version"]:
            major, minor, _ = answer.removeprefix("Python ").split(".")
            return replace(machine, python=(int(major), int(minor)))
        case ["python", *options, "run", "app.py"]:
            return replace(machine, is_debugging="dev" in options)
        case ["date", "+%F"]:
            return replace(machine, today=date.fromisoformat(answer))
        case ["pip", "show", "uvloop"]:
            return replace(machine, has_uvloop=answer.startswith("Name"))
        case ["df", *_]:
            return replace(machine, temporary_free=int(answer.removesuffix("M")) * MIB)
        case ["ls", "/.dockerenv"]:
            return replace(machine, is_container=True)
        case ["stat", "-c", "%a", name]:
            machine.folder.joinpath(name).touch()
            machine.folder.joinpath(name).chmod(int(answer, 8))
            sources[name] = ""
        case ["git", "ls-files", name]:
            in_repository(machine.folder, name if answer else "README")
        case ["kingpost", "run", *_]:
            pass
        case _:
            raise AssertionError(f"nobody knows what {command!r} says of a machine")
    return machine


def in_repository(folder: Path, name: str) -> None:
    folder.joinpath(".env").touch(mode=0o600)
    folder.joinpath(name).touch()
    for words in (["init", "-q"], ["add", name]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)  # noqa: S603, S607 - our own words, and the git that there is


@contextmanager
def kept_logging() -> Generator[None]:
    """What a program does to logging is undone."""
    import logging

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


@contextmanager
def kept_environment() -> Generator[None]:
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
