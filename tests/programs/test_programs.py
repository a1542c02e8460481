"""The programs do what their readers expect."""

from __future__ import annotations

import importlib.util
import sqlite3
import sys
import uuid
import zlib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kingpost import App
from kingpost.checks.deploy.machine import Machine
from kingpost.cli.commands import kingpost
from kingpost.testing import TestClient

FOLDER = Path(__file__).parent


def program(name: str) -> App:
    """The App of a program, imported anew: what a test leaves behind stays with it."""
    found = importlib.util.spec_from_file_location(f"programs_{name}", FOLDER / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    # Annotations of a Struct are resolved in the module that its class names.
    sys.modules[module.__name__] = module
    found.loader.exec_module(module)
    app: object = module.app
    assert isinstance(app, App)
    return app


def test_hello() -> None:
    with TestClient(program("hello")) as browser:
        answer = browser.get("/")

    assert (answer.status, answer.text) == (200, "Hello, world!")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_json_api_creates_shows_lists_changes_and_deletes() -> None:
    with TestClient(program("json_api")) as browser:
        created = browser.post("/api/v1/notes", json={"text": "milk", "tags": ["shop"]})
        address = created.headers["location"]
        shown = browser.get(address)
        listed = browser.get("/api/v1/notes?tag=shop&page=1")
        elsewhere = browser.get("/api/v1/notes?tag=work")
        changed = browser.put(address, json={"text": "oat milk"})
        deleted = browser.delete(address)
        gone = browser.get(address)

    assert (created.status, address) == (201, "/api/v1/notes/1")
    # What the return annotation does not name is not sent: the note has an owner.
    assert created.json() == shown.json() == {"id": 1, "text": "milk", "tags": ["shop"]}
    assert (listed.json(), elsewhere.json()) == ([shown.json()], [])
    assert changed.json()["text"] == "oat milk"
    assert (deleted.status, deleted.content) == (204, b"")
    assert (gone.status, gone.json()["detail"]) == (404, "no note 1")


def test_a_table_is_streamed_as_csv_and_as_json_lines() -> None:
    with TestClient(program("streaming_csv")) as browser:
        table = browser.get("/squares.csv?count=3")
        lines = browser.get("/squares.jsonl?count=2")
        none = browser.get("/squares.jsonl?count=0")
        countdown = browser.get("/countdown?start=2")

    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert "squares.csv" in table.headers["content-disposition"]
    assert table.text.split() == ["number,square", "0,0", "1,1", "2,4"]
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert lines.text == '{"number":0,"square":0}\n{"number":1,"square":1}\n'
    assert none.text == ""
    assert countdown.text == "2\n1\n"


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PAGE_SIZE", "50")
    monkeypatch.setenv("SHOP_API_KEY", "very secret")
    with TestClient(program("settings")) as browser:
        home = browser.get("/").json()
        about = browser.get("/about").text

    assert home == {"title": "A small shop", "page_size": 50, "key": "***"}
    assert about == "A small shop"


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/shop/tea?count=2", 200, "2 tea"),
        ("/shop/unicorn", 404, {"missing": "/shop/unicorn", "detail": "they are shy"}),
        ("/nowhere", 404, {"missing": "/nowhere", "detail": ""}),
        ("/shop/debt", 402, "not paid: debt"),
        ("/shop/gold", 409, {"conflict": "out-of-stock"}),
        ("/shop/tea?count=two", 422, {"mistakes": 1}),
    ],
)
def test_errors_are_answered_by_the_nearest_handler(path: str, status: int, told: object) -> None:
    with TestClient(program("error_handlers")) as browser:
        answer = browser.get(path)

    assert (answer.status, answer.text if isinstance(told, str) else answer.json()) == (
        status,
        told,
    )


def test_events_are_waited_for_and_middleware_stands_where_it_says() -> None:
    with TestClient(program("waiting_for_events")) as browser:
        answer = browser.post("/orders/7")
        refused = browser.post("/orders/13")

    assert (answer.status, answer.json()) == (200, {"paid": 7})
    assert answer.headers.get_all("x-way") == ["timed", "named"]
    assert (refused.status, refused.json()["detail"]) == (409, "13 is no lucky number")


