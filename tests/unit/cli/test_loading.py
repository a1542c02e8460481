"""What a target is: an App of ours, or an application that was written for ASGI or WSGI."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from kingpost import App
from kingpost.cli.loading import GuestOptions, load_app, service_of
from kingpost.errors import TargetError
from kingpost.interop.guest import MAX_BODY, Guest
from kingpost.server.target import find_target
from tests.ports import free_port
from tests.security.rig import serving
from tests.unit.cli.calling import call
from tests.waiting import until

PROGRAM = """
from kingpost import App
from flask import Flask

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]

async def asgi(scope, receive, send): ...

def make_wsgi():
    return wsgi

def make_ours(name="x", of=None, more=None):
    return App()

def any(*arguments):
    return wsgi(*arguments)

def one(environ):
    return []

number = 5
"""

NUMBERS = itertools.count()


@pytest.fixture
def module(folder: Path) -> str:
    """The name of a module of its own."""
    name = f"guest_program_{next(NUMBERS)}"
    (folder / f"{name}.py").write_text(PROGRAM)
    return name


@pytest.mark.parametrize(
    ("attribute", "interface"),
    [("wsgi", "wsgi"), ("asgi", "asgi"), ("make_wsgi", "wsgi")],
)
def test_an_application_of_others_is_told_by_itself(
    module: str, attribute: str, interface: str
) -> None:
    guest = load_app(find_target(f"{module}:{attribute}"), GuestOptions())
    assert isinstance(guest, Guest)
    assert (guest.interface, guest.max_body) == (interface, MAX_BODY)
    assert guest.name == f"{module}:{attribute}"


def test_a_function_that_makes_an_app_of_ours_is_one(module: str) -> None:
    assert isinstance(load_app(find_target(f"{module}:make_ours"), GuestOptions()), App)


def test_without_a_name_it_is_app_or_application(folder: Path) -> None:
    for name in ("app", "application"):
        file = f"guest_named_{name}"
        (folder / f"{file}.py").write_text(f"{PROGRAM}\n{name} = wsgi\n")
        guest = load_app(find_target(file), GuestOptions())
        assert isinstance(guest, Guest)


def test_what_is_told_is_believed(module: str) -> None:
    guest = load_app(find_target(f"{module}:any"), GuestOptions("asgi", 7))
    assert isinstance(guest, Guest)
    assert (guest.interface, guest.max_body) == ("asgi", 7)


@pytest.mark.parametrize(
    ("attribute", "options", "code"),
    [
        ("any", GuestOptions(), "target.interface"),
        ("one", GuestOptions(), "target.factory"),
        ("number", GuestOptions(), "target.wrong-type"),
        ("wsgi", GuestOptions("asgi"), "target.factory"),
        ("wsgi", GuestOptions("kingpost"), "target.factory"),
    ],
)
def test_what_is_none_is_refused(
    module: str, attribute: str, options: GuestOptions, code: str
) -> None:
    with pytest.raises(TargetError) as refused:
        load_app(find_target(f"{module}:{attribute}"), options)
    assert refused.value.code == code


@pytest.mark.parametrize("command", ["run", "dev"])
def test_an_application_of_others_is_run(module: str, folder: Path, command: str) -> None:
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "kingpost.cli", command, f"{module}:wsgi", "--port", "0"],
            cwd=folder,
            stdout=output,
            stderr=output,
        )
    try:
        until(lambda: "http://127.0.0.1:" in log.read_text(), shows=log.read_text)
        url = "http://127.0.0.1:" + log.read_text().split("http://127.0.0.1:")[1].split()[0]
        with urllib.request.urlopen(url, timeout=60) as answer:
            assert answer.read() == b"hello"
    finally:
        process.terminate()
        process.wait(60)


def test_a_guest_is_given_what_the_options_say_of_proxies(module: str) -> None:
    options = GuestOptions(trusted=["10.0.0.0/8"], root_path="/shop")
    guest = load_app(find_target(f"{module}:wsgi"), options)
    assert isinstance(guest, Guest)
    assert guest.root == "/shop"
    service = service_of(guest, "production")
    assert service.trusted_peers == [("10.0.0.0", 8)]


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        (GuestOptions(trusted=["10.0.0.1"]), "TrustedProxies(['10.0.0.1'])"),
        (GuestOptions(root_path="/shop"), 'outer.mount("/shop", app)'),
    ],
)
def test_an_app_is_told_of_proxies_in_its_own_code(
    options: GuestOptions, remedy: str, module: str
) -> None:
    with pytest.raises(TargetError) as refused:
        load_app(find_target(f"{module}:make_ours"), options)
    assert refused.value.code == "target.not-a-guest"
    assert remedy in str(refused.value)


@pytest.mark.parametrize("path", ["shop", "/a b", "/a?b", "/{x}"])
def test_what_is_no_path_of_a_proxy_is_refused(path: str) -> None:
    result = call("run", "none.py", "--root-path", path)
    assert result.exit_code == 2
    assert "--root-path" in result.output


GUESTS = """
from flask import Flask

flask = Flask("flask")

@flask.get("/baskets/<name>")
def basket(name): return name

async def asgi(scope, receive, send): ...
"""


def test_the_urls_of_an_application_of_others_are_listed_where_it_can_be_asked(
    folder: Path,
) -> None:
    name = f"guest_program_{next(NUMBERS)}"
    (folder / f"{name}.py").write_text(GUESTS)
    listed = call("routes", f"{name}:flask")
    assert listed.exit_code == 0, listed.output
    assert "/baskets/<name>" in listed.output
    assert call("routes", f"{name}:asgi").output.split()[-3:-1] == ["*", "/*"]


@pytest.mark.parametrize(
    "arguments",
    [["openapi"], ["check"], ["shell", "-c", "1", "--app"], ["request", "GET", "/", "--app"]],
)
def test_what_asks_an_app_says_so_to_an_application_of_others(
    arguments: list[str], folder: Path
) -> None:
    name = f"guest_program_{next(NUMBERS)}"
    (folder / f"{name}.py").write_text(GUESTS)
    result = call(*arguments, f"{name}:flask")
    assert result.exit_code == 1
    assert f"{name}:flask is an application of WSGI" in result.output
    assert 'front.mount("/", app)' in result.output


def test_an_application_of_others_is_told_of_on_the_port_of_those_who_run_it(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("KINGPOST_OPS", f"127.0.0.1:{port}")
    guest = load_app(find_target(f"{module}:wsgi"), GuestOptions())
    with serving(service_of(guest, "production")) as rig:

        def ask(at: int, path: str) -> str:
            with urllib.request.urlopen(f"http://127.0.0.1:{at}{path}", timeout=60) as answer:
                return str(answer.read().decode())

        # Theirs, whatever its path.
        assert ask(rig.port, "/livez") == "hello"
        assert json.loads(ask(port, "/livez")) == {"status": "ok"}
        assert json.loads(ask(port, "/readyz"))["status"] == "ok"
        assert re.search(
            r'^http_server_request_duration_seconds_count\{.*route="/\*".*\} 1$',
            ask(port, "/metrics"),
            re.MULTILINE,
        )
