"""Each framework's own application, served by us and by the server that its authors name: clients see the same.

Apart from Date and Server: what tells of the connection (Connection, and whether a body's end is told by its length or by chunks) and the
reason phrase, which is ours.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.conformance.frameworks.asking import (
    FORM,
    PAGES,
    Ask,
    Reply,
    ask,
    converse,
    masked,
)

APPS = Path(__file__).parent / "apps"
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Framework:
    """One application.

    Attributes:
        target: of which module, and its name there.
        interface: which of the servers is its own.
        sockets: whether it answers at /echo.
        factory: whether that is a function that makes it.
        said: how much of a conversation is compared: Sanic leaves it to the server how a WebSocket ends.
    """

    target: str
    interface: str
    sockets: bool = False
    factory: bool = False
    said: int = 3


FRAMEWORKS: Mapping[str, Framework] = {
    "starlette": Framework("starlette_app:app", "asgi", sockets=True),
    "fastapi": Framework("fastapi_app:app", "asgi", sockets=True),
    "flask": Framework("flask_app:app", "wsgi"),
    "django-asgi": Framework("django_site:asgi", "asgi"),
    "django-wsgi": Framework("django_site:wsgi", "wsgi"),
    "falcon-asgi": Framework("falcon_asgi:app", "asgi", sockets=True),
    "falcon-wsgi": Framework("falcon_wsgi:app", "wsgi"),
    "litestar": Framework("litestar_app:app", "asgi", sockets=True),
    "quart": Framework("quart_app:app", "asgi", sockets=True),
    "sanic": Framework("sanic_app:app", "asgi", sockets=True, said=2),
    "blacksheep": Framework("blacksheep_app:app", "asgi", sockets=True),
    "pyramid": Framework("pyramid_app:make", "wsgi", factory=True),
    "bottle": Framework("bottle_app:app", "wsgi"),
    "datasette": Framework("datasette_app:make", "asgi", factory=True),
}


def ours(framework: Framework, fd: int) -> Sequence[str]:
    """Our command line."""
    return ["-m", "kingpost.cli", "run", framework.target, "--fd", str(fd)]


def theirs(framework: Framework, fd: int) -> Sequence[str]:
    """That of the server that they name."""
    if framework.interface == "asgi":
        factory = ["--factory"] if framework.factory else []
        quiet = ["--no-access-log", "--log-level", "critical"]
        return ["-m", "uvicorn", framework.target, "--fd", str(fd), *quiet, *factory]
    target = f"{framework.target}()" if framework.factory else framework.target
    quiet = ["--log-level", "critical", "--no-control-socket"]
    return ["-m", "gunicorn", target, "-b", f"fd://{fd}", "-k", "gthread", "--threads", "2", *quiet]


@contextlib.contextmanager
def serving(arguments: Sequence[str], sock: socket.socket, folder: Path) -> Generator[int]:
    """A server in a process of its own; its port. Whoever connects early waits."""
    os.set_inheritable(sock.fileno(), True)
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "python"), str(APPS)]),
        "PYTHONWARNINGS": "ignore",
        # Sets are told in one order.
        "PYTHONHASHSEED": "1",
        "GRID_FILE": str(folder / "text.txt"),
        "GRID_TABLES": str(folder / "tables.db"),
        "GRID_DATABASE": str(folder / "django.db"),
    }
    log = (folder / "log.txt").open("ab")
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, *arguments],
        cwd=APPS,
        env=environ,
        stdout=log,
        stderr=log,
        pass_fds=[sock.fileno()],
    )
    try:
        yield sock.getsockname()[1]
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)
        log.close()


@contextlib.contextmanager
def both(framework: Framework, folder: Path) -> Generator[tuple[int, int]]:
    """The application on our server and on theirs: the ports."""
    with contextlib.ExitStack() as stack:
        ports: list[int] = []
        for command in (ours, theirs):
            sock = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=100))
            arguments = command(framework, sock.fileno())
            ports.append(stack.enter_context(serving(arguments, sock, folder)))
        yield ports[0], ports[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the applications read."""
    path = tmp_path_factory.mktemp("grid")
    (path / "text.txt").write_text("0123456789" * 20_000)
    with contextlib.closing(sqlite3.connect(path / "tables.db")) as database, database:
        database.execute("create table fruit (id integer primary key, name text)")
        names = ("apple", "pear", "quince", "plum", "fig", "lime", "date")
        database.executemany("insert into fruit (name) values (?)", [(name,) for name in names])
    return path