def test_a_plugin_says_what_is_wrong_and_how_things_are() -> None:
    told = CliRunner().invoke(kingpost, ["check", str(FOLDER / "checked.py")])
    with TestClient(program("checked")) as browser:
        ready = browser.get("/readyz")
        numbers = browser.get("/metrics").text

    assert told.exit_code == 1
    assert "error: someone-is-told: nobody is told of errors" in told.output
    assert (ready.status, ready.json()["checks"]) == (200, {"outbox": "ok"})
    assert 'post_waiting{when="now"} 2\n' in numbers
    assert "# TYPE post_full counter\npost_full 0.0\n" in numbers


def test_a_feed_is_followed_by_long_polling() -> None:
    with TestClient(program("feed")) as browser:
        first = browser.post("/goals", json={"team": "red", "minute": 3}).text
        newcomer = browser.get("/goals").json()
        browser.post("/goals", json={"team": "blue", "minute": 9})
        told = browser.get(f"/goals?after={first}").json()

    assert newcomer == {"events": [{"team": "red", "minute": 3}], "last": first, "lost": False}
    assert told["events"] == [{"team": "blue", "minute": 9}]


def test_a_site_that_may_be_deployed_is_found_no_fault_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = Machine(folder=FOLDER)
    monkeypatch.setattr(Machine, "here", lambda: machine)
    # What is imported from the folder is taken for the App's own, and other tests have imported other programs.
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or "/").parent == FOLDER:
            monkeypatch.delitem(sys.modules, name)
    words = ["check", "--deploy", "--strict", str(FOLDER / "deployed.py")]
    told = CliRunner().invoke(kingpost, words)

    assert "silenced: deploy.metrics-public: the proxy answers /metrics with 404" in told.output
    assert told.output.endswith(": 0 errors, 0 warnings\n")
    assert told.exit_code == 0


def test_error_handlers_are_given_what_they_name() -> None:
    with TestClient(program("error_providers")) as browser:
        lost = browser.get("/nowhere", headers={"x-user": "ann"})
        sold = browser.get("/shop/almond milk")
        book = browser.get("/book").json()

    assert (lost.status, "Nothing here for ann" in lost.text) == (404, True)
    assert "<title>A small shop</title>" in lost.text
    assert (sold.status, sold.json()) == (404, {"gone": "almond milk", "instead": "oat milk"})
    assert book == ["/nowhere"]


def test_the_handler_of_a_blueprint_answers_for_that_blueprint_alone() -> None:
    with TestClient(program("error_handlers")) as browser:
        answer = browser.get("/elsewhere")

    assert answer.json()["code"] == "validation-failed"


@pytest.mark.parametrize(
    ("method", "path", "sent", "answered"),
    [
        ("POST", "/dict", {"a": 1, "b": 2}, {"keys": 2}),
        ("POST", "/dataclass", {"x": 1}, {"x": 2.0, "y": 0.0, "labels": []}),
        ("POST", "/typed-dict", {"colour": "red"}, {"colour": "red"}),
        ("POST", "/models", [{"name": "a"}, {"name": "b"}], ["a", "b"]),
        ("POST", "/numbers", [1, 2, 3], 6),
        ("PUT", "/maybe", {"name": "a"}, "a"),
    ],
)
def test_a_json_body_of_each_kind(method: str, path: str, sent: Any, answered: object) -> None:
    with TestClient(program("bodies")) as browser:
        answer = browser.request(method, path, json=sent)

    assert answer.status == 200
    assert answered == (answer.text if isinstance(answered, str) else answer.json())


def test_bodies_that_are_no_json() -> None:
    with TestClient(program("bodies")) as browser:
        nothing = browser.put("/maybe")
        form = browser.post("/raw", form={"a": "1", "b": "2"})
        stream = browser.post("/stream", content=b"x" * 2_000_000)
        too_long = browser.post("/stream", content=b"x" * 2_200_000)
        form_for_json = browser.post("/dict", form={"a": "1"})

    assert nothing.text == "nothing"
    assert form.json() == {"bytes": 7, "fields": 2}
    assert stream.json() == {"received": 2_000_000}
    assert too_long.status == 413
    assert (form_for_json.status, form_for_json.headers["accept"]) == (415, "application/json")


