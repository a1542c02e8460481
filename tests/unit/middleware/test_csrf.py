"""Tokens: who needs one, which one is right, and that lengths tell nothing."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost import App, BodyStream, Html, Request, Response
from kingpost.errors import ConfigurationError
from kingpost.middleware import Csrf, TrustedProxies, csrf_token
from kingpost.middleware.csrf import decoded, encoded, mac, xor
from kingpost.settings import Secret
from kingpost.testing import TestClient

KEY = "k" * 32
HTTPS = {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}
OURS = {"sec-fetch-site": "same-origin"}


def client(*keys: str, **options: Any) -> TestClient:
    app = App(middleware=[TrustedProxies(["127.0.0.1"]), Csrf(keys or KEY, **options)])

    @app.get("/")
    def form(request: Request) -> Html:
        return Html(csrf_token(request))

    @app.get("/plain")
    def plain() -> str:
        return "no form"

    @app.post("/")
    def post(request: Request) -> str:
        return "posted"

    @app.post("/stream")
    async def stream(body: BodyStream) -> int:
        return sum([len(chunk) async for chunk in body])

    @app.post("/login")
    def login() -> Response[str]:
        return Response("in").set_cookie("session", "s1")

    @app.post("/hook/paid")
    def hook() -> str:
        return "paid"

    @app.get("/late")
    def late(request: Request) -> Iterator[str]:
        yield "begun"
        yield csrf_token(request)

    @app.get("/early")
    def early(request: Request) -> Iterator[str]:
        token = csrf_token(request)
        yield token
        yield csrf_token(request)

    return TestClient(app)


def status_and_code(response: Any) -> tuple[int, str]:
    return response.status, response.json()["code"] if response.status >= 400 else ""


def test_a_page_gives_a_token_and_the_form_is_taken() -> None:
    browser = client()
    page = browser.get("/")

    assert page.headers["vary"] == "cookie"
    assert re.fullmatch(
        r"csrf=[\w-]{43}; Path=/; HttpOnly; SameSite=Lax", page.headers["set-cookie"]
    )
    assert browser.post("/", form={"csrf_token": page.text}).text == "posted"
    assert browser.post("/", headers={"x-csrf-token": page.text}).text == "posted"


def test_a_form_with_files_is_taken() -> None:
    browser = client()
    token = browser.get("/").text
    body = f'--x\r\ncontent-disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n--x--\r\n'
    response = browser.post(
        "/",
        content=body.encode(),
        headers={"content-type": "multipart/form-data; boundary=x"},
    )

    assert response.text == "posted"


def test_over_https_the_cookie_belongs_to_the_host_alone() -> None:
    browser = client()
    page = browser.get("/", headers=HTTPS)

    assert page.headers["set-cookie"].startswith("__Host-csrf=")
    assert "; Secure; HttpOnly" in page.headers["set-cookie"]
    assert browser.post("/", headers={**HTTPS, "x-csrf-token": page.text}).status == 200


@pytest.mark.parametrize("how", [{}, {"form": {}}, {"form": {"csrf_token": ""}}, {"json": {}}])
def test_an_old_browser_needs_a_token(how: dict[str, Any]) -> None:
    browser = client()
    browser.get("/")

    assert status_and_code(browser.post("/", **how)) == (403, "csrf.no-token")


@pytest.mark.parametrize(
    "token",
    ["x", "=", "ä", "a" * 86, "a" * 85, "a" * 200, "a" * 43, "!" * 86, "\u0663" * 86],
)
def test_a_wrong_token_is_refused(token: str) -> None:
    browser = client()
    browser.get("/")

    assert status_and_code(browser.post("/", form={"csrf_token": token})) == (
        403,
        "csrf.wrong-token",
    )


def test_the_token_of_somebody_else_is_refused() -> None:
    browser = client()
    theirs = browser.get("/").text
    browser.cookies.clear()
    browser.get("/")

    assert browser.post("/", form={"csrf_token": theirs}).status == 403


def test_a_cookie_that_was_planted_makes_no_token() -> None:
    """Whoever can write cookies, from a neighbouring host for instance, still lacks the key."""
    planted = "A" * 43
    forged = encoded(bytes(32) + mac(b"another key of theirs, 32 letters", "c" + planted))
    response = client().post("/", cookies={"csrf": planted}, form={"csrf_token": forged})

    assert status_and_code(response) == (403, "csrf.wrong-token")


def test_over_https_the_cookie_of_http_is_not_read() -> None:
    browser = client()
    token = browser.get("/").text

    assert browser.post("/", headers={**HTTPS, "x-csrf-token": token}).status == 403


def test_a_token_belongs_to_the_session() -> None:
    browser = client(session_cookie="session")
    before = browser.get("/").text
    assert browser.post("/login", form={"csrf_token": before}).status == 200
    browser.cookies["session"] = "s1"

    assert status_and_code(browser.post("/", form={"csrf_token": before}))[0] == 403
    during = browser.get("/")
    assert "set-cookie" not in during.headers
    assert browser.post("/", form={"csrf_token": during.text}).status == 200
    browser.cookies["session"] = "s2"
    assert browser.post("/", form={"csrf_token": during.text}).status == 403


def test_a_planted_cookie_does_not_pass_for_a_session() -> None:
    attacker = client(session_cookie="session")
    token = attacker.get("/", cookies={"session": "theirs"}).text

    response = attacker.post("/", cookies={"csrf": "stheirs"}, form={"csrf_token": token})

    assert response.status == 403


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("POST", "/", {}, 200),
        ("POST", "/", {"cookies": {"a": "b"}}, 403),
        ("POST", "/", {"cookies": {"a": "b"}, "headers": OURS}, 200),
        ("POST", "/", {"cookies": {"a": "b"}, "headers": {"origin": "http://localhost"}}, 200),
        ("POST", "/", {"cookies": {"a": "b"}, "headers": {"sec-fetch-site": "cross-site"}}, 403),
        ("POST", "/", {"headers": {"authorization": "Basic YTpi"}}, 403),
        ("POST", "/", {"headers": {"authorization": "Basic YTpi", **OURS}}, 200),
        ("POST", "/", {"headers": {"authorization": "Bearer x"}}, 200),
        ("GET", "/plain", {"cookies": {"a": "b"}}, 200),
        ("POST", "/hook/paid", {"cookies": {"a": "b"}}, 200),
        ("POST", "/hook", {"cookies": {"a": "b"}}, 200),
        ("POST", "/hooks", {"cookies": {"a": "b"}}, 403),
    ],
    ids=str,
)
def test_who_needs_a_token(method: str, path: str, sent: dict[str, Any], status: int) -> None:
    browser = client(except_for=["/hook"])
    response = browser.request(method, path, **sent)

    assert response.status == (404 if path == "/hook" else status)


@pytest.mark.parametrize("headers", [{}, OURS, {"origin": "http://localhost"}])
def test_always_is_for_every_browser_with_and_without_cookies(headers: dict[str, str]) -> None:
    browser = client(always=True)

    assert browser.post("/", headers=headers).status == 403
    token = browser.get("/").text
    assert browser.post("/", headers=headers).status == 403
    assert browser.post("/", headers={**headers, "x-csrf-token": token}).status == 200


def test_a_body_that_is_streamed_sends_its_token_in_a_field() -> None:
    browser = client()
    token = browser.get("/").text
    form = {"content-type": "application/x-www-form-urlencoded"}
    content = f"csrf_token={token}".encode()

    assert status_and_code(browser.post("/stream", content=content, headers=form)) == (
        403,
        "csrf.no-token",
    )
    sent = browser.post("/stream", content=content, headers={**form, "x-csrf-token": token})
    assert sent.json() == len(content)


def test_a_form_that_is_malformed_has_no_token() -> None:
    response = client().post(
        "/",
        cookies={"a": "b"},
        content=b"a=1&" * 1_100,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )

    assert status_and_code(response) == (403, "csrf.no-token")


def test_every_token_looks_different_and_compresses_alike() -> None:
    """BREACH measures how well a guess compresses beside the secret: here it never stands there twice in the same way."""
    browser = client()
    tokens = [browser.get("/").text for _ in range(20)]

    assert len({token[:8] for token in tokens}) == 20
    assert len({token[-8:] for token in tokens}) == 20
    sizes = {len(zlib.compress((token + tokens[0]).encode())) for token in tokens[1:]}
    assert max(sizes) - min(sizes) <= 6
    for token in tokens:
        assert browser.post("/", headers={"x-csrf-token": token}).status == 200


def test_keys_change_without_signing_anybody_out() -> None:
    old, new = "o" * 32, "n" * 32
    browser = client(old)
    page = browser.get("/")
    cookie = page.headers["set-cookie"].partition(";")[0].partition("=")[2]

    def taken(*keys: str) -> int:
        return (
            client(*keys)
            .post("/", cookies={"csrf": cookie}, headers={"x-csrf-token": page.text})
            .status
        )

    assert [taken(old), taken(new, old), taken(new)] == [200, 200, 403]


def test_a_stream_asks_for_its_token_before_it_begins() -> None:
    browser = client()
    with pytest.raises(RuntimeError, match="before the first chunk"):
        browser.get("/late")

    assert "set-cookie" in browser.get("/early").headers
    assert browser.get("/late").status == 200


def test_a_token_that_nobody_would_ask_for_is_refused() -> None:
    app = App()

    @app.get("/")
    def form(request: Request) -> str:
        return csrf_token(request)

    with pytest.raises(RuntimeError, match="Csrf"):
        TestClient(app).get("/")


def test_pages_without_a_form_may_be_kept() -> None:
    headers = client().get("/plain").headers

    assert "set-cookie" not in headers
    assert "vary" not in headers


@given(st.binary(max_size=96))
def test_bytes_come_back(data: bytes) -> None:
    assert decoded(encoded(data)) == data
    assert xor(data, data) == bytes(len(data))


@given(st.text(max_size=200))
def test_any_text_is_decoded_or_not(text: str) -> None:
    assert isinstance(decoded(text), bytes)


@pytest.mark.parametrize(
    ("code", "key", "options"),
    [
        ("csrf.weak-key", "k" * 31, {}),
        ("csrf.weak-key", Secret("k"), {}),
        ("csrf.weak-key", [], {}),
        ("csrf.weak-key", None, {}),
        ("csrf.weak-key", ["k" * 32, "short"], {}),
        ("csrf.bad-name", KEY, {"cookie": "a b"}),
        ("csrf.bad-name", KEY, {"header": "x:y"}),
        ("csrf.bad-name", KEY, {"session_cookie": "a;b"}),
        ("middleware.bad-path", KEY, {"except_for": "/hook"}),
    ],
    ids=str,
)
def test_what_protects_nobody_is_refused(code: str, key: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as error:
        Csrf(key, **options)

    assert error.value.code == code
    assert "k" * 31 not in str(error.value)