@pytest.fixture(scope="module")
def django_database(folder: Path) -> None:
    """Its tables, and somebody who may log in."""
    environ = {**os.environ, "GRID_DATABASE": str(folder / "django.db")}
    subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "ignore", str(APPS / "django_site.py")], env=environ, check=True
    )


def assert_same(one: Ask, mine: Reply, reference: Reply) -> None:
    said = f"{one.method} {one.target}"
    assert (said, mine.status) == (said, reference.status)
    assert (said, mine.fields) == (said, reference.fields)
    # Of a HEAD that is answered with a body, or a length, only the latter need be told.
    assert reference.length is None or mine.length == reference.length, said
    assert (said, mine.body) == (said, reference.body)


@pytest.mark.parametrize("name", [name for name in FRAMEWORKS if name != "datasette"])
def test_pages_are_the_same(name: str, folder: Path, django_database: None) -> None:
    framework = FRAMEWORKS[name]
    with both(framework, folder) as (mine, reference):
        for one in PAGES:
            assert_same(one, ask(mine, one), ask(reference, one))
        if framework.sockets:
            said = [converse(port, "/echo", ["one", "two"]) for port in (mine, reference)]
            assert said[0][: framework.said] == said[1][: framework.said]
            assert said[0][:2] == ["ONE", "TWO"]
            assert converse(mine, "/closed", []) == converse(reference, "/closed", [])
            assert converse(mine, "/none", []) == converse(reference, "/none", [])
        if name.startswith("django"):
            log_in(mine, reference)


SECRETS = {
    r'(csrfmiddlewaretoken" value=")[^"]+': r"\1*",
    r"(csrftoken|sessionid)=[^;]+": r"\1=*",
    r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT": "*",
    r"expires=[^;]+": "expires=*",
}


def log_in(mine: int, reference: int) -> None:
    """A login at the admin, step by step on both sides."""
    page = Ask("GET", "/admin/login/?next=/admin/")
    first = [ask(port, page) for port in (mine, reference)]
    assert_same(page, *(masked(each, SECRETS) for each in first))
    second: list[Reply] = []
    for port, reply in zip((mine, reference), first, strict=True):
        token = re.search(rb'csrfmiddlewaretoken" value="([^"]+)', reply.body)
        assert token is not None
        form = {
            "csrfmiddlewaretoken": token[1].decode(),
            "username": "ann",
            "password": "secret",
            "next": "/admin/",
        }
        fields = [*FORM, ("Cookie", cookies_of(reply))]
        second.append(ask(port, Ask("POST", page.target, urlencode(form).encode(), fields)))
    assert_same(page, *(masked(each, SECRETS) for each in second))
    assert second[0].status == 302
    third = [
        ask(port, Ask("GET", "/admin/", fields=[("Cookie", cookies_of(reply))]))
        for port, reply in zip((mine, reference), second, strict=True)
    ]
    assert_same(page, *(masked(each, SECRETS) for each in third))
    assert third[0].status == 200


def cookies_of(reply: Reply) -> str:
    given = [value.partition(";")[0] for name, value in reply.fields if name == "set-cookie"]
    return "; ".join(given)


def test_datasette_is_the_same(folder: Path) -> None:
    asks = [
        Ask(method, target)
        for method in ("GET", "HEAD")
        for target in (
            "/",
            "/tables",
            "/tables/fruit",
            "/tables/fruit?_next=5",
            "/tables/fruit.json?_shape=array",
            "/tables/fruit.csv?_stream=1",
            "/tables/fruit/3",
            "/tables/none",
            "/none",
            "/-/static/app.css",
        )
    ]
    secrets = {
        r'"query_ms": [0-9.]+': '"query_ms": *',
        r"Queries took [0-9.]+ms": "*",
        r"ds_csrftoken=[^;]+": "*",
    }
    with both(FRAMEWORKS["datasette"], folder) as (mine, reference):
        for one in asks:
            assert_same(one, masked(ask(mine, one), secrets), masked(ask(reference, one), secrets))
