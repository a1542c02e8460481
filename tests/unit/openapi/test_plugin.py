"""The plugin, its page, the command, and the page that development brings by itself."""

from __future__ import annotations

import json

import pytest
import yaml
from click.testing import CliRunner

from kingpost import App, Blueprint, CallNext, Request, Response
from kingpost.cli.commands import kingpost
from kingpost.errors import ConfigurationError
from kingpost.openapi import OpenAPI, document
from kingpost.openapi.development import install
from kingpost.openapi.docstring import docstring_of
from kingpost.openapi.writing import to_yaml
from kingpost.testing import TestClient


def app_with(*plugins: OpenAPI) -> App:
    app = App()

    @app.get("/todos/{id:int}")
    def show(id: int) -> int:
        return id

    app.install(*plugins)
    return app


def test_it_stands_where_it_is_put() -> None:
    with TestClient(app_with(OpenAPI("/"))) as browser:
        page, as_json = browser.get("/"), browser.get("/openapi.json")

    assert 'href="./openapi.json"' in page.text
    assert list(as_json.json()["paths"]) == ["/todos/{id}"]


def test_it_is_served_below_middleware_too() -> None:
    app = app_with(OpenAPI())

    @app.middleware
    async def mark(request: Request, call_next: CallNext) -> Response[object]:
        response = await call_next(request)
        response.headers["x-mark"] = "1"
        return response

    with TestClient(app) as browser:
        answer = browser.get("/docs/openapi.json")

    assert answer.headers["x-mark"] == "1"
    assert answer.json()["openapi"] == "3.1.1"


def test_a_mounted_app_describes_itself() -> None:
    outer = App()
    outer.mount("/inner", app_with(OpenAPI()))

    with TestClient(outer) as browser:
        answer = browser.get("/inner/docs/openapi.json")

    assert list(answer.json()["paths"]) == ["/inner/todos/{id}"]


def test_what_clients_could_see_as_markup_is_escaped() -> None:
    with TestClient(app_with(OpenAPI(title="<i>"))) as browser:
        page = browser.get("/docs").text

    assert "<title>&lt;i&gt;</title>" in page
    assert "<i>" not in page


@pytest.mark.parametrize("path", ["docs", "/docs/"])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match="must begin with '/'"):
        OpenAPI(path)


def test_a_version_is_text() -> None:
    with pytest.raises(ConfigurationError, match="the version of an API is text") as refused:
        OpenAPI(version=1.4)  # type: ignore[arg-type]  # the mistake itself

    assert (refused.value.code, refused.value.remedy) == ("openapi.bad-info", 'write version="1.4"')


def test_development_brings_it() -> None:
    app = app_with()
    install(app)

    with TestClient(app) as browser:
        assert browser.get("/docs").status == 200


def test_development_leaves_alone_what_the_app_does_itself() -> None:
    app = app_with()
    pages = Blueprint("pages")

    @pages.get("/docs")
    def page() -> str:
        return "own docs"

    app.include(pages)
    install(app)
    with TestClient(app) as browser:
        assert browser.get("/docs").text == "own docs"


def test_development_does_not_count_routes_that_match_anything() -> None:
    app = app_with()
    app.get("/{page}")(lambda page: page)
    install(app)

    with TestClient(app) as browser:
        assert browser.get("/docs").headers["content-type"] == "text/html; charset=utf-8"
        assert browser.get("/other").text == "other"


def test_development_does_not_bring_a_second_one() -> None:
    app = app_with(OpenAPI("/api"))
    install(app)

    with TestClient(app) as browser:
        assert browser.get("/docs").status == 404


def test_the_command_prints_it() -> None:
    file = "tests/programs/api_docs.py"
    as_json = CliRunner().invoke(kingpost, ["openapi", file], catch_exceptions=False)
    as_yaml = CliRunner().invoke(kingpost, ["openapi", "--yaml", file], catch_exceptions=False)

    assert json.loads(as_json.stdout)["info"]["title"] == "Orders"
    assert as_yaml.stdout == to_yaml(json.loads(as_json.stdout)).decode()


def test_looking_at_an_app_does_not_close_it() -> None:
    app = app_with()
    document(app)

    app.get("/later")(lambda request: "")


def test_docstrings() -> None:
    def function() -> None:
        """Do a thing,
        in two lines.

        More of it.

        And more.

        Args:
            a: the first,
                told in two lines.
            b (int): the second
              list: no parameter

        Returns:
            A thing: done.

        Raises:
            ValueError: never.
        """

    said = docstring_of(function)

    assert said.summary == "Do a thing, in two lines."
    assert said.description == "More of it.\n\nAnd more."
    assert said.parameters == {
        "a": "the first, told in two lines.",
        "b": "the second list: no parameter",
    }
    assert said.returns == "A thing: done."
    assert docstring_of(len.__call__).summary != "Do a thing"


@pytest.mark.parametrize(
    "text", ["yes", "no", "1.0", "0x1f", "a: b", "a #b", "- a", "", " a", "é", "\x85", "\u2028", "a\nb", "~", "null", "[a", "2026-01-31", "😀", "a:", "*a", "=", "<<"]
)  # fmt: skip
def test_yaml_keeps_text_as_it_is(text: str) -> None:
    assert yaml.safe_load(to_yaml({text: [text, {"a": text}]})) == {text: [text, {"a": text}]}
