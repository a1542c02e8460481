"""Every check of a deployment finds what its entry shows as wrong, and is quiet about what it shows as right."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from flask import Flask
from quart import Quart
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from kingpost import App, Settings
from kingpost.app.compile import compile_app
from kingpost.checks.deploy import CHECKS, OF_SETUP, ask_deploy, guests
from kingpost.checks.deploy.machine import (
    MANY,
    Machine,
    limit,
    number_in,
    processors,
    temporary_folder,
)
from kingpost.checks.deploy.process import END_OF_LIFE
from kingpost.checks.deploy.serving import Serving
from kingpost.checks.deploy.site import BareGuest, Site, own_sources
from kingpost.interop.guest import Guest
from kingpost.limits import MIB
from kingpost.middleware import SecurityHeaders, TrustedProxies
from kingpost.settings import settings
from tests.unit.checks.deploying import (
    bare,
    checked,
    found,
    kept_environment,
    kept_logging,
    well_configured,
)

BLOCK = re.compile(r"^## (Wrong|Right)\n```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "_LOADED", {})
    monkeypatch.delenv("SECRET_KEY", raising=False)
    with kept_environment():
        yield tmp_path


def shown(name: str) -> dict[str, tuple[str, str]]:
    """The language and the text of what an entry shows."""
    entry = files("kingpost.explain").joinpath("entries", f"{name}.md").read_text(encoding="utf-8")
    return {title: (language, text) for title, language, text in BLOCK.findall(entry)}


def test_there_are_many_checks_and_each_id_says_what_it_is_about() -> None:
    assert len(CHECKS) >= 40
    assert all(re.fullmatch(r"deploy\.[a-z]+(-[a-z]+)*", name) for name in CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_finds_what_is_wrong(name: str, folder: Path) -> None:
    language, text = shown(name)["Wrong"]

    with kept_logging():
        assert name in found(text, language, folder)


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_is_quiet_where_its_remedy_was_followed(name: str, folder: Path) -> None:
    language, text = shown(name)["Right"]

    with kept_logging():
        assert name not in found(text, language, folder)


def problems(
    app: App | None = None, serving: Serving | None = None, machine: Machine | None = None
) -> dict[str, str]:
    """What is found, by the check."""
    app = app or well_configured()
    compile_app(app, mode="test")
    site = Site(
        app,
        serving or Serving(uds="shop.sock", ops=True),
        machine or Machine(folder=Path.cwd()),
        {},
    )
    return {name: told.problem.message for name, told in ask_deploy(site)}


def test_an_app_that_is_well_configured_is_not_found_fault_with() -> None:
    assert problems() == {}


def test_a_name_of_this_machine_refuses_every_visitor() -> None:
    assert "deploy.hosts" in problems(App(hosts=["localhost", "127.0.0.1"]))
    assert "deploy.hosts" not in problems(App(hosts=["localhost", "shop.example.org"]))


@pytest.mark.parametrize(
    ("serving", "is_public", "is_behind"),
    [
        (Serving(), False, True),
        (Serving(hosts=["127.0.0.1"]), False, True),
        (Serving(hosts=["localhost", "::1"]), False, True),
        (Serving(hosts=["127.0.0.1", "10.0.0.7"]), True, False),
        (Serving(hosts=["::"]), True, False),
        (Serving(uds="shop.sock"), False, True),
        (Serving(fd=3), False, False),
    ],
)
def test_who_can_connect_is_told_by_where_it_listens(
    serving: Serving, is_public: bool, is_behind: bool
) -> None:
    assert serving.is_public == is_public
    assert serving.is_behind_a_proxy == is_behind


def test_a_key_that_is_short_is_told_of_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    class ShopSettings(Settings, prefix="SHOP_"):
        pass

    monkeypatch.setenv("SHOP_SECRET_KEY", "few")
    told = problems(App(settings=ShopSettings))["deploy.secret-key"]

    assert told == "SHOP_SECRET_KEY has 3 characters, and 32 are the least"


@pytest.mark.parametrize(("workers", "is_told"), [(1, False), (4, False), (5, True), (None, False)])
def test_many_workers_for_one_processor_are_too_many(workers: int | None, is_told: bool) -> None:
    told = problems(serving=Serving(uds="shop.sock", ops=True, workers=workers))

    assert ("deploy.workers" in told) == is_told


@pytest.mark.parametrize(("free", "is_told"), [(256 * MIB, False), (256 * MIB - 1, True)])
def test_there_is_room_for_sixteen_uploads(free: int, is_told: bool) -> None:
    assert ("deploy.tempdir" in problems(machine=Machine(temporary_free=free))) == is_told


def test_a_folder_that_cannot_be_written_to_is_an_error() -> None:
    assert "no temporary file" in problems(machine=Machine(temporary=None))["deploy.tempdir"]


@pytest.mark.parametrize(("files", "is_told"), [(20_200, False), (20_199, True), (None, False)])
def test_the_files_of_a_process_are_enough_for_its_connections(
    files: int | None, is_told: bool
) -> None:
    assert ("deploy.ulimit-nofile" in problems(machine=Machine(open_files=files))) == is_told


def test_a_python_has_fixes_until_its_last_day() -> None:
    end = END_OF_LIFE[3, 11]
    after = date.fromordinal(end.toordinal() + 1)

    assert "deploy.python-eol" not in problems(machine=Machine(python=(3, 11), today=end))
    assert "deploy.python-eol" in problems(machine=Machine(python=(3, 11), today=after))
    assert "deploy.python-eol" not in problems(machine=Machine(python=(3, 99), today=after))


def test_kubernetes_waits_longer_than_a_container_engine() -> None:
    def told(grace: float, **environment: str) -> bool:
        machine = Machine(is_container=True, environment=environment)
        serving = Serving(uds="shop.sock", ops=True, grace=grace)
        return "deploy.grace-vs-orchestrator" in problems(serving=serving, machine=machine)

    assert told(10)
    assert not told(9.5)
    assert not told(29, KUBERNETES_SERVICE_HOST="10.0.0.1")
    assert told(30, KUBERNETES_SERVICE_HOST="10.0.0.1")


def test_one_that_answers_no_pages_needs_no_policy_for_them() -> None:
    app = App()

    @app.get("/")
    def home() -> dict[str, str]:
        return {}

    assert {"deploy.csp", "deploy.security-headers"}.isdisjoint(problems(app))


def test_headers_without_hsts_do_not_pass_for_it() -> None:
    assert "deploy.hsts" in problems(App(middleware=[SecurityHeaders(hsts=None)]))


def test_a_machine_says_what_it_is_like(folder: Path) -> None:
    machine = Machine.here()

    assert machine.folder == folder
    assert machine.processors == processors() >= 1
    assert machine.python == sys.version_info[:2]
    assert machine.temporary == temporary_folder()
    if sys.platform != "win32":
        assert machine.user is not None
        assert machine.open_files is not None
        assert 0 < machine.open_files <= MANY
    if sys.platform == "linux":
        assert machine.backlog is not None
        assert machine.backlog > 0
        assert machine.umask is not None


def test_a_number_that_this_system_does_not_tell_is_unknown(folder: Path) -> None:
    assert number_in(str(folder / "none"), r"(\d+)", 10) is None
    folder.joinpath("some").write_text("Umask:\tyes\n")
    assert number_in(str(folder / "some"), r"(\d+)", 10) is None


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
def test_a_limit_that_is_none_counts_as_a_large_number(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, 7))

    assert limit("RLIMIT_NOFILE") == MANY
    assert limit("RLIMIT_NOFILE", hard=True) == 7


def test_sources_are_those_that_were_imported_from_the_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = folder / "lib" / "site-packages"
    installed.mkdir(parents=True)
    for path, text in ((folder, "ours"), (installed, "theirs")):
        path.joinpath(f"{text}_of_deploy.py").write_text(f"{text} = 1\n")
        monkeypatch.syspath_prepend(str(path))
        __import__(f"{text}_of_deploy")

    try:
        assert own_sources(folder) == {"ours_of_deploy.py": "ours = 1\n"}
    finally:
        del sys.modules["ours_of_deploy"], sys.modules["theirs_of_deploy"]


@pytest.mark.parametrize(
    ("limits", "is_told"),
    [
        ({}, False),
        ({"connections": 64, "connections_per_peer": 63}, False),
        ({"connections": 63, "connections_per_peer": 62}, True),
        ({"connections_per_peer": 16}, False),
        ({"connections_per_peer": 15}, True),
        ({"connections": 256}, True),
        ({"connections": 257}, False),
        ({"connections_per_peer": 20_000}, True),
    ],
)
def test_no_few_visitors_take_all_connections(limits: dict[str, int], is_told: bool) -> None:
    public = Serving(hosts=["::"], tls=True, ops=True, limits=limits)

    assert ("deploy.limits-connections" in problems(serving=public)) == is_told


def test_visitors_of_this_machine_are_not_counted_by_their_address() -> None:
    serving = Serving(uds="shop.sock", ops=True, limits={"connections_per_peer": 1})

    assert problems(serving=serving) == {}


def test_reading_ahead_without_bounds_is_told_of() -> None:
    def told(pipelined: int) -> bool:
        serving = Serving(uds="shop.sock", ops=True, limits={"pipelined": pipelined})
        return "deploy.limits-loose" in problems(serving=serving)

    assert not told(256)
    assert told(257)


def of_guest(app: object, serving: Serving | None = None) -> dict[str, str]:
    """What is found of an application of others that is served without an App."""
    serving = serving or Serving(hosts=["::"], tls=True, ops=True)
    return {
        name: told.problem.message
        for name, told in ask_deploy(bare(app, serving, Machine(folder=Path.cwd())))
    }


def flask(**config: object) -> Flask:
    app = Flask("theirs")
    app.config.update({"TRUSTED_HOSTS": ["example.org"], **config})
    return app


def test_a_guest_that_is_well_configured_is_not_found_fault_with() -> None:
    quart = Quart("theirs")
    quart.config["TRUSTED_HOSTS"] = ["example.org"]
    trusted = Middleware(TrustedHostMiddleware, allowed_hosts=["example.org"])

    assert of_guest(flask()) == {}
    assert of_guest(quart) == {}
    assert of_guest(Starlette(middleware=[trusted])) == {}
    assert (
        of_guest(Starlette(middleware=[Middleware(TrustedHostMiddleware, ["example.org"])])) == {}
    )


@pytest.mark.parametrize(
    "app",
    [
        flask(TRUSTED_HOSTS=None),
        Quart("theirs"),
        Starlette(),
        Starlette(middleware=[Middleware(TrustedHostMiddleware)]),
        Starlette(middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["*"])]),
    ],
)
def test_a_guest_for_any_host_is_told_of(app: object) -> None:
    assert of_guest(app) == {
        "deploy.guest-hosts": "theirs: it answers whatever host a request names"
    }


def test_a_guest_that_cannot_know_its_hosts_is_told_of_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = flask()
    monkeypatch.setattr(app, "default_config", {})

    assert "this version cannot be told its own" in of_guest(app)["deploy.guest-hosts"]


def test_a_guest_that_is_under_test_is_told_of() -> None:
    assert "testing" in of_guest(flask(TESTING=True))["deploy.guest-debug"]
    assert "debug" in of_guest(flask(DEBUG=True))["deploy.guest-debug"]


@pytest.mark.parametrize(
    ("key", "is_told"),
    [
        (None, False),
        ("dev", True),
        (b"dev", True),
        (bytes(range(16)), False),
        (bytes(range(15)), True),
        ("9c1d40b7e2f6583a" * 2, False),
        ("please-change-me-before-you-deploy-this", True),
    ],
)
def test_a_key_of_a_guest_is_looked_at(key: object, is_told: bool) -> None:
    assert ("deploy.guest-secret-key" in of_guest(flask(SECRET_KEY=key))) == is_told


def test_a_guest_that_fails_when_it_is_asked_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    app = flask()
    monkeypatch.setattr(app, "config", None)

    assert "theirs: it cannot be asked: AttributeError" in of_guest(app)["deploy.guest-hosts"]


def nobody_knows(environ: object, start_response: object) -> list[bytes]:
    del environ, start_response
    return []


def test_a_guest_that_nobody_knows_is_asked_nothing() -> None:
    assert of_guest(nobody_knows) == {}


def test_a_guest_is_told_in_its_own_way_what_to_do() -> None:
    serving = Serving()
    remedies = {
        name: told.problem.remedy
        for name, told in ask_deploy(bare(nobody_knows, serving, Machine(folder=Path.cwd())))
    }

    assert remedies == {
        "deploy.proxies": "say --trust-proxy 127.0.0.1",
        "deploy.health": "say --ops-port 9000, which has /livez, /readyz and /metrics",
        "deploy.metrics": "say --ops-port 9000, which has /livez, /readyz and /metrics",
    }


def test_a_guest_that_believes_its_proxy_is_asked_whom() -> None:
    def told(*trusted: str) -> set[str]:
        guest = Guest(nobody_knows, "wsgi", proxies=TrustedProxies(trusted))
        setup = BareGuest(guest, Serving(ops=True), Machine(folder=Path.cwd()), {})
        return {name for name, _ in ask_deploy(setup)}

    assert told("127.0.0.1") == set()
    assert told("127.0.0.1", "::/1") == {"deploy.proxies-wide"}


async def one_that_awaits(scope: object, receive: object, send: object) -> None:
    del scope, receive, send


def test_only_what_awaits_wants_the_faster_loop() -> None:
    slow = Machine(folder=Path.cwd(), has_uvloop=False)
    serving = Serving(hosts=["::"], tls=True, ops=True)

    assert list(ask_deploy(bare(nobody_knows, serving, slow))) == []
    assert [name for name, _ in ask_deploy(bare(one_that_awaits, serving, slow))] == [
        "deploy.uvloop"
    ]


def test_what_is_mounted_is_asked_and_its_line_named() -> None:
    app = well_configured()
    app.mount("/shop", flask(TRUSTED_HOSTS=None), name="shop")
    line = test_what_is_mounted_is_asked_and_its_line_named.__code__.co_firstlineno + 2
    compile_app(app, mode="test")
    site = Site(app, Serving(uds="shop.sock", ops=True), Machine(folder=Path.cwd()), {})

    [(name, told)] = list(ask_deploy(site))

    assert name == "deploy.guest-hosts"
    assert told.problem.message == "shop: it answers whatever host a request names"
    assert told.place.endswith(f"test_deploy.py:{line}")


def test_what_is_mounted_in_a_mounted_app_is_asked_too() -> None:
    app, inner = well_configured(), App()
    inner.mount("/shop", flask(TRUSTED_HOSTS=None))
    app.mount("/inner", inner)

    assert "deploy.guest-hosts" in problems(app)


DJANGO = """
from django.conf import settings
from django.core.wsgi import get_wsgi_application

