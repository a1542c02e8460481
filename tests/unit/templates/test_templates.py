"""The plugin, without regard to engines; and an engine of one's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import htpy
import pytest

from kingpost import App, Request
from kingpost.app.compile import compile_app
from kingpost.errors import ConfigurationError, SignatureError
from kingpost.templates import EngineOptions, Look, Template, Templates
from kingpost.templates.jinja import Jinja
from kingpost.testing import TestClient


def refused(app: App) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as found:
        compile_app(app, mode="test")
    return found.value


class Pages:
    """An engine whose templates are functions of Python."""

    def __init__(self, options: EngineOptions) -> None:
        self.url_for = options.functions["url_for"]

    def look(self, name: str, /) -> Look:
        return Look(None, frozenset({"user"}), frozenset())

    def render(self, name: str, block: str, values: Mapping[str, Any], /) -> str:
        return str(htpy.p[values["user"], " ", self.url_for("home"), " ", values["name"]])


def test_an_engine_is_any_class_with_two_methods(tmp_path: Path) -> None:
    app = App()
    app.install(Templates(tmp_path, engine=Pages))

    @app.extensions.template_context
    def user() -> str:
        return "<Ann>"

    @app.get("/")
    def home() -> Template:
        return Template("home", name="x")

    with TestClient(app) as browser:
        answer = browser.get("/")

    assert answer.text == "<p>&lt;Ann&gt; / x</p>"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_a_template_without_templates_is_refused_at_the_start() -> None:
    app = App()

    @app.get("/")
    def home() -> Template | None:
        return Template("home.html")

    error = refused(app)

    assert isinstance(error, SignatureError)
    assert error.code == "answer.not-rendered"
    assert "app.install(Templates())" in str(error)


def test_a_template_without_templates_and_annotation_is_an_error_of_the_request() -> None:
    app = App()
    app.add_route("/", lambda: Template("home.html#row"))

    with TestClient(app) as browser, pytest.raises(ConfigurationError) as raised:
        browser.get("/")

    assert raised.value.code == "answer.not-rendered"
    assert "Template('home.html#row')" in str(raised.value)


def test_a_folder_that_is_not_there_is_refused() -> None:
    app = App()
    app.install(Templates("no-such-folder"))

    error = refused(app)

    assert error.code == "templates.no-folder"
    # As seen from the file that says so.
    assert str(Path(__file__).parent / "no-such-folder") in str(error)


def test_an_engine_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    app = App()
    app.install(Templates(tmp_path))

    error = refused(app)

    assert error.code == "templates.no-engine"
    assert "kingpost[templates]" in str(error)


def test_the_package_alone_loads_no_engine() -> None:
    program = "import kingpost.templates, sys; print([m for m in ('jinja2', 'minijinja') if m in sys.modules])"

    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_templates_render_for_an_app_only(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Templates(tmp_path).render("home.html")

    assert raised.value.code == "templates.not-installed"


def test_each_app_has_its_own_links(tmp_path: Path) -> None:
    (tmp_path / "home.html").write_text("{{ url_for('home') }}", encoding="utf-8")
    pages = Templates(tmp_path)
    first, second = App(), App()
    for app, path in ((first, "/a"), (second, "/b")):
        app.install(pages)
        app.add_route(path, lambda: pages.render("home.html"), name="home")

    with TestClient(first) as one, TestClient(second) as two:
        assert (one.get("/a").text, two.get("/b").text) == ("/a", "/b")


def test_the_first_folder_that_has_a_file_wins(tmp_path: Path) -> None:
    for folder, text in (("mine", "mine"), ("theirs", "theirs")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "both.html").write_text(text, encoding="utf-8")
    (tmp_path / "theirs" / "one.html").write_text("one", encoding="utf-8")
    app = App()
    pages = Templates(tmp_path / "mine", tmp_path / "theirs")
    app.install(pages)

    assert (pages.render("both.html"), pages.render("one.html")) == ("mine", "one")


def shown(name: str) -> Template:
    return Template(name)


def test_a_changed_file_is_read_anew_in_development_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "home.html"

    def seen(mode: str) -> list[str]:
        monkeypatch.setenv("KINGPOST_ENV", mode)
        page.write_text("{% block b %}old{% endblock %}", encoding="utf-8")
        app = App()
        app.install(Templates(tmp_path))
        app.add_route("/", shown)
        with TestClient(app) as browser:
            found = [browser.get("/?name=home.html").text, browser.get("/?name=home.html%23b").text]
            page.write_text("{% block b %}brand new{% endblock %}", encoding="utf-8")
            os.utime(page, (1, 1))
            return [
                *found,
                browser.get("/?name=home.html").text,
                browser.get("/?name=home.html%23b").text,
            ]

    assert seen("development") == ["old", "old", "brand new", "brand new"]
    assert seen("production") == ["old"] * 4


@pytest.mark.parametrize("name", ["", "#row", "page.html#"])
def test_names_that_mean_nothing_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no template"):
        Template(name)


def test_the_environment_can_be_changed(tmp_path: Path) -> None:
    (tmp_path / "home.html").write_text("{% do seen.append(1) %}{{ seen }}", encoding="utf-8")
    app = App()
    pages = Templates(tmp_path, engine=lambda options: Jinja(options, extensions=["jinja2.ext.do"]))
    app.install(pages)

    assert pages.render("home.html", seen=[]) == "[1]"


def test_a_block_may_build_on_its_parents(tmp_path: Path) -> None:
    (tmp_path / "frame.html").write_text(
        '{% set dot = "." %}{% block foot %}by us{{ dot }}{% endblock %}', encoding="utf-8"
    )
    (tmp_path / "home.html").write_text(
        '{% extends "frame.html" %}{% block foot %}{{ super() }} and you{% endblock %}',
        encoding="utf-8",
    )
    app = App()
    pages = Templates(tmp_path)
    app.install(pages)

    assert pages.render("home.html#foot") == "by us. and you"
    with pytest.raises(ConfigurationError, match="it has foot"):
        pages.render("home.html#head")
    with pytest.raises(ConfigurationError, match=r"no template 'hom\.html'"):
        pages.render("hom.html")


def test_a_context_function_that_reads_input_is_refused(tmp_path: Path) -> None:
    app = App()
    app.install(Templates(tmp_path))

    @app.extensions.template_context
    def page_number(page: int = 1) -> int:
        return page

    error = refused(app)

    assert error.code == "extensions.context-input"
    assert "page_number(page: int = 1)" in str(error)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("{{ url_for('x') }}", encoding="utf-8")
    app = App()
    app.install(Templates(tmp_path))
    app.add_route("/a", lambda: Template("a.html"))
    app.add_route("/b", lambda: Template("b.html"))

    error = refused(app)

    assert "problem 2 of 2" in error.__notes__[0]


def test_what_is_rendered_has_no_bytes_for_lone_surrogates(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("{{ x }}", encoding="utf-8")
    app = App()
    app.install(Templates(tmp_path))
    app.add_route("/", lambda: Template("a.html", x="a\udc80b"))

    with TestClient(app) as browser:
        assert browser.get("/").text == "a?b"


def test_the_names_of_handlers_of_every_kind_are_looked_at(tmp_path: Path) -> None:
    class Page:
        def __call__(self, request: Request) -> Template:
            return Template("x.html")

    def made() -> Any:
        kind = Template

        def handler() -> Template:
            return kind("y.html")

        return handler

    app = App()
    app.install(Templates(tmp_path))
    app.add_route("/x", Page())
    app.add_route("/y", made())

    error = refused(app)

    assert "'x.html'" in str(error)
    assert "'y.html'" in error.__notes__[0]