def test_a_check_of_the_users_own_has_its_place() -> None:
    with TestClient(program("bodies")) as browser:
        errors = browser.post("/dataclass", json={"x": 0}).json()["errors"]

    told = {"location": ["body"], "code": "invalid", "message": "the origin is taken"}
    assert errors == [told | {"input": '{"x":0}'}]


@pytest.mark.parametrize(
    ("path", "answered"),
    [
        ("/int/41", 42),
        ("/int/-1", 0),
        ("/float/1.5", 3.0),
        ("/uuid/123e4567-e89b-42d3-a456-426614174000", 4),
        ("/date/0001-01-02", 2),
        ("/chapter/IV", 4),
    ],
)
def test_a_converter_gives_its_value(path: str, answered: object) -> None:
    with TestClient(program("converters")) as browser:
        assert browser.get(path).json() == answered


@pytest.mark.parametrize(
    ("path", "answered"),
    [
        ("/slug/a-b_c", "a-b_c"),
        ("/month/2026-03", "March"),
        ("/files/a/b%20c", "a/b c"),
        ("/report.json", "report"),
        ("/colours/red", "RED"),
    ],
)
def test_a_converter_gives_its_text(path: str, answered: str) -> None:
    with TestClient(program("converters")) as browser:
        assert browser.get(path).text == answered


@pytest.mark.parametrize(
    "path",
    [
        "/int/x",
        "/int/1_0",
        "/int/%D9%A1",
        "/float/nan",
        "/slug/a%20b",
        "/uuid/123",
        "/date/2026-02-30",
        "/month/2026-3",
        "/chapter/VI",
        "/colours/green",
    ],
)
def test_a_path_that_does_not_convert_leads_nowhere(path: str) -> None:
    with TestClient(program("converters")) as browser:
        assert browser.get(path).status == 404


def test_the_query_gives_values_of_every_kind() -> None:
    owner = "123e4567-e89b-42d3-a456-426614174000"
    with TestClient(program("converters")) as browser:
        found = browser.get(
            "/search?q=a%20b&page=2&exact=true&colour=blue&order=-name&price=12.50"
            f"&since=2026-03-31T12:00:00Z&at=12:30:00&owner={owner}&tags=b&tags=a&ratio=.5"
        ).json()
        absent = browser.get("/search?page=&price=&colour=").json()

    assert found == {
        "q": "a b",
        "page": 2,
        "exact": True,
        "colour": "blue",
        "order": "-name",
        "price": "12.50",
        "since": "2026-03-31T12:00:00Z",
        "at": "12:30:00",
        "owner": str(uuid.UUID(owner)),
        "tags": ["a", "b"],
        "ratio": 0.5,
    }
    assert (absent["page"], absent["price"], absent["colour"]) == (1, None, None)


def test_every_mistake_in_a_query_is_told_at_once() -> None:
    query = "page=1_0&exact=maybe&colour=green&order=up&price=NaN&since=today&at=noon&owner=me&ratio=inf"
    with TestClient(program("converters")) as browser:
        problem = browser.get(f"/search?{query}").json()

    assert {error["location"][1]: error["code"] for error in problem["errors"]} == {
        "page": "not-an-integer",
        "exact": "not-a-boolean",
        "colour": "not-a-choice",
        "order": "not-a-choice",
        "price": "not-a-decimal",
        "since": "not-a-datetime",
        "at": "not-a-time",
        "owner": "not-a-uuid",
        "ratio": "not-a-number",
    }


