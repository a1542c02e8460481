"""`kingpost check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kingpost.checks.deploy import CHECKS, OF_SETUP
from kingpost.checks.deploy.machine import Machine
from kingpost.cli.check import workers_of
from kingpost.cli.commands import kingpost

APP = """
from collections.abc import AsyncIterator, Iterator
from kingpost import App, Request, Settings
from kingpost.checks import Problem

class AppSettings(Settings):
    mail_to: str = ""

class Database: ...

class Post:
    name = "post"
    requires = ()

    def install(self, app):
        @app.extensions.check
        def mail(settings: AppSettings, database: Database) -> Problem | None:
            if not settings.mail_to:
                return Problem("nobody is told of errors", "set MAIL_TO", is_error=False)

app = App(settings=AppSettings, hosts=["example.org"], plugins=[Post()])

@app.provide
def database() -> Iterator[Database]:
    yield Database()
"""
MORE = """
@app.extensions.check
def several() -> list[Problem]:
    return [Problem("one"), Problem("two", is_error=False)]

@app.extensions.check(name="streamed")
async def some() -> AsyncIterator[Problem]:
    yield Problem("three")

@app.extensions.check
async def later() -> Problem:
    return Problem("four")

@app.extensions.check
def broken() -> Iterator[Problem]:
    yield Problem("five")
    raise OSError("no")

@app.extensions.check
def wrong() -> str:
    return "six"
"""


@pytest.fixture(autouse=True)
def program(folder: Path) -> None:
    (folder / "app.py").write_text(APP)


def check(*arguments: str) -> Result:
    return CliRunner().invoke(kingpost, ["check", *arguments])


def test_a_warning_is_told_and_is_no_failure() -> None:
    result = check()

    assert result.output.splitlines() == [
        "warning: mail: nobody is told of errors",
        "  do: set MAIL_TO",
        "  at: app.py:16",
        "3 checks: 0 errors, 1 warning",
    ]
    assert result.exit_code == 0


def test_nothing_wrong_is_said_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_TO", "ann@example.org")

    assert check("app.py").output == "3 checks: 0 errors, 0 warnings\n"


def test_errors_of_every_kind_of_check_make_the_command_fail(folder: Path) -> None:
    (folder / "app.py").write_text(APP + MORE)
    result = check()
    lines = [line for line in result.output.splitlines() if not line.startswith("  ")]

    assert result.exit_code == 1
    assert lines == [
        "warning: mail: nobody is told of errors",
        "error: several: one",
        "warning: several: two",
        "error: streamed: three",
        "error: later: four",
        "error: broken: five",
        "error: broken: the check has failed: OSError: no",
        "error: wrong: the check has failed: TypeError: wrong gives 'six', and a check gives Problems",
        "8 checks: 6 errors, 2 warnings",
    ]


NAMES = """
@app.extensions.check
def one(found: Database, /, *, given: Database) -> Problem | None:
    return Problem("not shared") if found is not given else None

@app.extensions.check
async def two(given: Database, /, *, found: Database) -> Problem | None:
    return Problem("not shared") if found is not given else None

@app.extensions.check
async def streamed(a: Database, /, found: Database) -> AsyncIterator[Problem]:
    if a is not found:
        yield Problem("not shared")
"""


def test_parameters_of_a_check_may_have_any_name_and_be_given_by_position(folder: Path) -> None:
    (folder / "app.py").write_text(APP + NAMES)
    result = check()

    assert result.output.splitlines()[-1] == "6 checks: 0 errors, 1 warning"


def test_an_app_for_any_host_is_warned_of(folder: Path) -> None:
    (folder / "small.py").write_text("from kingpost import App\napp = App()\n")
    result = check("small.py")

    assert "warning: hosts: the app answers whatever host a request names" in result.output
    assert 'do: say which are its own: App(hosts=["example.org"])' in result.output
    assert result.exit_code == 0


PERMISSION = """
from kingpost import Blueprint
from kingpost.routing import Principals, Traverse, permission

@app.provide
def principals() -> Principals:
    return Principals(["admin"])

staff = Blueprint("staff", prefix="/staff", requires=permission("admin"))

@staff.get("/rota")
def rota() -> str:
    return ""

app.include(staff)
"""
TREE = """
class Folder: ...

