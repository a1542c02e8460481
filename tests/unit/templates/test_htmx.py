"""What htmx says, and what it is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kingpost import App, Html, Request, Response
from kingpost.templates import Htmx, HtmxRequest, Template, Templates
from kingpost.testing import TestClient

HTMX = {"hx-request": "true"}
ASKS = "hx-request, hx-request-type, hx-boosted, hx-history-restore-request, hx-target"


@pytest.fixture
def app(tmp_path: Path) -> App:
    (tmp_path / "page.html").write_text("page {% block part %}part{% endblock %}", encoding="utf-8")
    made = App()
    made.install(Templates(tmp_path))
    return made


def read(app: App, **headers: str) -> dict[str, Any]:
    @app.get("/")
    def home(htmx: HtmxRequest) -> dict[str, Any]:
        return {**msgspec.structs.asdict(htmx), "wants_block": htmx.wants_block}

    with TestClient(app) as browser:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        found: dict[str, Any] = browser.get("/", headers=fields).json()
        return {name: value for name, value in found.items() if value}


def test_a_browser_says_nothing_of_htmx(app: App) -> None:
    # Fields of htmx's without its own mean nothing.
    assert read(app, hx_boosted="true", hx_target="x") == {}


def test_what_htmx_2_says(app: App) -> None:
    said = read(
        app,
        hx_request="true",
        hx_current_url="http://localhost/",
        hx_prompt="%C3%A4",
        hx_prompt_uri_autoencoded="true",
        hx_target="list",
        hx_trigger="save",
        hx_trigger_name="send",
    )

    assert said == {
        "is_htmx": True,
        "current_url": "http://localhost/",
        "prompt": "ä",
        "target": "list",
        "trigger": "save",
        "trigger_name": "send",
        "wants_block": True,
    }


def test_what_htmx_4_says(app: App) -> None:
    said = read(
        app, hx_request="true", hx_request_type="full", hx_source="button#save", hx_target="ul#list"
    )

    assert said == {"is_htmx": True, "is_whole": True, "trigger": "save", "target": "list"}


@pytest.mark.parametrize("field", ["hx_boosted", "hx_history_restore_request"])
def test_links_and_the_history_want_a_page(app: App, field: str) -> None:
    assert "wants_block" not in read(app, hx_request="true", **{field: "true"})


@pytest.mark.parametrize(
    ("vary", "expected"),
    [
        ("", ASKS),
        ("Accept, Cookie", f"Accept, Cookie, {ASKS}"),
        ("HX-Request", ASKS.replace("hx-request,", "HX-Request,")),
        (ASKS, ASKS),
        ("*", "*"),
    ],
)
def test_caches_are_told_where_a_handler_has_looked(app: App, vary: str, expected: str) -> None:
    @app.get("/")
    def home(htmx: HtmxRequest) -> Template:
        page = Template("page.html#part" if htmx.wants_block else "page.html")
        if vary:
            page.headers["vary"] = vary
        return page

    @app.get("/always")
    def always() -> Template:
        return Template("page.html#part")

    with TestClient(app) as browser:
        page, part = browser.get("/"), browser.get("/", headers=HTMX)
        always_part = browser.get("/always")

    assert (page.text, part.text, always_part.text) == ("page part", "part", "part")
    assert page.headers["vary"] == part.headers["vary"] == expected
    assert "vary" not in always_part.headers


def test_a_function_may_ask_without_injection(app: App) -> None:
    @app.get("/")
    def home(request: Request) -> Html:
        return Html("htmx" if HtmxRequest.of(request).is_htmx else "browser")

    with TestClient(app) as browser:
        assert [browser.get("/").text, browser.get("/", headers=HTMX).text] == ["browser", "htmx"]


def told(tell: Callable[[Htmx], Htmx]) -> dict[str, str]:
    response: Response[Any] = Response("x")
    assert tell(Htmx(response)).response is response
    return dict(response.headers.pairs())


@pytest.mark.parametrize(
    ("tell", "fields"),
    [
        (lambda to: to.redirect("/a b"), {"hx-redirect": "/a%20b"}),
        (lambda to: to.location("/a b"), {"hx-location": "/a%20b"}),
        (
            lambda to: to.location("/a", target="#list", swap="outerMorph"),
            {"hx-location": '{"path": "/a", "target": "#list", "swap": "outerMorph"}'},
        ),
        (lambda to: to.refresh(), {"hx-refresh": "true"}),
        (lambda to: to.push_url("/a"), {"hx-push-url": "/a"}),
        (lambda to: to.push_url(None), {"hx-push-url": "false"}),
        (lambda to: to.replace_url("?q=1"), {"hx-replace-url": "?q=1"}),
        (lambda to: to.retarget("#list"), {"hx-retarget": "#list"}),
        (lambda to: to.reswap("outerHTML"), {"hx-reswap": "outerHTML"}),
        (lambda to: to.reselect("#list"), {"hx-reselect": "#list"}),
        (
            lambda to: to.trigger("a").trigger("b", n="ä"),
            {"hx-trigger": '{"a": {}, "b": {"n": "\\u00e4"}}'},
        ),
        (lambda to: to.trigger("a", when="swapped"), {"hx-trigger-after-swap": '{"a": {}}'}),
        (lambda to: to.trigger("a", when="settled"), {"hx-trigger-after-settle": '{"a": {}}'}),
    ],
)
def test_what_htmx_is_told(tell: Callable[[Htmx], Htmx], fields: dict[str, str]) -> None:
    assert told(tell) == fields


@pytest.mark.parametrize("location", ["https://example.org/", "//example.org", "javascript:x"])
def test_htmx_is_not_sent_to_other_sites(location: str) -> None:
    for tell in ("redirect", "location", "push_url", "replace_url"):
        with pytest.raises(ValueError, match="htmx cannot be sent to"):
            getattr(Htmx(Response("x")), tell)(location)