def test_urls_by_name() -> None:
    with TestClient(program("urls")) as browser:
        mine = browser.get("/my/todos/3").json()
        yours = browser.get("/your/todos/3").json()
        page = browser.get("/my/todos/")
        home = browser.get("/")
        day = browser.get("/archive/2026-03-31")

    assert mine == {
        "self": "/my/todos/3",
        "list": "/my/todos/?page=2&tag=a&tag=b",
        "absolute": "http://localhost/my/todos/3",
        "from_model": "/my/todos/3",
    }
    assert (yours["self"], yours["from_model"]) == ("/your/todos/3", "/my/todos/3")
    assert page.text == '<a href="/my/todos/1">one</a>'
    assert (home.status, home.headers["location"]) == (303, "/my/todos/")
    assert day.text == "2026-03-31"
    assert (
        program("urls").url_for("mine.show", id=1, absolute=True)
        == "https://example.org/my/todos/1"
    )


def test_a_slash_too_many_or_too_few_is_redirected_with_the_query() -> None:
    with TestClient(program("urls")) as browser:
        fewer = browser.get("/my/todos?page=2")
        more = browser.get("/my/todos/3/?x=%20")
        neither = browser.get("/my/other/")

    assert (fewer.status, fewer.headers["location"]) == (308, "/my/todos/?page=2")
    assert (more.status, more.headers["location"]) == (308, "/my/todos/3?x=%20")
    assert neither.status == 404


def test_a_resource_serves_a_collection_and_its_members() -> None:
    with TestClient(program("resources")) as browser:
        added = browser.post("/things", json={"name": "bolt"})
        everything = browser.get("/things").json()
        shown = browser.get("/things/2").json()
        removed = browser.delete("/things/2")
        missing = browser.get("/things/2")
        refused = browser.put("/things/1", json={})

    assert (added.status, added.json()) == (201, {"name": "bolt"})
    assert everything == [{"name": "anvil"}, {"name": "bolt"}]
    assert shown == {"name": "bolt"}
    assert (removed.status, missing.status) == (204, 404)
    assert (refused.status, refused.headers["allow"]) == (405, "DELETE, GET, HEAD, OPTIONS")
    assert program("resources").url_for("things") == "/things"
    assert program("resources").url_for("things.show", id=3) == "/things/3"


@pytest.mark.parametrize(
    ("path", "media_type", "body"),
    [
        ("/text", "text/plain", b"plain <b>text</b>"),
        ("/html", "text/html", b"<h1>Hello, &lt;you&gt;</h1>"),
        ("/bytes", "application/octet-stream", b"\x00\x01"),
        ("/number", "application/json", b"1.5"),
        ("/unannotated", "application/json", b'{"a":1}'),
        ("/model", "application/json", b'{"name":"Ada"}'),
        ("/models", "application/json", b'[{"name":"Ada"},{"name":"Grace"}]'),
        ("/maybe", "application/json", b"null"),
        ("/maybe?there=1", "application/json", b'{"name":"Ada"}'),
        ("/dataclass", "application/json", b'{"x":3}'),
        ("/chunks", "application/octet-stream", b"ab"),
        ("/people", "application/x-ndjson", b'{"name":"Ada"}\n{"name":"Grace"}\n'),
        ("/inline", "text/plain", b"GET"),
        ("/old", "text/plain", b"old"),
    ],
)
def test_an_answer_is_sent_by_its_type(path: str, media_type: str, body: bytes) -> None:
    with TestClient(program("answers")) as browser:
        answer = browser.get(path)

    assert (answer.status, answer.media_type, answer.content) == (200, media_type, body)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_answers_with_a_status_of_their_own() -> None:
    with TestClient(program("answers")) as browser:
        nothing = browser.get("/nothing")
        created = browser.get("/created")
        cookie = browser.get("/cookie")
        elsewhere = browser.get("/elsewhere")

    assert (nothing.status, nothing.content) == (204, b"")
    assert (created.status, created.headers["location"]) == (201, "/model")
    assert created.content == b'{"name":"Ada"}'
    assert (cookie.text, cookie.cookies["flavour"]) == ("set", "oat")
    assert (elsewhere.status, elsewhere.headers["location"]) == (303, "/text")


