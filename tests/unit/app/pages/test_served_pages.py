"""The pages of ours as they are sent."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import runpy
from pathlib import Path

import pytest

from kingpost import App, Html
from kingpost.cli.broken import BrokenService
from kingpost.errors import NotFound
from kingpost.middleware import ContentSecurityPolicy
from kingpost.server.child import Failure
from kingpost.types import Mode
from tests.security.rig import Answered, serving

BROWSER = "accept: text/html\r\n"


def text_of(answer: Answered) -> str:
    return answer.body.decode()


def written(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    """The App of a program, which stands in shop.py of the working folder."""
    monkeypatch.chdir(folder)
    file = folder / "shop.py"
    file.write_text(text, encoding="utf-8")
    app: App = runpy.run_path(str(file))["app"]
    return app


def policies_of(answer: Answered) -> list[str]:
    return [value for name, value in answer.fields if name.lower() == "content-security-policy"]


ENDED = """
import contextlib
from collections.abc import Iterator
from typing import Annotated
from kingpost import App, Depends, Struct
from kingpost.errors import NotFound

app = App()

class Order(Struct):
    lines: int

class Connection: ...

@app.provide
def connection() -> Iterator[Connection]:
    with contextlib.closing(open(__file__, encoding="utf-8")):
        yield Connection()

@app.post("/orders")
def order(connection: Connection, order: Order) -> None: ...

@app.get("/orders")
def orders(connection: Connection) -> None:
    raise NotFound  # here
"""


def test_a_place_is_told_as_a_person_types_it_and_no_yield_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = ENDED.split("\n").index("    raise NotFound  # here") + 1
    with serving(written(ENDED, tmp_path, monkeypatch), mode="development") as rig:
        raised = text_of(rig.get("/orders", BROWSER))
        sent = f"{BROWSER}content-type: application/json\r\n"
        refused = text_of(rig.get("/orders", sent, method="POST", body=b'{"lines": "x"}'))

    assert f"<th>Raised at</th><td><code>shop.py:{line}</code></td>" in raised
    assert "<h1>Unprocessable" in refused
    assert "Raised at" not in refused


class Violent:
    """Its text ends programs."""

    def __repr__(self) -> str:
        raise SystemExit(3)

    def __str__(self) -> str:
        raise KeyboardInterrupt


class ViolentError(Exception):
    def __str__(self) -> str:
        raise SystemExit(5)


def test_no_text_of_the_users_ends_the_page() -> None:
    app = App()

    @app.get("/")
    def home() -> None:
        password = value = Violent()
        error = ViolentError()
        vars(error)["__notes__"] = [value, password]
        raise error

    with serving(app, mode="development") as rig:
        page = rig.get("/", BROWSER)
        program = rig.get("/")

    assert page.status == program.status == 500
    assert "&lt;Violent, whose repr() raised SystemExit&gt;" in text_of(page)
    assert "its text could not be made: SystemExit" in text_of(page)
    assert json.loads(program.body)["detail"] == "ViolentError"


@pytest.mark.parametrize("mode", ["development", "production"])
@pytest.mark.parametrize("path", ["/", "/gone", "/boom", "/?a=x"])
def test_every_page_of_ours_has_a_policy_that_lets_it_have_its_looks(mode: Mode, path: str) -> None:
    app = App(middleware=[ContentSecurityPolicy()])

    @app.get("/")
    def home(a: int) -> Html:
        return Html("x")

    @app.get("/boom")
    def boom() -> str:
        raise ValueError("x")

    with serving(app, mode=mode) as rig:
        answer = rig.get(path, BROWSER)

    policies = policies_of(answer)
    assert len(policies) == 1
    directives = {each.split()[0]: each.split()[1:] for each in policies[0].split("; ")}
    assert "'nonce" not in policies[0]
    for element, directive in (("style", "style-src"), ("script", "script-src")):
        for text in re.findall(f"<{element}>(.*?)</{element}>", text_of(answer), re.DOTALL):
            made = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"'sha256-{made}'" in directives[directive]
    assert "<style>" in text_of(answer)
    assert " style=" not in text_of(answer)
    assert directives["default-src"] == ["'none'"]
    if mode == "development":
        assert directives["frame-ancestors"] == ["'none'"]
    else:
        assert directives["frame-ancestors"] == ["'self'"]


def test_the_page_of_code_that_does_not_import_has_its_policy_too() -> None:
    broken = BrokenService(ValueError("x"), Failure("x", "x"), "app.py")
    with serving(broken) as rig:
        answer = rig.get("/", BROWSER)

    (policy,) = policies_of(answer)
    style = text_of(answer).partition("<style>")[2].partition("</style>")[0]
    made = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert answer.status == 500
    assert f"'sha256-{made}'" in policy


def test_an_errors_own_policy_stays() -> None:
    app = App()

    @app.get("/")
    def home() -> str:
        raise NotFound(headers={"Content-Security-Policy": "default-src 'self'"})

    with serving(app) as rig:
        answer = rig.get("/", BROWSER)

    assert policies_of(answer) == ["default-src 'self'"]


FORGOTTEN = """
from kingpost import App

app = App()

@app.get("/todos")
def todos() -> list[str]:
    found = ["a", "b"]
    for each in found:
        print(each)
    found.sort()  # and nothing is returned
"""


def test_a_forgotten_return_shows_the_handler_and_the_remedy_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(written(FORGOTTEN, tmp_path, monkeypatch), mode="development") as rig:
        page = text_of(rig.get("/todos", BROWSER))

    body = page.partition("<body>")[2]
    assert "todos returned None" in body.partition("</h1>")[0]
    before, _, after = body.partition("<summary>The calls that led here</summary>")
    assert "write <code>-&gt; None</code> for 204.</p>" in before
    assert "found.sort()  # and nothing is returned" in before
    assert "kingpost explain answer.none" in before
    assert before.count('class="card frame') == 1
    assert 'class="card frame theirs"' in after
    assert 'class="card frame theirs" open' not in page
    assert before.rstrip().endswith('<details class="calls">')
