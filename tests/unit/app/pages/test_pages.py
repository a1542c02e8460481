"""The pages that people see."""

from __future__ import annotations

import importlib
import re
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Annotated, Any, NoReturn

import pytest

from kingpost import App, Meta, Struct
from kingpost.app.pages import (
    RouteLine,
    error_page,
    import_failure_page,
    may_show_details,
    not_found_page,
    traceback_page,
)
from kingpost.app.pages.error import location_text
from kingpost.app.pages.not_found import nearest
from kingpost.errors import (
    HTTPError,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
    RoutingError,
    ValidationError,
)
from kingpost.html import Html
from kingpost.testing import TestClient
from kingpost.types import Place
from tests.unit.http.sample import sample

EVIL = "<script>alert('x')</script>\"'&"

ROUTES = [
    RouteLine(("GET",), "/", "home", "app.py:5"),
    RouteLine(("GET", "POST"), "/todos", "todos.index", "app.py:9"),
    RouteLine(("GET",), "/todos/{id:int}", "todos.show", "app.py:14"),
    RouteLine(("GET",), "/about", "about", "app.py:20"),
]


class Structure(HTMLParser):
    """Checks that elements are closed in order and collects what a page refers to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0
        self.references: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)
        self.scripts += tag == "script"
        self.references += [
            value or "" for name, value in attrs if name in ("src", "href", "action", "style")
        ]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def fail(word: str, password: str) -> NoReturn:
    rows = [{"word": word}]
    try:
        raise KeyError(word)
    except KeyError as error:
        error.add_note(word)
        raise ValueError(f"bad {word}: {len(rows)}") from error


def failure(word: str = EVIL) -> BaseException:
    try:
        fail(word, "hunter2")
    except ValueError as error:
        return error


def request(**values: Any) -> Any:
    said: dict[str, Any] = {
        "method": "POST",
        "path": f"/pay/{EVIL}",
        "query": b"token=hunter2&page=<script>",
        "headers": [
            ("Cookie", "sid=hunter2"),
            ("Authorization", "Bearer hunter2"),
            ("X-Evil", EVIL),
            ("Content-Type", "application/json"),
        ],
        "body": b'{"password": "hunter2", "note": "<script>"}',
        **values,
    }
    return sample(**said)


PAGES = {
    "error": lambda: error_page(NotFound(EVIL, code=EVIL), request_id=EVIL),
    "error in development": lambda: error_page(
        NotFound(EVIL, code=EVIL), development=True, raised_at=Place(EVIL, 1)
    ),
    "validation": lambda: error_page(
        ValidationError(
            EVIL,
            errors=[{"location": ["body", EVIL], "code": EVIL, "message": EVIL, "input": EVIL}],
        )
    ),
    "not found": lambda: not_found_page(
        NotFound(EVIL, code=EVIL),
        method=EVIL,
        path="/" + EVIL,
        routes=[RouteLine((EVIL,), "/" + EVIL, EVIL, EVIL), *ROUTES],
        request_id=EVIL,
    ),
    "not allowed": lambda: not_found_page(
        MethodNotAllowed(allowed=["GET"]), method=EVIL, path="/" + EVIL, routes=ROUTES
    ),
    "traceback": lambda: traceback_page(failure(), request(), handler=EVIL),
    "traceback without request": lambda: traceback_page(failure()),
    "import": lambda: import_failure_page(failure(), target=EVIL),
    "refusal": lambda: import_failure_page(
        RoutingError(EVIL, code=EVIL, remedy=EVIL, places=[Place(__file__, 5), Place(EVIL, 1)])
    ),
    "syntax": lambda: import_failure_page(syntax_error()),
}


def syntax_error() -> SyntaxError:
    try:
        compile(f"x = {EVIL!r} {EVIL}", "<made up>", "exec")
    except SyntaxError as error:
        return error
    raise AssertionError


@pytest.fixture(params=PAGES.values(), ids=PAGES.keys())
def page(request: pytest.FixtureRequest) -> str:
    made: Html = request.param()
    assert type(made) is Html
    return str(made)


def test_a_page_is_well_formed_and_escapes_everything(page: str) -> None:
    structure = Structure(page)

    assert structure.open == []
    assert "<script>alert" not in page
    assert structure.scripts <= 1
    assert EVIL in "".join(structure.text) or EVIL.title() in "".join(structure.text)


def test_a_page_refers_to_nothing_outside(page: str) -> None:
    assert set(Structure(page).references) <= {"/", "padding:0 .9rem"}
    assert "url(" not in page
    assert "@import" not in page


def test_no_page_shows_a_secret(page: str) -> None:
    shown = re.sub(r'fail\(word, &quot;hunter2&quot;\)|"hunter2"', "", page)

    assert "hunter2" not in shown


def test_the_error_page_speaks_to_people() -> None:
    page = error_page(NotFound("no todo 7"), request_id="5f2c")

    assert "<title>404 Not Found</title>" in page
    assert '<p class="lead">No todo 7</p>' in page
    assert "request <code>5f2c</code>" in page


def test_the_page_of_production_has_no_code_and_no_place() -> None:
    page = error_page(InternalServerError(), raised_at=Place("shop/secret.py", 5))

    assert "Something went wrong on our side" in page
    assert "secret.py" not in page
    assert "kingpost" not in page


def test_an_error_without_words_of_its_own_still_has_a_page() -> None:
    page = error_page(HTTPError(status=499))

    assert "<h1>Client Error</h1>" in page
    assert "lead" not in page.partition("<body>")[2]


@pytest.mark.parametrize(
    ("location", "text"),
    [
        (["query", "page"], "page"),
        (["body", "items", 0, "price"], "items, 1, price"),
        (["body"], "body"),
        ([], ""),
    ],
)
def test_locations_are_words(location: list[str | int], text: str) -> None:
    assert location_text(location) == text


def test_the_routes_nearby_come_first() -> None:
    assert [route.name for route in nearest("/todo/7", ROUTES)] == ["todos.show"]
    assert [route.name for route in nearest("/todos/", ROUTES)] == ["todos.index", "todos.show"]
    assert [route.name for route in nearest("/abuot", ROUTES)] == ["about"]
    assert nearest("/zzz", ROUTES) == []


def test_a_long_path_and_many_routes_are_compared_in_no_time() -> None:
    started = time.thread_time()

    nearest("/" + "ab/" * 4000, ROUTES * 250)
    nearest("/" + "ab" * 4000, ROUTES * 250)

    assert time.thread_time() - started < 2


def test_an_app_without_routes_is_told_so() -> None:
    page = not_found_page(NotFound(), method="GET", path="/", routes=[])

    assert "The app has no routes yet." in page


def test_the_traceback_opens_the_users_innermost_call() -> None:
    page = traceback_page(failure("w"))

    assert page.index("<details") == page.index('<details class="card frame yours" open>')
    assert "ValueError was raised from this: KeyError" in page


def test_the_traceback_shows_the_request_without_its_secrets() -> None:
    text = "".join(Structure(str(traceback_page(failure("w"), request(path="/pay")))).text)

    assert "POST /pay?token=***&page=<script>" in text
    assert '{"password": ***, "note": "<script>"}' in text


@pytest.mark.parametrize(
    "headers", [[], [("Content-Type", "image/png")], [("Content-Type", "multipart/form-data")]]
)
def test_a_body_that_is_no_text_is_not_shown(headers: list[tuple[str, str]]) -> None:
    assert "<h2>Body</h2>" not in traceback_page(failure("w"), request(headers=headers))


def test_a_long_body_is_cut() -> None:
    page = traceback_page(failure("w"), request(body=b"x" * 100_000))

    assert "x" * 1000 + "…" in page
    assert "x" * 1001 not in page


def test_the_text_to_copy_is_pythons_traceback() -> None:
    page = traceback_page(failure("w"))

    assert "Traceback (most recent call last):" in page
    assert "direct cause of the following exception" in page


@pytest.mark.parametrize(
    ("host", "may"),
    [
        ("localhost", True),
        ("localhost:8000", True),
        ("LOCALHOST.:8000", True),
        ("shop.localhost:8000", True),
        ("127.0.0.1:8000", True),
        ("192.168.1.20", True),
        ("[::1]:8000", True),
        ("", True),
        ("example.org", False),
        ("example.org:8000", False),
        ("127.0.0.1.example.org", False),
        ("localhost.example.org", False),
        ("notlocalhost", False),
        ("a127.0.0.1", False),
    ],
)
def test_details_are_for_who_asked_by_number_or_localhost(host: str, may: bool) -> None:
    """A name may have been pointed here by a stranger's page (DNS rebinding)."""
    assert may_show_details(host) is may


