"""The programs of large applications do what their readers expect: chosen routes, versions, mounted Apps, traversal."""

from __future__ import annotations

import pytest

from kingpost import App, Include, Route
from kingpost.app.compile import compile_app
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


def test_a_tree_beside_routes() -> None:
    with TestClient(program("traversal")) as browser:

        def said(path: str) -> tuple[int, object]:
            answer = browser.get(path)
            is_json = answer.headers["content-type"].endswith("json")
            return answer.status, answer.json() if is_json and answer.status == 200 else answer.text

        assert said("/site") == (200, ["docs"])
        assert said("/site/docs") == (200, ["intro", "a/b.. ü", "edit"])
        assert said("/site/docs/intro") == (200, {"title": "intro", "url": "/site/docs/intro/@@edit"})  # fmt: skip
        assert said("/site/docs/intro/@@edit") == (200, "edit intro")
        assert said("/site/docs/intro/edit") == (200, "edit intro")
        assert said("/site/docs/@@edit") == (200, "edit docs")
        assert said("/site/docs/edit") == (200, {"title": "a page called edit", "url": "/site/docs/edit/@@edit"})  # fmt: skip
        assert said("/site/docs/a%2Fb..%20%C3%BC") == (200, {"title": "odd", "url": "/site/docs/a%2Fb..%20%C3%BC/@@edit"})  # fmt: skip
        assert said("/site/news") == (200, "no object, but a route")
        for nowhere in ("/none", "/docs/none", "/docs/@@none", "/docs/intro/edit/more", "/docs/@@edit/x", "/docs/../docs", "/docs/%2E%2E", "/docs/.", "/docs//intro", "/docs/%FF", "/docs/@@", "/docs/%00", "/" + "docs/" * 65 + "x"):  # fmt: skip
            assert said(f"/site{nowhere}")[0] == 404, nowhere


def test_trees_take_methods_and_slashes_as_routes_do() -> None:
    with TestClient(program("traversal")) as browser:
        added = browser.post("/site/docs", content="new one", headers={"content-type": "text/plain"})  # fmt: skip
        assert added.text == "/site/docs/new%20one"
        assert browser.get(added.text).json()["title"] == "new one"
        refused = browser.post("/site/docs/intro")
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
        assert browser.delete("/site/docs").headers["allow"] == "GET, HEAD, OPTIONS, POST"
        assert browser.delete("/site/nowhere").status == 404
        slash = browser.get("/site/docs/?x=1")
        assert (slash.status, slash.headers["location"]) == (308, "/site/docs?x=1")
        assert browser.request("HEAD", "/site/docs").status == 200


def test_a_tree_that_loads_what_is_asked_for() -> None:
    with TestClient(program("traversal"), raise_errors=False) as browser:
        assert browser.get("/db").text == "0 /db"
        assert browser.get("/db/1/2/3").text == "3 /db/1/2/3"
        assert browser.get("/db/1/2/3/4").status == 404
        assert browser.get("/db/1/broken").status == 500


def test_one_handler_in_three_styles_answers_alike() -> None:
    def hello(name: str) -> dict[str, str]:
        return {"hello": name}

    by_table = App(routes=[Route("/table/{name}", hello)])
    by_table.get("/decorated/{name}", name="decorated")(hello)
    by_table.include([Include("/urls", [Route("/{name}", hello)], name="urls")])

    with TestClient(by_table) as browser:
        answers = [browser.get(f"/{style}/ada") for style in ("table", "decorated", "urls")]
        heads = [browser.request("HEAD", f"/{style}/ada") for style in ("table", "decorated", "urls")]  # fmt: skip
    assert [answer.json() for answer in answers] == [{"hello": "ada"}] * 3
    own = ("date", "x-request-id")
    for answer, head in zip(answers, heads, strict=True):
        assert head.content == b""
        assert [item for item in head.headers.items() if item[0] not in own] == [item for item in answer.headers.items() if item[0] not in own]  # fmt: skip
    lines = list(compile_app(by_table, mode="test").routes)
    assert all(route.place.file.endswith("test_large.py") and route.place.line for route in lines)


@pytest.mark.parametrize(
    ("method", "path", "user", "status"),
    [
        ("GET", "/site", "", 200),
        ("GET", "/site/news", "bob", 200),
        ("POST", "/site/news/@@edit", "", 401),
        ("POST", "/site/news/@@edit", "bob", 403),
        ("POST", "/site/news/@@edit", "bob,group:editors", 200),
        # The draft's own list decides before the folder's is asked.
        ("GET", "/site/plan", "bob,group:editors", 403),
        ("GET", "/site/plan", "ann", 200),
        ("POST", "/site/plan/@@edit", "ann", 200),
        ("GET", "/office/", "", 401),
        ("GET", "/office/", "bob", 403),
        ("GET", "/office/", "bob,group:staff", 200),
    ],
)
def test_who_may_do_what(method: str, path: str, user: str, status: int) -> None:
    with TestClient(program("permissions"), headers={"x-user": user}) as client:
        answer = client.get(path) if method == "GET" else client.post(path, content="x")

    assert answer.status == status
