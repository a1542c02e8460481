"""Every check of a deployment finds what its entry shows as wrong, and is quiet about what it shows as right."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from kingpost import App, Settings
from kingpost.app.compile import compile_app
from kingpost.checks.deploy import CHECKS, ask_deploy
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
from kingpost.checks.deploy.site import Site, own_sources
from kingpost.limits import MIB
from kingpost.middleware import SecurityHeaders
from kingpost.settings import settings
from tests.unit.checks.deploying import (
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
