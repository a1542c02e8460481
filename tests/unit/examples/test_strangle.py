"""The example of a Django site that is taken over one URL at a time."""

from __future__ import annotations

import contextlib
import http.client
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.waiting import until

EXAMPLE = Path(__file__).parents[3] / "examples" / "strangle"
SEED = """
from django.contrib.auth.models import User
from django.utils import timezone
from polls.models import Question
User.objects.create_superuser("ann", "ann@example.org", "secret")
question = Question.objects.create(question_text="Which?", pub_date=timezone.now())
question.choice_set.create(choice_text="This")
question.choice_set.create(choice_text="That")
"""


def run(folder: Path, *arguments: str) -> str:
    """What a program of the project prints."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it, with a poll and somebody who may log in."""
    folder = tmp_path_factory.mktemp("strangle") / "site"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__", "db.sqlite3"))
    run(folder, "manage.py", "migrate", "--verbosity", "0")
    run(folder, "manage.py", "shell", "-c", SEED)
    return folder


@pytest.fixture(params=["wsgi", "asgi"])
def port(request: pytest.FixtureRequest, project: Path) -> Iterator[int]:
    """The example as it stands, and the same with Django's other interface."""
    program = project / f"{request.param}_app.py"
    text = (EXAMPLE / "app.py").read_text()
    if request.param == "asgi":
        text = text.replace("mysite.wsgi", "mysite.asgi").replace(
            "StaticFilesHandler", "ASGIStaticFilesHandler"
        )
    program.write_text(text)
    log = project / f"{request.param}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "kingpost.cli", "run", program.name, "--port", "0"],
            cwd=project,
            stdout=output,
            stderr=output,
        )
    try:
        until(
            lambda: "http://127.0.0.1:" in log.read_text() or process.poll() is not None,
            shows=log.read_text,
        )
        yield int(log.read_text().split("http://127.0.0.1:")[1].split()[0])
    finally:
        process.terminate()
        process.wait(60)
    assert "Traceback" not in log.read_text(), log.read_text()


def ask(
    port: int, method: str, path: str, body: str = "", cookies: str = ""
) -> tuple[int, dict[str, str], str]:
    """Status, fields and text of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        fields = {"Cookie": cookies} if cookies else {}
        if body:
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body or None, fields)
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, named, answer.read().decode()


def test_the_app_has_twelve_lines() -> None:
    _, _, program = (EXAMPLE / "app.py").read_text().partition('"""\n\n')
    assert len([line for line in program.splitlines() if line.strip()]) <= 12


def test_one_url_is_ours_and_all_others_are_djangos(port: int) -> None:
    status, _, page = ask(port, "GET", "/polls/1/")
    assert (status, "Which?" in page) == (200, True)

    status, fields, text = ask(port, "GET", "/polls/1/results/")
    assert (status, fields["content-type"]) == (200, "application/json")
    assert '"This":' in text

    # No slash is ours to add or to take: Django sends on, once, and ours answers.
    status, fields, _ = ask(port, "GET", "/polls/1/results")
    assert (status, fields["location"]) == (301, "/polls/1/results/")
    status, fields, _ = ask(port, "GET", "/polls")
    assert (status, fields["location"]) == (301, "/polls/")
    assert ask(port, "GET", "/polls/")[0] == 200

    # What is not found is told by whose it is.
    status, fields, _ = ask(port, "GET", "/polls/99/results/")
    assert (status, fields["content-type"]) == (404, "application/problem+json")
    status, fields, text = ask(port, "GET", "/polls/99/")
    assert (status, "Page not found at /polls/99/" in text) == (404, True)
    status, fields, text = ask(port, "GET", "/nothing/here/")
    assert (status, "Page not found at /nothing/here/" in text) == (404, True)

    status, fields, text = ask(port, "GET", "/static/polls/style.css")
    assert (status, fields["content-type"], "color" in text) == (200, "text/css", True)
    assert ask(port, "GET", "/static/admin/css/base.css")[0] == 200


def test_a_vote_is_djangos_and_leads_to_our_page(port: int) -> None:
    _, fields, page = ask(port, "GET", "/polls/1/")
    cookies = fields["set-cookie"].partition(";")[0]
    token = re.search('csrfmiddlewaretoken" value="([^"]+)', page)
    assert token is not None
    before = votes(port)
    form = urlencode({"csrfmiddlewaretoken": token[1], "choice": "1"})
    status, fields, _ = ask(port, "POST", "/polls/1/vote/", form, cookies)
    assert (status, fields["location"]) == (302, "/polls/1/results/")
    assert votes(port) == before + 1
    # Django's own check, not ours, refuses what comes without the token.
    assert ask(port, "POST", "/polls/1/vote/", "choice=1", cookies)[0] == 403


def votes(port: int) -> int:
    """Those for the first choice."""
    found = re.search(r'"This":(\d+)', ask(port, "GET", "/polls/1/results/")[2])
    assert found is not None
    return int(found[1])


def test_its_admin_lets_people_in(port: int) -> None:
    status, fields, _ = ask(port, "GET", "/admin/")
    assert (status, fields["location"]) == (302, "/admin/login/?next=/admin/")
    _, fields, page = ask(port, "GET", fields["location"])
    cookies = fields["set-cookie"].partition(";")[0]
    token = re.search('csrfmiddlewaretoken" value="([^"]+)', page)
    assert token is not None
    form = {"csrfmiddlewaretoken": token[1], "username": "ann", "password": "secret"}
    status, fields, _ = ask(port, "POST", "/admin/login/?next=/admin/", urlencode(form), cookies)
    assert (status, fields["location"]) == (302, "/admin/")


def test_its_own_tests_pass_through_our_server(project: Path) -> None:
    program = Path(__file__).with_name("strangle_client.py")
    said = run(project, "-W", "ignore", str(program))
    assert "Ran 11 tests" in said
    assert "OK" in said
    served = re.search(r"(\d+) requests went through", said)
    assert served is not None
    assert int(served[1]) >= 8