site = Traverse("/site", Folder())

@site.view(Folder)
def show(context: Folder) -> str:
    return ""

app.include(site)
"""


def test_a_permission_that_no_tree_can_give_is_warned_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_TO", "ann@example.org")
    (folder / "app.py").write_text(APP + PERMISSION)
    lines = check().output.splitlines()

    assert lines[0] == (
        "warning: permissions: /staff/rota refuses everybody: permission('admin') asks the objects of a Traverse, and the app has none"
    )
    place = lines[2].removeprefix("  at: app.py:")
    assert (APP + PERMISSION).splitlines()[int(place) - 1] == '@staff.get("/rota")'
    assert lines[-1] == "3 checks: 0 errors, 1 warning"


def test_nothing_is_said_of_permissions_where_there_is_a_tree(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_TO", "ann@example.org")
    (folder / "app.py").write_text(APP + PERMISSION + TREE)

    assert check().output == "3 checks: 0 errors, 0 warnings\n"


def test_what_keeps_an_app_from_starting_is_an_error(folder: Path) -> None:
    (folder / "app.py").write_text(APP + '@app.get("/{id}")\ndef show(): ...\n')
    result = check()

    assert result.exit_code == 1
    assert "binding.missing-path-parameter" in result.output


def test_a_check_that_asks_for_a_request_is_refused(folder: Path) -> None:
    (folder / "app.py").write_text(
        APP + "@app.extensions.check\ndef asked(request: Request) -> None: ...\n"
    )
    result = check()

    assert result.exit_code == 1
    assert "a check answers no request" in result.output


def test_two_checks_of_one_name_are_both_named(folder: Path) -> None:
    (folder / "app.py").write_text(APP + "@app.extensions.check\ndef mail() -> None: ...\n")
    result = check()

    assert result.exit_code == 1
    assert "extensions.taken" in result.output
    assert "app.py:16" in result.output


DEPLOYED = """
from kingpost import App
from kingpost.checks import Health, Metrics
from kingpost.middleware import (
    AccessLog, ContentSecurityPolicy, HttpsRedirect, SecurityHeaders, TrustedProxies,
)

app = App(
    hosts=["shop.example.org"],
    middleware=[
        TrustedProxies(["127.0.0.1"]), AccessLog(), HttpsRedirect(), SecurityHeaders(), ContentSecurityPolicy(),
    ],
    plugins=[Health(), Metrics()],
)
app.extensions.silence("deploy.metrics-public", because="the proxy keeps it")
"""


@pytest.fixture
def machine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that nothing is wrong with."""
    monkeypatch.setattr(Machine, "here", classmethod(lambda cls: cls(folder=folder)))


@pytest.mark.usefixtures("machine")
def test_a_deployment_that_nothing_is_wrong_with_passes(folder: Path) -> None:
    (folder / "app.py").write_text(DEPLOYED)
    result = check("--deploy", "--strict")

    assert result.output.splitlines() == [
        "silenced: deploy.metrics-public: the proxy keeps it",
        f"{len(CHECKS) + 1} checks: 0 errors, 0 warnings",
    ]
    assert result.exit_code == 0


@pytest.mark.usefixtures("machine")
def test_how_it_is_started_is_told_behind_two_dashes(folder: Path) -> None:
    (folder / "app.py").write_text(DEPLOYED)
    loose = ["--limit", "head_timeout=600000"]

    assert "deploy.limits-loose" in check("--deploy", "app.py", "--", *loose).output
    assert "deploy.limits-loose" in check("--deploy", "--", *loose).output
    assert "deploy.uds-mode" in check("--deploy", "--", "--uds", "s", "--uds-mode", "666").output
    assert "no such option" in check("--deploy", "--", "--lmit", "1").output.lower()
    assert "--host, --uds" in check("--deploy", "--", "--uds", "s", "--host", "::").output