settings.configure(DEBUG=True, ALLOWED_HOSTS=["*"], SECRET_KEY="django-insecure-one", SILENCED_SYSTEM_CHECKS=["security.W003"])
app = get_wsgi_application()
"""


def test_django_is_asked_by_its_own_checks_and_nothing_twice(folder: Path) -> None:
    folder.joinpath("site_of_django.py").write_text(DJANGO, encoding="utf-8")
    told = [
        (each["check"], each["level"], each["message"].split(": ", 1)[1])
        for each in checked("site_of_django:app", folder)
        if each["check"].startswith("deploy.guest-")
    ]

    assert told[:3] == [
        (
            "deploy.guest-hosts",
            "warning",
            'ALLOWED_HOSTS has "*": it answers whatever host a request names',
        ),
        (
            "deploy.guest-debug",
            "error",
            "DEBUG is on: errors show source, variables and settings to every visitor",
        ),
        ("deploy.guest-secret-key", "error", "SECRET_KEY looks like one that a person has typed"),
    ]
    names = [message.partition(":")[0] for _, _, message in told[3:]]
    assert "security.W001" in names
    assert names == sorted(names)
    assert guests.ASKED_HERE.isdisjoint(names)
    assert "security.W003" not in names


def test_what_only_an_app_can_be_asked_is_not_asked_of_a_guest() -> None:
    assert set(OF_SETUP) < set(CHECKS)
    assert {"deploy.tls", "deploy.workers", "deploy.guest-hosts"} <= set(OF_SETUP)
    assert {"deploy.hosts", "deploy.csp", "deploy.debug"}.isdisjoint(OF_SETUP)
