"""The page of an API in a browser that reaches nothing but the App: it is whole, and what it sends is answered."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

import pytest

from kingpost import App, Cookie, Form, Header, Redirect, Request, Response, Unauthorized
from kingpost.openapi import OpenAPI
from kingpost.testing import LiveServer
from tests.browser.chromium import PROGRAM, Page, chromium, press, write
from tests.needs import need
from tests.programs.test_programs import program
from tools import assets

pytestmark = pytest.mark.browser

need(PROGRAM, "Chromium", remedy="apt-get install chromium")
need(assets.are_there(), "Swagger UI", remedy="python -m tools.assets")

WATCH = """
window.seen = [];
addEventListener("securitypolicyviolation", (event) => seen.push(`${event.violatedDirective} ${event.blockedURI}`));
addEventListener("error", (event) => seen.push(event.message || `not loaded: ${event.target.outerHTML}`), true);
addEventListener("unhandledrejection", (event) => seen.push(String(event.reason)));
for (const kind of ["error", "warn"]) console[kind] = (...words) => seen.push(words.join(" "));
"""
"""What a page is told of that it does wrong."""


def drive(steps: Callable[[Page], Awaitable[None]]) -> None:
    async def run() -> None:
        # No name leads anywhere, "localhost" neither.
        async with chromium("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1") as page:
            await page.command("Page.enable")
            await page.command("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
            await steps(page)
            assert await page.run("seen") == []

    asyncio.run(run())


async def open_operation(page: Page, url: str, operation: str) -> None:
    """Opens the page at an operation, as a link to it does."""
    # Where only what stands behind the # differs, nothing would be loaded.
    await page.open("about:blank")
    await page.open(f"{url}#/{operation}")
    await page.until("!!document.querySelector('.opblock.is-open .execute')")


async def send(page: Page) -> str:
    """What the operation that is open shows of the answer to what it sends."""
    answer = "document.querySelector('.live-responses-table .response')"
    if await page.run(f"!!{answer}"):
        await press(page, ".opblock.is-open .btn-clear")
        await page.until(f"!{answer}")
    await press(page, ".opblock.is-open .execute")
    await page.until(f"!!{answer}")
    return str(await page.run(f"{answer}.innerText"))


async def authorize(page: Page, scheme: str, values: Mapping[str, str]) -> None:
    """Says who asks, by the button Authorize.

    Args:
        scheme: of the document.
        values: what is written into the fields, by their ids.
    """
    await press(page, ".scheme-container .authorize")
    found = (
        "[...document.querySelectorAll('.dialog-ux .auth-container')]"
        f".find(each => each.querySelector('h4').innerText.startsWith({scheme!r}))"
    )
    await page.until(f"!!{found}")
    await page.run(f"{found}.classList.add('wanted')")
    for field, value in values.items():
        await write(page, f".wanted [id={field}]", value)
    await press(page, ".wanted button.authorize")
    await page.until(f"{found}.innerText.includes('Logout')")
    await press(page, ".dialog-ux .btn-done")
    await page.until("!document.querySelector('.dialog-ux')")


def test_an_operation_is_tried_where_no_other_host_is_reached() -> None:
    async def steps(page: Page) -> None:
        refused = await page.command(
            "Page.navigate", url=f"{url.replace('127.0.0.1', 'localhost')}/docs"
        )
        assert refused["errorText"] == "net::ERR_NAME_NOT_RESOLVED"

        await open_operation(page, f"{url}/docs", "orders/orders.place")
        assert "Orders of a small shop." in await page.text()
        loaded = await page.run("performance.getEntriesByType('resource').map(each => each.name)")
        assert len(loaded) >= 3
        assert [each for each in loaded if not each.startswith((f"{url}/", "data:"))] == []

        unknown = await send(page)
        assert unknown.startswith("401")
        assert "say who you are" in unknown
        await authorize(page, "bearer", {"auth-bearer-value": "ada"})
        # The body is the example that the page made.
        placed = await send(page)
        assert placed.startswith("201")
        assert "content-type: application/json" in placed
        assert '"item": "string"' in placed
        assert '"id": 1' in placed

        await open_operation(page, f"{url}/docs", "orders/orders.show")
        await write(page, "[placeholder=id]", "1")
        shown = await send(page)
        assert shown.startswith("200")
        assert '"id": 1' in shown
        await write(page, "[placeholder=id]", "2")
        nothing = await send(page)
        assert nothing.startswith("404")
        assert "no order 2" in nothing

    with LiveServer(program("api_docs")) as server:
        url = server.url.rstrip("/")
        drive(steps)


def test_an_operation_cannot_be_sent_before_its_body_is_there() -> None:
    early = """
        window.early = 0;
        new MutationObserver(() => {
          const open = document.querySelector(".opblock.is-open");
          early += Boolean(open?.querySelector(".execute") && !open.querySelector(".opblock-section-request-body textarea")?.value);
        }).observe(document, { childList: true, subtree: true });
    """

    async def steps(page: Page) -> None:
        await page.command("Page.addScriptToEvaluateOnNewDocument", source=early)
        await open_operation(page, f"{url}/docs", "orders/orders.place")
        assert await page.run("early") == 0

    with LiveServer(program("api_docs")) as server:
        url = server.url.rstrip("/")
        drive(steps)


def asks_in_each_way() -> App:
    """Routes that ask who is there in each of the ways that a document can name."""
    app = App()

    @app.get("/key", errors=[Unauthorized])
    def key(x_key: Annotated[str | None, Header(security="apiKey")] = None) -> str:
        return known(x_key, "k")

    @app.get("/session", errors=[Unauthorized])
    def session(session: Annotated[str | None, Cookie(security="apiKey")] = None) -> str:
        return known(session, "s")

    @app.get("/basic", errors=[Unauthorized])
    def basic(
        authorization: Annotated[str | None, Header(security="basic")] = None,
    ) -> str:
        return known(authorization, "Basic YWRhOnB3")

    @app.get("/oauth", errors=[Unauthorized], openapi={"security": [{"oauth": []}]})
    def oauth(request: Request) -> str:
        return known(request.headers.get("authorization"), "Bearer t")

    @app.get("/authorize", openapi=False)
    def allow(redirect_uri: str, state: str) -> Redirect:
        return Redirect(f"{redirect_uri}?{urlencode({'code': 'c', 'state': state})}", external=True)

    @app.post("/token", openapi=False)
    def token(code: Annotated[str, Form()]) -> dict[str, str]:
        return {"access_token": {"c": "t"}[code], "token_type": "bearer"}

    @app.extensions.openapi
    def name_who_gives_tokens(whole: dict[str, Any]) -> None:
        urls = {"authorizationUrl": "/authorize", "tokenUrl": "/token"}
        flows = {"authorizationCode": {**urls, "scopes": {}}}
        whole["components"]["securitySchemes"]["oauth"] = {"type": "oauth2", "flows": flows}

    app.install(OpenAPI())
    return app


def known(said: str | None, wanted: str) -> str:
    if said != wanted:
        raise Unauthorized
    return "well known"


@pytest.mark.parametrize(
    ("name", "scheme", "values"),
    [
        ("key", "header_x-key", {"api_key_value": "k"}),
        ("session", "cookie_session", {"api_key_value": "s"}),
        ("basic", "basic", {"auth-basic-username": "ada", "auth-basic-password": "pw"}),
        ("oauth", "oauth", {"client_id_authorizationCode": "page"}),
    ],
)
def test_who_asks_is_said_by_authorize(name: str, scheme: str, values: dict[str, str]) -> None:
    async def steps(page: Page) -> None:
        await open_operation(page, f"{url}/docs", f"default/{name}")
        assert (await send(page)).startswith("401")
        await authorize(page, scheme, values)
        answer = await send(page)
        assert answer.startswith("200"), answer
        assert "well known" in answer

    with LiveServer(asks_in_each_way()) as server:
        url = server.url.rstrip("/")
        drive(steps)


def says_hello(path: str) -> App:
    app = App()

    @app.get("/hello")
    def hello() -> str:
        return "hello there"

    app.install(OpenAPI(path))
    return app


def mounted(path: str) -> App:
    outer = App()
    outer.mount("/inner", says_hello(path))
    return outer


@pytest.mark.parametrize(
    ("app", "at", "operation"),
    [
        (says_hello("/"), "/", "default/hello"),
        (says_hello("/of/the/api"), "/of/the/api", "default/hello"),
        (mounted("/docs"), "/inner/docs", "inner/inner.hello"),
        (mounted("/"), "/inner/", "inner/inner.hello"),
    ],
)
def test_it_works_wherever_it_is(app: App, at: str, operation: str) -> None:
    async def steps(page: Page) -> None:
        await open_operation(page, f"{url}{at}", operation)
        answer = await send(page)
        assert answer.startswith("200")
        assert "hello there" in answer

    with LiveServer(app) as server:
        url = server.url.rstrip("/")
        drive(steps)


def test_it_works_behind_a_proxy_that_takes_a_prefix_away() -> None:
    proxy = App()

    @proxy.get("/shop/{path:path}")
    def forward(path: str) -> Response[bytes]:
        with urllib.request.urlopen(f"{behind}/{path}") as answer:  # noqa: S310 - http, as given
            return Response(answer.read(), media_type=answer.headers["content-type"])

    async def steps(page: Page) -> None:
        await open_operation(page, f"{url}/shop/docs", "default/hello")
        answer = await send(page)
        assert answer.startswith("200")
        assert "hello there" in answer

    with LiveServer(says_hello("/docs")) as inner, LiveServer(proxy) as server:
        behind, url = inner.url.rstrip("/"), server.url.rstrip("/")
        drive(steps)