def test_a_syntax_error_shows_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "shop.py"
    file.write_text("a = 1\ndef home() -> str\n    return a\n", encoding="utf-8")
    with pytest.raises(SyntaxError) as caught:
        compile(file.read_text(encoding="utf-8"), str(file), "exec")

    page = import_failure_page(caught.value, target="shop.py")

    assert "<title>SyntaxError: expected &#39;:&#39;</title>" in page
    assert "shop.py:2" in page
    assert "def home() -&gt; str<mark> </mark>" in page


def test_a_refusal_shows_the_source_that_it_speaks_of() -> None:
    error = RoutingError("claimed twice", code="routing.conflict", places=[Place(__file__, 3)])

    page = import_failure_page(error)

    assert "Your app does not start" in page
    assert "kingpost explain routing.conflict" in page
    assert "from __future__ import annotations" in page


def test_the_page_can_ask_again_by_itself() -> None:
    assert '<meta http-equiv="refresh" content="2">' in import_failure_page(
        failure(), refresh_seconds=2
    )
    assert "refresh" not in import_failure_page(failure("w"))


def test_a_deep_stack_says_how_much_is_left_out() -> None:
    def deep(left: int) -> None:
        if left == 0:
            raise ValueError("deep")
        deep(left - 1)

    with pytest.raises(ValueError, match="deep") as caught:
        deep(100)

    assert re.search(r"… \d+ more calls …", traceback_page(caught.value))