@pytest.mark.parametrize("path", ["/text", "/html", "/model", "/created", "/old"])
def test_head_has_the_headers_of_get_and_no_body(path: str) -> None:
    with TestClient(program("answers")) as browser:
        got, head = browser.get(path), browser.head(path)

    ours = {"date", "x-request-id"}
    assert head.content == b""
    assert {name: head.headers[name] for name in head.headers if name not in ours} == {
        name: got.headers[name] for name in got.headers if name not in ours
    }


def test_options_lists_the_methods() -> None:
    with TestClient(program("answers")) as browser:
        answer = browser.options("/text")

    assert (answer.status, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


def test_files() -> None:
    source = (FOLDER / "files.py").read_bytes()
    with TestClient(program("files")) as browser:
        whole = browser.get("/source")
        some = browser.get("/source", headers={"range": "bytes=0-9"})
        again = browser.get("/source", headers={"if-none-match": whole.headers["etag"]})
        download = browser.get("/download")
        missing = browser.get("/reports/1999")
        price = browser.get("/price")
        page = browser.get("/page")

    assert (whole.status, whole.content) == (200, source)
    assert (some.status, some.content) == (206, source[:10])
    assert (again.status, again.content) == (304, b"")
    assert download.headers["content-type"] == "text/x-python"
    assert download.headers["content-disposition"].endswith("filename*=UTF-8''%C3%9Cber%20files.py")
    assert (missing.status, missing.json()["detail"]) == (404, "no report of 1999")
    assert price.headers["cache-control"] == "public, max-age=60, stale-if-error=3600"
    assert page.text.startswith("<link")


def test_a_static_site() -> None:
    html = {"accept": "text/html"}
    with TestClient(program("static_site")) as browser:
        _, url, _ = browser.get("/").text.rsplit('"', 2)
        css, plain = browser.get(url), browser.get("/static/app.css")
        script = browser.get("/app/assets/juggle-4f1c2a.js")
        page, missing = browser.get("/app/balls/3", headers=html), browser.get("/app/balls/3")

    assert url.startswith("/static/app.")
    assert css.headers["cache-control"] == "public, immutable, max-age=31536000"
    assert plain.headers["cache-control"] == "public, max-age=300"
    assert css.text == plain.text
    assert script.headers["cache-control"] == css.headers["cache-control"]
    assert (page.status, page.media_type, missing.status) == (200, "text/html", 404)


def test_everything_of_the_box_together() -> None:
    through_proxy = {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}
    with TestClient(
        program("middleware_box"),
        host="shop.example.org",
        headers={**through_proxy, "accept-encoding": "gzip"},
    ) as browser:
        over_http = browser.get("/", headers={"x-forwarded-proto": "http"})
        page = browser.get("/")
        nonce = page.headers["content-security-policy"].partition("'nonce-")[2].partition("'")[0]
        text = zlib.decompress(page.content, 31).decode()
        token = text.partition('value="')[2].partition('"')[0]
        ordered = browser.post("/orders", form={"csrf_token": token, "item": "tea"})
        forged = browser.post("/orders", form={"item": "tea"})
        prices = browser.get("/api/prices", headers={"origin": "https://app.example.org"})
        again = browser.get("/api/prices", headers={"if-none-match": prices.headers["etag"]})
        orders = [
            browser.post("/api/orders", headers={"origin": "https://app.example.org"})
            for _ in range(3)
        ]
        where = browser.get("/where", headers={"accept-encoding": ""})
        health = browser.get("/health", headers={"x-forwarded-proto": "http"})

    assert over_http.headers["location"] == "https://shop.example.org/"
    assert page.headers["strict-transport-security"] == "max-age=300"
    assert page.headers["x-frame-options"] == "SAMEORIGIN"
    assert f'<script nonce="{nonce}">' in text
    assert ordered.text == "ordered: tea"
    assert (forged.status, forged.json()["code"]) == (403, "csrf.no-token")
    assert prices.headers["access-control-allow-origin"] == "https://app.example.org"
    assert prices.headers["content-encoding"] == "gzip"
    assert again.status == 304
    assert [answer.status for answer in orders] == [200, 200, 429]
    assert orders[0].json() == {"client": "203.0.113.7", "scheme": "https"}
    assert orders[2].headers["access-control-allow-origin"] == "https://app.example.org"
    assert where.text == "https://shop.example.org/"
    assert health.status == 200


def test_pages_are_rendered_whole_or_by_the_block() -> None:
    app = program("pages")
    htmx = {"hx-request": "true"}
    with TestClient(app) as browser:
        page = browser.get("/")
        about = browser.get("/about")
        refused = browser.post("/todos", form={"title": ""})
        added = browser.post("/todos", form={"title": "tea & cake"})
        row = browser.post("/todos/3/toggle", headers=htmx)
        without_script = browser.post("/todos/3/toggle")
        boosted = browser.post("/todos/3/toggle", headers=htmx | {"hx-boosted": "true"})
        missing = browser.get("/nowhere", headers={"accept": "text/html"})

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>2 todos</title>" in page.text
    assert "&lt;b&gt;bread&lt;/b&gt;" in page.text
    assert '<form method="post" action="/todos/2/toggle">' in page.text
    assert "1 open" in page.text
    assert "<em>Todos</em>, written down. REALLY" in about.text
    assert (refused.status, added.status) == (422, 303)
    assert row.text.strip().startswith('<li id="todo-3">✓ tea &amp; cake')
    assert "<html" not in row.text
    assert row.headers["vary"].startswith("hx-request, ")
    assert row.headers["hx-trigger"] == '{"toggled": {"id": 3}}'
    assert (without_script.status, boosted.status) == (303, 303)
    assert (missing.status, "Nothing at /nowhere" in missing.text) == (404, True)


def test_a_plugin_adds_routes_objects_variables_commands_and_is_told_of_errors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(FOLDER)
    with TestClient(program("plugin"), raise_errors=False) as browser:
        browser.post("/guests", form={"name": "<Ann>"})
        page = browser.get("/guests")
        broken = browser.get("/broken")
        failed = browser.get("/failed")
    greeted = CliRunner().invoke(
        kingpost, ["greet", "Bob", "--times", "2", "--loud", "--app", "plugin.py"]
    )

    assert "<title>1 guests</title>" in page.text
    assert "<li>&lt;Ann&gt;</li>" in page.text
    assert broken.status == 500
    assert failed.json() == ["/broken: invalid literal for int() with base 10: 'nothing'"]
    assert greeted.output == "HELLO, BOB!\nHELLO, BOB!\n"


def test_injection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect("notes.db") as db:
        db.execute("create table rows (model text, text text)")
    db.close()
    ann = {"x-user": "ann"}
    with TestClient(program("injection")) as browser:
        nobody = browser.post("/notes", json={"text": "milk"})
        noted = browser.post("/notes", json={"text": "milk"}, headers=ann)
        refused = browser.post("/notes", json={"text": ""}, headers=ann)
        notes = browser.get("/notes")
        none = browser.get("/notes?size=0")
        shown = browser.get("/notes/3", headers=ann)
        anonymous = browser.get("/notes/3")
        missing = browser.get("/notes/10")
        clock = browser.get("/clock")

    assert (nobody.status, noted.status, refused.status) == (401, 201, 422)
    # What was refused is not kept: its transaction saw the answer.
    assert (notes.json(), none.json()) == (["ann: milk"], [])
    assert (shown.json(), anonymous.json(), missing.status) == ({"for": "ann"}, {"for": None}, 404)
    assert clock.json() == 1


def test_around() -> None:
    with TestClient(program("around")) as browser:
        ordered = browser.post("/orders/tea")
        moon = browser.post("/orders/moon")
        closed = browser.get("/closed")
        stranger = browser.get("/staff/log")
        log = browser.get("/staff/log", headers={"x-staff": "1"})
        nothing = browser.get("/nothing")

    assert ordered.json() == {"ordered": "tea"}
    for answer in (ordered, moon, closed, stranger, log, nothing):
        assert answer.headers["x-app"] == "around"
        assert answer.headers["x-length"] == str(len(answer.content))
        assert answer.headers["x-after"] in ("GET", "POST")
    assert [answer.headers.get("x-slow") for answer in (ordered, moon, closed)] == [
        "yes",
        "yes",
        None,
    ]
    assert (moon.status, closed.status, stranger.status, nothing.status) == (404, 503, 403, 404)
    assert log.json() == ["opened", "ordered tea", "cook tea", "2 receipts for tea"]


def test_what_there_is_to_say_after_a_redirect_is_shown_once() -> None:
    with TestClient(program("flash")) as browser:
        nothing = browser.get("/")
        saved = browser.post("/notes", form={"text": "<milk>"})
        between = browser.get("/robots.txt")
        first = browser.get(saved.headers["location"])
        second = browser.get(saved.headers["location"])
        forged = browser.get("/", headers={"cookie": 'messages=["Pay here"]'})

    assert (saved.status, between.status) == (303, 200)
    assert first.text == '<p role="status">Saved: &lt;milk&gt;</p>\n'
    assert nothing.text == second.text == forged.text == "<p>Nothing new.</p>\n"
    assert "set-cookie" not in nothing.headers


def test_live_events() -> None:
    with TestClient(program("live_events")) as browser:
        first = browser.get("/prices")
        anew = browser.get("/prices", headers={"Last-Event-ID": "3"})
        tea = browser.get("/prices/tea")
        missing = browser.get("/prices/gold")
        ticker = browser.get("/ticker")

    assert first.headers["content-type"] == "text/event-stream"
    assert first.text.count("event: price\n") == 4
    assert "broker" not in first.text
    assert anew.text == 'event: price\nid: 4\ndata: {"paper":"cake","cents":330}\n\n'
    assert tea.text == 'data: {"paper":"tea","cents":400}\n\ndata: {"paper":"tea","cents":410}\n\n'
    assert (missing.status, missing.json()["detail"]) == (404, "nobody trades gold")
    assert ticker.text == (
        ": opened\nretry: 1000\n\nevent: row\ndata: <b>tea &amp; cake</b>\n\ndata: the market\ndata: is closed\n\n"
    )


def test_what_a_builder_made_is_a_page_wherever_it_comes_from() -> None:
    with TestClient(program("built_pages")) as browser:
        index = browser.get("/")
        added = browser.post("/todos", form={"todo": "<tea>"})
        others = [browser.get(path) for path in ("/rows", "/slowly", "/mixed", "/todos/1")]
        missing = browser.get("/todos/9")

    assert index.text == (
        '<!doctype html><html lang="en"><head><title>Todos</title></head><body>'
        "<ul><li>milk</li><li>&lt;b&gt;bread&lt;/b&gt;</li></ul>"
        '<form action="/todos" method="post"><textarea name="todo"></textarea></form></body></html>'
    )
    assert (added.status, added.text) == (201, "<li>&lt;tea&gt;</li>")
    bread, tea = "<li>&lt;b&gt;bread&lt;/b&gt;</li>", "<li>&lt;tea&gt;</li>"
    assert [answer.text for answer in others] == [
        f"<li>milk</li>{bread}{tea}",
        f"<li>milk</li>{bread}{tea}",
        f"<ol>{bread}</ol>",
        bread,
    ]
    assert missing.status == 404
    assert "<p>no todo 9</p>" in missing.text
    for answer in (index, added, *others, missing):
        assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_counted() -> None:
    app = program("counted")
    module = sys.modules["programs_counted"]
    with TestClient(app) as browser:
        first = browser.get("/prices")
        same = browser.get("/prices", headers={"If-None-Match": first.headers["etag"]})
        with browser.stream("GET", "/lines") as answer:
            next(iter(answer))

    assert first.headers["cache-control"] == same.headers["cache-control"] == "public, max-age=60"
    assert (first.text, same.status) == ('{"tea":4}', 304)
    assert module.traffic[304] == 0
    assert 2000 < module.traffic[200] < 3_890_000
    assert module.cut_off == ["/lines"]
