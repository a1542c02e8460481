"""The programs of large applications do what their readers expect: chosen routes, versions, mounted Apps, traversal."""

from __future__ import annotations

import pytest

from kingpost.testing import TestClient
from tests.programs.test_programs import program


@pytest.mark.parametrize(
    ("path", "fields", "text"),
    [
        ("/todos", {}, '["milk"]'),
        ("/todos", {"accept": "text/html"}, "<li>milk</li>"),
        ("/todos", {"accept": "text/html", "hx-request": "true"}, "milk"),
        ("/todos?format=csv", {"accept": "text/html"}, "milk\n"),
        ("/start", {"host": "admin.example.org"}, "admin"),
        ("/start", {"host": "other.org"}, "start"),
        ("/start", {"host": "other.org", "user-agent": "Mobile"}, "phone"),
        ("/about", {"host": "admin.example.org"}, "about admin"),
        ("/about", {"host": "ann.example.org"}, "about of ann"),
        ("/about", {"host": "example.org"}, "about of None"),
    ],
)
def test_the_right_one_of_several_routes(path: str, fields: dict[str, str], text: str) -> None:
    with TestClient(program("choosing")) as browser:
        assert browser.get(path, headers=fields).text == text


def test_urls_of_hosts() -> None:
    with TestClient(program("choosing")) as browser:
        answer = browser.get("/start", headers={"host": "ann.example.org"})

    assert answer.json() == {"tenant": "ann", "here": "/start", "other": "http://zoe.example.org/start"}  # fmt: skip


def test_what_nobody_wants() -> None:
    with TestClient(program("choosing")) as browser:
        assert browser.get("/todos", headers={"accept": "image/png"}).status == 406
        assert browser.get("/about", headers={"host": "other.org"}).status == 404
        assert browser.post("/about", headers={"host": "example.org"}).text == "changed"
        assert browser.post("/about", headers={"host": "admin.example.org"}).status == 405


def test_groups_of_groups() -> None:
    with TestClient(program("versions")) as browser:
        inner = browser.get("/api/v1/todos/3")
        mine, yours = browser.get("/api/mine/todos/3"), browser.get("/api/your/todos/3")

    assert (inner.text, inner.headers["x-through"]) == ("/api/v1/todos/3", "api v1")
    assert (mine.text, mine.headers["x-through"]) == ("/api/mine/todos/3", "api")
    assert yours.text == "/api/your/todos/3"
    assert program("versions").url_for("api.first.todos.show", id=1) == "/api/v1/todos/1"
    assert program("versions").url_for("api.yours.show", id=1) == "/api/your/todos/1"


def test_versions_in_fields() -> None:
    with TestClient(program("versions")) as browser:

        def said(path: str, **fields: str) -> tuple[int, str]:
            answer = browser.get(path, headers={key.replace("_", "-"): value for key, value in fields.items()})  # fmt: skip
            return answer.status, answer.text

        assert said("/prices") == (200, "in francs")
        assert said("/prices", api_version="2") == (200, "in euros")
        assert said("/rates", accept="application/json; version=1") == (200, "[1]")
        assert said("/rates", accept="*/*;version=1;q=0.5, */*;version=2") == (200, '{"usd":1}')
        assert said("/rates", accept="application/json; version=3")[0] == 406
        assert said("/rates")[0] == 406
        assert browser.get("/prices").headers["vary"] == "api-version"
