"""What views can count on, whichever engine is installed: the same tests for each."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import htpy
import markupsafe
import pytest

from kingpost import App, Blueprint, Html, NotFound, Redirect, Request, Response
from kingpost.app.compile import compile_app
from kingpost.errors import ConfigurationError
from kingpost.middleware import ContentSecurityPolicy
from kingpost.staticfiles import Static
from kingpost.templates import MakeEngine, Template, Templates
from kingpost.testing import TestClient

Write = Callable[..., None]


def answer_of(app: App, path: str = "/", **options: Any) -> str:
    with TestClient(app) as browser:
        return browser.get(path, **options).text


def test_a_page_is_html_with_its_values_escaped(app: App, write: Write) -> None:
    write(home='<p title="{{ name }}">{{ name }}</p>')

    @app.get("/")
    def home(name: str) -> Template:
        return Template("home.html", name=name)

    with TestClient(app) as browser:
        answer = browser.get("/", params={"name": "<script>\"'&"})

    # Engines write quotes in different ways.
    assert html.unescape(answer.text) == """<p title="<script>"'&"><script>"'&</p>"""
    assert "<script>" not in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_status_headers_and_cookies_are_the_responses(app: App, write: Write) -> None:
    write(home="{{ x }}")

    @app.get("/")
    def home() -> Template:
        return Template("home.html", status=201, headers={"x-a": "b"}, x=1).set_cookie("c", "d")

    with TestClient(app) as browser:
        answer = browser.get("/")

    assert (answer.status, answer.text, answer.headers["x-a"]) == (201, "1", "b")
    assert answer.headers["set-cookie"].startswith("c=d")


@pytest.mark.parametrize(
    "value",
    [Html("<b>x</b>"), markupsafe.Markup("<b>x</b>"), htpy.b["x"]],
    ids=["Html", "markupsafe", "htpy"],
)
def test_what_knows_itself_as_html_is_taken_as_it_is(app: App, write: Write, value: Any) -> None:
    write(home="{{ value }}")
    app.add_route("/", lambda: Template("home.html", value=value))
    app.add_route("/alone", lambda: value)

    with TestClient(app) as browser:
        assert browser.get("/").text == "<b>x</b>"
        assert browser.get("/alone").text == "<b>x</b>"
        assert browser.get("/alone").headers["content-type"] == "text/html; charset=utf-8"


def test_plain_text_is_not_escaped_and_says_its_type(app: App, folder: Path) -> None:
    (folder / "mail.txt").write_text("{{ name }}", encoding="utf-8")
    (folder / "page.html.j2").write_text("{{ name }}", encoding="utf-8")
    app.add_route("/mail", lambda: Template("mail.txt", name="a & b"))
    app.add_route("/page", lambda: Template("page.html.j2", name="a & b"))

    with TestClient(app) as browser:
        mail, page = browser.get("/mail"), browser.get("/page")

    assert (mail.text, mail.headers["content-type"]) == ("a & b", "text/plain; charset=utf-8")
    assert (page.text, page.headers["content-type"]) == ("a &amp; b", "text/html; charset=utf-8")


def test_pages_inherit_include_and_import(app: App, write: Write) -> None:
    write(
        frame="<title>{% block title %}-{% endblock %}</title>{% block body %}{% endblock %}",
        macros="{% macro bold(x) %}<b>{{ x }}</b>{% endmacro %}",
        foot="by {{ author }}",
        home='{% extends "frame.html" %}{% from "macros.html" import bold %}'
        '{% block body %}{{ bold(name) }} {% include "foot.html" %}{% endblock %}',
    )
    app.add_route("/", lambda: Template("home.html", name="<x>", author="Ann"))

    assert answer_of(app) == "<title>-</title><b>&lt;x&gt;</b> by Ann"


def test_a_block_is_rendered_alone(app: App, write: Write) -> None:
    write(
        frame="{{ nobody_gives_this }}{% block body %}{% endblock %}{% block foot %}foot{% endblock %}",
        macros="{% macro bold(x) %}<b>{{ x }}</b>{% endmacro %}",
        home='{% extends "frame.html" %}\n{% import "macros.html" as m %}\n'
        "{% macro dot() %}.{% endmacro %}\n"
        '{% set star = "*" %}{% set total = todos | length %}\n'
        "{% block body %}{{ total }}{% for todo in todos %}"
        "{% block row scoped %}{{ star }}{{ m.bold(todo) }}{{ dot() }}{% endblock %}"
        "{% endfor %}{% endblock %}",
    )
    app.add_route("/row", lambda: Template("home.html#row", todo="milk"))
    app.add_route("/foot", lambda: Template("home.html#foot"))

    with TestClient(app) as browser:
        assert browser.get("/row").text == "*<b>milk</b>."
        assert browser.get("/foot").text == "foot"


def test_links_are_made_by_the_names_of_routes(app: App, write: Write) -> None:
    write(
        macros="{% macro link(id) %}{{ url_for('notes.show', id=id) }}{% endmacro %}",
        show='{% from "macros.html" import link %}'
        "{{ url_for('.show', id=8) }} {{ link(9) }} {{ url_for('home', page=2) }}"
        " {{ request.url_for('home') }} {{ url_for('home', absolute=True) }}",
        home="{{ request.path }}",
    )
    notes = Blueprint("notes", prefix="/notes")

    @notes.get("/{id:int}")
    def show(id: int) -> Template:
        return Template("show.html")

    @app.get("/")
    def home() -> Template:
        return Template("home.html")

    app.include(notes)

    assert answer_of(app, "/notes/7") == "/notes/8 /notes/9 /?page=2 / http://localhost/"


def test_a_name_that_was_not_given_is_an_error(app: App, write: Write) -> None:
    write(home="{{ user }}", test="{% if user %}x{% endif %}", is_it="{{ user is defined }}")
    app.add_route("/", lambda: Template("home.html", todo=1))
    app.add_route("/test", lambda: Template("test.html"))
    app.add_route("/is", lambda: Template("is_it.html"))

    with TestClient(app, raise_errors=False) as browser:
        assert [browser.get(path).status for path in ("/", "/test")] == [500, 500]
        assert browser.get("/is").text.lower() == "false"
    with TestClient(app) as browser, pytest.raises(Exception, match="undefined") as raised:
        browser.get("/")
    assert "home.html was given: request, todo" in raised.value.__notes__[0].replace(
        "given: todo", "given: request, todo"
    )


def test_the_traceback_page_shows_the_templates_line(
    app: App, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINGPOST_ENV", "development")
    write(home="<h1>Home</h1>\n<p>{{ missing.name }}</p>\n")

    @app.get("/")
    def home() -> Template:
        return Template("home.html")

    with TestClient(app, host="localhost", raise_errors=False) as browser:
        page = browser.get("/", headers={"accept": "text/html"}).text

    assert "home.html:2" in page
    assert "&lt;h1&gt;Home&lt;/h1&gt;" in page


def test_an_async_handler_and_one_without_annotation_render_as_well(app: App, write: Write) -> None:
    write(home="{{ x }}")

    @app.get("/a")
    async def a() -> Template:
        return Template("home.html", x="a")

    @app.get("/b")
    async def b():  # type: ignore[no-untyped-def]  # noqa: ANN202 - without annotations on purpose
        return Template("home.html", x="b")

    @app.get("/c", inline=True)
    def c():  # type: ignore[no-untyped-def]  # noqa: ANN202 - without annotations on purpose
        return Template("home.html", x="c")

    @app.get("/d")
    def d() -> Response[Any]:
        return Template("home.html", x="d")

    @app.get("/e")
    def e() -> Redirect | Template | None:
        return Template("home.html", x="e")

    with TestClient(app) as browser:
        assert "".join(browser.get(f"/{name}").text for name in "abcde") == "abcde"


def test_middleware_and_hooks_see_the_rendered_page(app: App, write: Write) -> None:
    write(home="home", away="away")
    seen: list[bytes | None] = []

    @app.middleware
    async def look(request: Request, call_next: Any) -> Response[Any]:
        response: Response[Any] = await call_next(request)
        seen.append(response.body)
        return response

    @app.before_request
    def closed(request: Request) -> Template | None:
        return Template("away.html", status=503) if "closed" in request.query else None

    @app.after_request
    async def replace(request: Request) -> Template | None:
        return Template("away.html") if "replace" in request.query else None

    @app.get("/")
    def home() -> Template:
        return Template("home.html")

    with TestClient(app) as browser:
        answers = [browser.get(path) for path in ("/", "/?closed=1", "/?replace=1")]

    assert [(answer.status, answer.text) for answer in answers] == [
        (200, "home"),
        (503, "away"),
        (200, "away"),
    ]
    assert seen == [b"home", b"away", b"away"]


class Session:
    def __init__(self) -> None:
        self.user = "ann"
        self.is_open = True


def test_the_context_is_served_as_handlers_are_and_made_for_who_reads_it(
    app: App, write: Write
) -> None:
    write(
        one="{{ user }} {{ path }} {{ later() }}",
        two='{% include "one.html" %}',
        none="nothing",
    )
    log: list[str] = []

    @app.provide
    def session() -> Iterator[Session]:
        made = Session()
        log.append("open")
        yield made
        made.is_open = False
        log.append("closed")

    @app.extensions.template_context
    def user(session: Session) -> str:
        assert session.is_open
        log.append("user")
        return session.user

    @app.extensions.template_context
    async def path(request: Request) -> str:
        return request.path

    @app.extensions.template_context(name="later")
    def later_value() -> Callable[[], str]:
        return lambda: "later"

    @app.get("/one")
    def one(session: Session) -> Template:
        session.user = "bob"
        log.append("handled")
        return Template("one.html")

    @app.get("/two")
    async def two(session: Session) -> Template:
        return Template("two.html")

    @app.get("/three")
    def three(session: Session):  # type: ignore[no-untyped-def]  # noqa: ANN202 - without annotations on purpose
        return Template("two.html", path="mine")

    @app.get("/none")
    def none() -> Template:
        return Template("none.html")

    @app.get("/json")
    def json() -> dict[str, int]:
        return {}

    with TestClient(app) as browser:
        assert browser.get("/one").text == "bob /one later"
        assert log == ["open", "handled", "user", "closed"]
        assert browser.get("/two").text == "ann /two later"
        assert browser.get("/three").text == "ann mine later"
        log.clear()
        assert browser.get("/none").text == "nothing"
        assert "user" not in log
        log.clear()
        browser.get("/json")
        assert log == []


def test_error_pages_are_templates_with_the_same_context(app: App, write: Write) -> None:
    write(missing="{{ user }}: nothing at {{ request.path }}", broken="{{ user }}: {{ error }}")

    @app.provide
    async def session() -> AsyncIterator[Session]:
        yield Session()

    @app.extensions.template_context
    def user(session: Session) -> str:
        return session.user

    @app.error(NotFound)
    def missing(request: Request, error: NotFound) -> Template:
        return Template("missing.html", status=404)

    @app.error(ZeroDivisionError)
    async def broken(request: Request, error: ZeroDivisionError) -> Template:
        return Template("broken.html", status=500, error=error)

    app.add_route("/def", lambda: 1 // 0)

    @app.get("/async")
    async def in_async() -> int:
        return 1 // 0

    @app.get("/gone")
    def gone() -> None:
        raise NotFound

    with TestClient(app) as browser:
        assert browser.get("/nowhere").text == "ann: nothing at /nowhere"
        assert browser.get("/gone").text == "ann: nothing at /gone"
        assert "ann: " in browser.get("/def").text
        assert "ann: " in browser.get("/async").text


def test_pages_are_rendered_where_no_request_is(
    folder: Path, engine: MakeEngine, write: Write
) -> None:
    write(
        mail="{{ name }} {{ url_for('home') }} {{ site }} {% block end %}{{ site }}!{% endblock %}"
    )
    app = App()
    pages = Templates(folder, engine=engine)
    app.install(pages)

    @app.extensions.template_context
    def site() -> str:
        return "Kingpost"

    @app.extensions.template_context
    def who(request: Request) -> str:
        return request.path

    @app.get("/")
    def home(templates: Templates) -> str:
        return templates.render("mail.html#end")

    assert pages.render("mail.html", name="<Ann>") == "&lt;Ann&gt; / Kingpost Kingpost!"
    assert answer_of(app) == "Kingpost!"


def test_the_nonce_in_the_page_is_the_one_in_the_policy(app: App, write: Write) -> None:
    write(
        scripts="{% macro script() %}<script nonce='{{ csp_nonce() }}'></script>{% endmacro %}",
        home="{% from 'scripts.html' import script %}{{ script() }}{{ script() }}",
    )
    app.middleware(ContentSecurityPolicy())
    app.add_route("/", lambda: Template("home.html"))

    with TestClient(app) as browser:
        first, second = browser.get("/"), browser.get("/")

    nonces = set(re.findall("nonce='([^']+)'", first.text))
    assert len(nonces) == 1
    assert f"'nonce-{nonces.pop()}'" in first.headers["content-security-policy"]
    assert first.text != second.text


def test_files_have_their_digests_in_links(app: App, write: Write, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "app.css").write_text("p {}", encoding="utf-8")
    site = Blueprint("site", prefix="/site")
    site.include(Static("/static", tmp_path / "files"))
    app.include(site)
    write(
        links="{% macro style(name) %}{{ static(name) }}{% endmacro %}",
        home="{% from 'links.html' import style %}{{ style('app.css') }}",
    )
    app.add_route("/", lambda: Template("home.html"))

    with TestClient(app) as browser:
        link = browser.get("/").text
        assert re.fullmatch(r"/site/static/app\.[0-9a-f]{16}\.css", link)
        assert browser.get(link).text == "p {}"


@pytest.mark.parametrize(
    "page",
    [
        "{{ static('app.css') }}",
        "<a href='{{ static(file) }}'>",
        "{% set url = static('app.css') %}",
        "{% if static('app.css') %}{% endif %}",
        "{% macro style(name) %}{{ static(name) }}{% endmacro %}",
    ],
)
def test_static_without_files_is_refused_at_the_start(app: App, write: Write, page: str) -> None:
    write(index=f"<p>\n{page}</p>")
    app.add_route("/", lambda: Template("index.html", file="app.css"))

    error = refused(app)

    assert error.code == "templates.no-static"
    assert 'app.include(Static("/static", "static"))' in str(error)
    assert re.search(r"index\.html:2", str(error))


@pytest.mark.parametrize(
    "page",
    [
        "{% macro static(name) %}{{ name }}{% endmacro %}{{ static('app.css') }}",
        "{# static('app.css') #}app.css",
        "{% set static = link %}{{ static('app.css') }}",
        "{% from 'own.html' import static %}{{ static('app.css') }}",
        "{% from 'own.html' import own as static %}{{ static('app.css') }}",
        "{{ 'app.css' if 1 else site.static('x') }}",
    ],
)
def test_what_only_looks_like_it_is_left_alone(app: App, write: Write, page: str) -> None:
    macro = "{% macro static(name) %}{{ name }}{% endmacro %}"
    write(index=page, own=macro + macro.replace("static", "own"))
    app.add_route("/", lambda: Template("index.html", link=str))

    assert answer_of(app) == "app.css"


def test_static_without_files_is_refused_when_it_is_rendered(app: App, write: Write) -> None:
    write(index="{{ static('app.css') }}")
    name = "index"
    app.add_route("/", lambda: Template(f"{name}.html"))

    with TestClient(app) as browser, pytest.raises(ConfigurationError) as found:
        browser.get("/")

    assert found.value.code == "templates.no-static"
    assert 'app.include(Static("/static", "static"))' in str(found.value)


def test_filters_are_given_to_the_engine(folder: Path, engine: MakeEngine, write: Write) -> None:
    write(home="{{ 1234 | euro }}")
    app = App()
    app.install(Templates(folder, engine=engine, filters={"euro": lambda cents: f"€{cents / 100}"}))
    app.add_route("/", lambda: Template("home.html"))

    assert answer_of(app) == "€12.34"


# -- what is refused at the start


def refused(app: App) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as found:
        compile_app(app, mode="test")
    return found.value


def test_a_misspelt_name_is_refused_with_its_line(app: App, write: Write) -> None:
    write(index="x")

    @app.get("/")
    def home() -> Template:
        return Template("indx.html")

    error = refused(app)

    assert error.code == "templates.missing"
    assert "write 'index.html'" in str(error)
    assert "test_views.py" in str(error)


def test_a_misspelt_name_in_a_template_is_refused(app: App, write: Write) -> None:
    write(index='\n{% include "fot.html" %}', foot="x")
    app.add_route("/", lambda: Template("index.html"))

    error = refused(app)

    assert error.code == "templates.missing"
    assert "index.html:2" in str(error)


def test_a_block_that_is_not_there_is_refused(app: App, write: Write) -> None:
    write(frame="{% block body %}{% endblock %}", index='{% extends "frame.html" %}')

    @app.get("/")
    async def home() -> Template:
        return Template("index.html#bdy")

    error = refused(app)

    assert error.code == "templates.no-block"
    assert "write 'index.html#body'" in str(error)


def test_a_template_that_cannot_be_read_is_refused_with_its_line(app: App, write: Write) -> None:
    write(index="\n\n{% if %}")
    app.add_route("/", lambda: Template("index.html"))

    error = refused(app)

    assert error.code == "templates.broken"
    assert "index.html:3" in str(error)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("url_for('nowhere')", "routing.unknown-name"),
        ("url_for('show')", "routing.url-parameters"),
        ("request.url_for('.sho', id=1)", "routing.unknown-name"),
    ],
)
def test_links_that_lead_nowhere_are_refused(app: App, write: Write, call: str, code: str) -> None:
    write(index='\n<a href="{{ ' + call + ' }}">', layout="x")

    @app.get("/{id:int}")
    def show(id: int) -> Template:
        return Template("index.html")

    error = refused(app)

    assert error.code == code
    assert "index.html:2" in str(error)


def test_links_whose_names_are_computed_are_left_alone(app: App, write: Write) -> None:
    write(index="{{ url_for(name) }} {{ url_for('show', **some) if some else '' }}")

    @app.get("/{number:int}")
    def show(number: int) -> Template:
        return Template("index.html", name="x", some={})

    compile_app(app, mode="test")


def test_names_lead_never_out_of_the_folder(app: App, folder: Path) -> None:
    (folder.parent / "secret.html").write_text("secret", encoding="utf-8")

    @app.get("/page")
    def page(name: str) -> Template:
        return Template(name)

    with TestClient(app, raise_errors=False) as browser:
        for name in ("../secret.html", str(folder.parent / "secret.html"), "x/../../secret.html"):
            assert browser.get("/page", params={"name": name}).status == 500
