"""Over https, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from kingpost import App
from kingpost.errors import ConfigurationError
from kingpost.middleware import Hsts, HttpsRedirect, TrustedProxies
from kingpost.testing import TestClient

HTTPS = {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}


def client(*, trusted: bool = True, **options: Any) -> TestClient:
    host = options.pop("host", "shop.example.org")
    proxies = [TrustedProxies(["127.0.0.1"])] if trusted else []
    app = App(middleware=[*proxies, HttpsRedirect(**options)])

    @app.route("/orders", methods=["GET", "POST"])
    def orders() -> str:
        return "orders"

    @app.get("/.well-known/acme-challenge/{token}")
    def challenge(token: str) -> str:
        return token

    return TestClient(app, host=host)


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/orders", "https://shop.example.org/orders"),
        ("/orders?a=1&b=%20x", "https://shop.example.org/orders?a=1&b=%20x"),
        ("/none", "https://shop.example.org/none"),
        ("//evil.example/x", "https://shop.example.org//evil.example/x"),
        ("/%5cevil.example", "https://shop.example.org/%5cevil.example"),
        ("/@evil.example", "https://shop.example.org/@evil.example"),
    ],
)
def test_http_is_sent_to_the_same_address(path: str, location: str) -> None:
    response = client().get(path)

    assert (response.status, response.headers["location"]) == (308, location)
    assert "strict-transport-security" not in response.headers


def test_a_post_is_sent_there_before_its_handler_sees_it() -> None:
    assert client().post("/orders", content=b"x").status == 308


def test_https_is_answered_and_asked_for_from_now_on() -> None:
    response = client().get("/orders", headers=HTTPS)

    assert (response.status, response.text) == (200, "orders")
    assert response.headers["strict-transport-security"] == "max-age=31536000"


def test_nobody_but_a_trusted_proxy_says_that_it_is_https() -> None:
    response = client(trusted=False).get("/orders", headers=HTTPS)

    assert response.status == 308
    assert "strict-transport-security" not in response.headers


def test_what_browsers_are_told_may_be_nothing() -> None:
    assert (
        "strict-transport-security" not in client(hsts=None).get("/orders", headers=HTTPS).headers
    )
    told = client(hsts=Hsts(300)).get("/orders", headers=HTTPS).headers
    assert told["strict-transport-security"] == "max-age=300"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "shop.localhost"])
def test_this_machine_is_left_alone(host: str) -> None:
    assert client(host=host).get("/orders").status == 200


@pytest.mark.parametrize(
    ("host", "location"),
    [
        ("shop.example.org:8080", "https://shop.example.org:8443/orders"),
        ("[2001:db8::1]:80", "https://[2001:db8::1]:8443/orders"),
        ("[2001:db8::1]", "https://[2001:db8::1]:8443/orders"),
    ],
)
def test_the_port_is_that_of_https(host: str, location: str) -> None:
    assert client(host=host, port=8443).get("/orders").headers["location"] == location


def test_a_client_that_does_not_say_which_host_is_refused() -> None:
    response = client().raw(b"GET /orders HTTP/1.0\r\n\r\n")

    assert (response.status, response.json()["code"]) == (400, "https.required")


def test_some_parts_are_served_over_http() -> None:
    browser = client(except_for=["/.well-known/acme-challenge/"])

    assert browser.get("/.well-known/acme-challenge/x").status == 200
    assert browser.get("/.well-known/acme-challenges").status == 308


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("https.bad-port", {"port": 0}),
        ("middleware.bad-path", {"except_for": "/health"}),
        ("security-headers.bad-hsts", {"hsts": Hsts(-1)}),
    ],
)
def test_what_cannot_be_meant_is_refused(code: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as error:
        HttpsRedirect(**options)

    assert error.value.code == code
