"""An App inside of an App."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from kingpost import App, Blueprint, Request, Response, Settings, current_app
from kingpost.app.compile import compile_app
from kingpost.checks import Health
from kingpost.errors import ConfigurationError, NotFound, RoutingError
from kingpost.templates import Template, Templates
from kingpost.testing import TestClient

log: list[str] = []


class ShopSettings(Settings):
    currency: str = "EUR"


class SiteSettings(Settings):
    title: str = "site"


class Greeting(str):
    __slots__ = ()


class Word(str):
    __slots__ = ()


def marking(word: str) -> Any:
    async def mark(request: Request, call_next: Any) -> Response[Any]:
        response: Response[Any] = await call_next(request)
        response.headers["x-around"] = f"{word} {response.headers.get('x-around', '')}".strip()
        return response

    return mark


def said_page(request: Request) -> str:
    return request.path_params["page"]


def own_url(request: Request) -> str:
    return request.url_for("x")


def made() -> tuple[App, App]:
    log.clear()
    shop = App(settings=ShopSettings, middleware=[marking("shop")])
    site = App(settings=SiteSettings, middleware=[marking("site")])

    @shop.lifespan
    async def open_shop(settings: ShopSettings) -> AsyncGenerator[None]:
        log.append(f"open {settings.currency}")
        yield
        log.append("close shop")

    @site.lifespan
    async def open_site() -> AsyncGenerator[None]:
        log.append("open site")
        yield
        log.append("close site")

    @shop.get("/{id:int}")
    def product(id: int, request: Request, settings: ShopSettings) -> list[object]:
        return [
            id,
            settings.currency,
            request.url_for("product", id=2),
            request.url_for("home"),
            request.url_for("shop.product", id=3),
            current_app() is shop,
        ]

    @shop.get("/fails")
    async def fails() -> str:
        raise NotFound("no product")

    @shop.error(404)
    def lost(request: Request, error: Exception) -> str:
        return "the shop has not got it"

    @site.error(404)
    def lost_site(request: Request, error: Exception) -> str:
        return "the site has not got it"

    @site.get("/")
    def home(request: Request, settings: SiteSettings) -> list[object]:
        return [settings.title, request.url_for("shop.product", id=1), current_app() is site]

    site.mount("/shop", shop)
    return site, shop


def test_each_has_its_own_and_names_lead_across() -> None:
    site, shop = made()
    with TestClient(site) as browser:
        inner, outer = browser.get("/shop/7"), browser.get("/")
        assert log == ["open site", "open EUR"]
        assert shop.url_for("product", id=4) == "/shop/4"
    assert inner.json() == [7, "EUR", "/shop/2", "/", "/shop/3", True]
    assert outer.json() == ["site", "/shop/1", True]
    assert inner.headers["x-around"] == "site shop"
    assert outer.headers["x-around"] == "site"
    assert log[2:] == ["close shop", "close site"]


@pytest.mark.parametrize(
    ("path", "text", "around"),
    [
        ("/shop/fails", "the shop has not got it", "site shop"),
        ("/shop/none", "the shop has not got it", "site shop"),
        ("/shop", "the shop has not got it", "site shop"),
        ("/shopping", "the site has not got it", "site"),
        ("/none", "the site has not got it", "site"),
    ],
)
def test_errors_are_its_own(path: str, text: str, around: str) -> None:
    with TestClient(made()[0]) as browser:
        answer = browser.get(path)

    assert (answer.status, answer.text, answer.headers["x-around"]) == (404, text, around)


def test_it_may_be_served_alone() -> None:
    _, shop = made()
    with TestClient(shop) as browser:
        assert browser.get("/fails").text == "the shop has not got it"


def test_providers_of_both_are_seen_and_the_nearest_wins() -> None:
    shop, site = App(), App()

    @shop.provide
    def greeting() -> Greeting:
        return Greeting("shop")

    @site.provide
    def other() -> Greeting:
        return Greeting("site")

    @site.provide(scope="app")
    def word() -> Word:
        log.append("made")
        return Word("word")

    @shop.get("/")
    def home(greeting: Greeting, word: Word) -> str:
        return f"{greeting} {word}"

    @site.get("/")
    def root(greeting: Greeting, word: Word) -> str:
        return f"{greeting} {word}"

    log.clear()
    site.mount("/shop", shop)
    with TestClient(site) as browser:
        assert browser.get("/shop/").text == "shop word"
        assert browser.get("/").text == "site word"
        with site.override(Word, Word("other")):
            assert browser.get("/shop/").text == "shop other"
    assert log == ["made"]


def test_several_apps_by_host() -> None:
    one, two, both = App(), App(), App()
    one.add_route("/{page}", said_page, name="page")
    two.add_route("/about", lambda: "two", name="about")

    @two.error(404)
    def lost(request: Request, error: Exception) -> str:
        return "two has not got it"

    both.mount("/", one, hosts=["one.org"], name="one")
    both.mount("/", two, hosts=["two.org"], name="two")

    with TestClient(both) as browser:

        def said(host: str, path: str) -> tuple[int, str]:
            answer = browser.get(path, headers={"host": host})
            return answer.status, answer.text

        assert said("one.org", "/about") == (200, "about")
        assert said("two.org", "/about") == (200, "two")
        assert said("two.org", "/x") == (404, "two has not got it")
        assert said("three.org", "/about")[0] == 404
    assert both.url_for("two.about") == "https://two.org/about"


def test_an_app_in_an_app_in_an_app_twice() -> None:
    inner, middle, outer = App(), App(), App()
    inner.add_route("/x", own_url, name="x")
    middle.mount("/inner", inner)
    group = Blueprint("group", prefix="/group")
    outer.include(group)
    outer.mount("/a", middle, name="a")
    outer.mount("/b", middle, name="b")

    with TestClient(outer) as browser:
        assert browser.get("/a/inner/x").text == "/a/inner/x"
        assert browser.get("/b/inner/x").text == "/b/inner/x"
    assert outer.url_for("b.inner.x") == "/b/inner/x"


def test_after_the_start_it_takes_no_more() -> None:
    site, shop = made()
    compile_app(site, mode="test")

    with pytest.raises(RoutingError) as refused:
        shop.add_route("/late", lambda: "")
    assert refused.value.code == "routing.too-late"


def test_circles_and_what_is_no_app_are_refused() -> None:
    app, other = App(), App()
    app.mount("/a", other)
    other.mount("/b", app)

    with pytest.raises(ConfigurationError) as refused:
        compile_app(app, mode="test")
    assert refused.value.code == "routing.include-circle"
    for path, what in [("/x", print), ("/{id}", App()), ("/x", Blueprint("x"))]:
        with pytest.raises(RoutingError) as caught:
            app.mount(path, what)  # type: ignore[arg-type]  # the mistake itself
        assert caught.value.code == "routing.bad-mount"


def test_templates_are_its_own(tmp_path: Path) -> None:
    shop, site = App(), App()
    for app, word in [(shop, "shop"), (site, "site")]:
        folder = tmp_path / word
        folder.mkdir()
        (folder / "page.html").write_text(f"{word}: {{{{ url_for('page') }}}} {{{{ called }}}}")
        app.install(Templates(folder))
        app.extensions.template_context(saying(word))
        app.add_route("/page", page, name="page")
        app.error(404)(lost_page)
    site.mount("/shop", shop)

    with TestClient(site) as browser:
        assert browser.get("/page").text == "site: /page site"
        assert browser.get("/shop/page").text == "shop: /shop/page shop"
        assert browser.get("/none").text == "site: /page site"
        assert browser.get("/shop/none").text == "shop: /shop/page shop"


def test_all_that_is_called_for_it_sees_the_providers_around_it(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("{{ called }}")
    site, shop = App(plugins=[Health()]), App(plugins=[Templates(tmp_path)])
    asked: list[str] = []

    @site.provide
    def word() -> Word:
        return Word("around")

    @shop.extensions.template_context
    def called(word: Word) -> str:
        return word

    @shop.extensions.health
    def stocked(word: Word) -> None:
        asked.append(word)

    shop.add_route("/page", page)
    shop.error(404)(lost_page)
    site.mount("/shop", shop)

    with TestClient(site) as browser:
        assert browser.get("/shop/page").text == "around"
        assert browser.get("/shop/none").text == "around"
        assert browser.get("/readyz").json()["checks"] == {"stocked": "ok"}
    assert asked == ["around"]


def saying(word: str) -> Any:
    def called() -> str:
        return word

    return called


def page() -> Template:
    return Template("page.html")


def lost_page(request: Request, error: Exception) -> Template:
    return Template("page.html", status=404)