@pytest.mark.usefixtures("machine")
def test_tls_workers_and_the_port_of_operations_are_known_as_they_are_said(folder: Path) -> None:
    (folder / "app.py").write_text(DEPLOYED.replace('TrustedProxies(["127.0.0.1"]), ', ""))
    public = ["--host", "0.0.0.0"]  # noqa: S104 - nothing listens

    assert "deploy.tls" in check("--deploy", "--", *public).output
    secure = check("--deploy", "--", *public, "--tls-cert", "a.pem", "--tls-key", "a.key")
    assert "deploy.tls" not in secure.output
    assert "deploy.workers" in check("--deploy", "--", "--workers", "9").output
    quiet = check("--deploy", "--", "--workers", "auto", "--ops-port", "9000")
    assert "deploy.workers" not in quiet.output


GUEST = """
from flask import Flask

app = Flask("shop")
"""


@pytest.mark.usefixtures("machine")
def test_an_application_of_others_is_asked_how_it_is_deployed(folder: Path) -> None:
    (folder / "shop.py").write_text(GUEST)
    result = check("--deploy", "shop:app", "--", "--ops-port", "9000", "--trust-proxy", "127.0.0.1")

    assert result.output.splitlines() == [
        "warning: deploy.guest-hosts: shop:app: it answers whatever host a request names",
        '  do: say which are its own: app.config["TRUSTED_HOSTS"] = ["example.org"]',
        f"{len(OF_SETUP)} checks: 0 errors, 1 warning",
    ]
    assert result.exit_code == 0
    assert check("--deploy", "--strict", "shop:app").exit_code == 1


@pytest.mark.usefixtures("machine")
def test_what_an_application_of_others_is_asked_can_be_silenced(folder: Path) -> None:
    (folder / "shop.py").write_text(GUEST)
    result = check(
        "--deploy", "shop:app", "--silence", "deploy.guest-hosts", "--silence", "deploy.tls"
    )

    assert "silenced: deploy.guest-hosts: --silence" in result.output
    assert "warning: deploy.guest-hosts" not in result.output
    assert "is no check" in check("--deploy", "shop:app", "--silence", "deploy.csp").output


@pytest.mark.usefixtures("machine")
def test_the_interface_of_an_application_of_others_is_told_as_it_is_to_run(folder: Path) -> None:
    (folder / "either.py").write_text("def app(*arguments): ...\n")

    assert "target.interface" in check("--deploy", "either:app").output
    assert "0 errors" in check("--deploy", "either:app", "--", "--interface", "wsgi").output


def test_an_application_of_others_alone_is_not_asked(folder: Path) -> None:
    (folder / "shop.py").write_text(GUEST)
    result = check("shop:app")

    assert result.exit_code == 1
    assert "this asks an App of Kingpost. kingpost check --deploy asks it what can be" in (
        result.output
    )


def test_only_a_deployment_is_told_how_it_is_started() -> None:
    result = check("app.py", "--", "--workers", "4")

    assert result.exit_code == 2
    assert "only `kingpost check --deploy` takes" in result.output


def test_a_check_that_is_silenced_is_named_with_its_reason(folder: Path) -> None:
    (folder / "app.py").write_text(
        APP + 'app.extensions.silence("mail", because="nobody reads it")\n'
    )
    result = check("--strict")

    assert result.output.splitlines() == [
        "silenced: mail: nobody reads it",
        "3 checks: 0 errors, 0 warnings",
    ]
    assert result.exit_code == 0


def test_one_can_be_silenced_where_it_is_asked(folder: Path) -> None:
    assert check("--silence", "mail").output.splitlines() == [
        "silenced: mail: --silence",
        "3 checks: 0 errors, 0 warnings",
    ]
    result = check("--silence", "mial")

    assert result.exit_code == 2
    assert "'mial' is no check; did you mean 'mail'?" in result.output


def test_a_warning_is_a_failure_for_who_is_strict() -> None:
    assert check("--strict").exit_code == 1


def test_what_was_found_can_be_read_by_programs() -> None:
    assert json.loads(check("--json").output) == {
        "checks": 3,
        "errors": 0,
        "warnings": 1,
        "silenced": {},
        "problems": [
            {
                "check": "mail",
                "level": "warning",
                "message": "nobody is told of errors",
                "remedy": "set MAIL_TO",
                "place": "app.py:16",
            }
        ],
    }


@pytest.mark.parametrize(("said", "workers"), [(None, 1), ("auto", None), ("4", 4), (3, 3)])
def test_the_number_of_workers_is_read_in_every_form(said: object, workers: int | None) -> None:
    assert workers_of(said) == workers