def test_an_exception_that_was_never_raised_has_a_page() -> None:
    page = traceback_page(ValueError("x"))

    assert "<h1>x</h1>" in page
    assert "<details" not in page


def test_the_calls_of_the_import_system_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_shop.py").write_text("import no_such_module_here\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module("broken_shop")

    page = import_failure_page(caught.value)

    assert "broken_shop.py" in page
    assert "frozen importlib" not in page.partition("As text")[0]


class Order(Struct):
    """What a browser and a program send wrongly."""

    title: Annotated[str, Meta(min_length=2)]
    lines: list[int]


def test_a_browser_and_a_program_are_told_the_same_mistakes() -> None:
    app = App()

    @app.post("/orders")
    def order(order: Order) -> None: ...

    sent = {"title": "<", "lines": [1, "<b>", 3, None]}
    with TestClient(app) as client:
        program = client.post("/orders", json=sent)
        browser = client.post("/orders", json=sent, headers={"accept": "text/html,*/*;q=0.8"})

    told = program.json()["errors"]
    assert [each["code"] for each in told] == ["too-short", "not-an-integer", "not-an-integer"]
    assert program.status == browser.status == 422
    assert program.headers["content-type"] == "application/problem+json"
    assert browser.headers["content-type"] == "text/html; charset=utf-8"
    assert program.headers["vary"] == browser.headers["vary"] == "accept"
    rows = re.findall(r"<tr><td>.*?</tr>", browser.text, re.DOTALL)
    assert len(rows) == len(told)
    for row, where, what, each in zip(
        rows, ["title", "lines, 2", "lines, 4"], ["&lt;", "&lt;b&gt;", "None"], told, strict=True
    ):
        assert f"<strong>{where}</strong>" in row
        assert f"<code>{each['code']}</code>" in row
        assert each["message"][1:] in row
        assert f"Sent: <code>{what}</code>" in row
    assert "<b>" not in browser.text
    assert 'name="viewport"' in browser.text
