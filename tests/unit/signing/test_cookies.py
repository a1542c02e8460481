"""Cookies that come back unaltered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from kingpost.http.cookies import parse_cookies
from kingpost.http.response import Response
from kingpost.signing import EncryptedCookies, KeyRing, SignedCookies, Signer
from tests.unit.signing.conftest import GivenClock


class Basket(msgspec.Struct):
    items: list[str]


class Browser:
    """Sends back what it was given."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def take(self, response: Response[Any]) -> None:
        for field in response.headers.get_all("set-cookie"):
            self.cookies |= parse_cookies([field.partition(";")[0]])


KINDS = [SignedCookies, EncryptedCookies]
Kind = type[SignedCookies] | type[EncryptedCookies]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture
def browser() -> Browser:
    return Browser()


def given(
    cookies: SignedCookies | EncryptedCookies, browser: Browser, *args: Any, **options: Any
) -> str:
    response = Response("")
    cookies.set(response, *args, **options)
    browser.take(response)
    return response.headers["set-cookie"]


def test_a_value_of_any_type_comes_back(kind: Kind, keys: KeyRing, browser: Browser) -> None:
    cookies = kind(keys)

    given(cookies, browser, "basket", Basket(["Milk & honey", "ä"]))
    given(cookies, browser, "name", 'Ada "the first"; L.')

    assert cookies.get(browser, "basket", Basket) == Basket(["Milk & honey", "ä"])
    assert cookies.get(browser, "name") == 'Ada "the first"; L.'
    assert cookies.get(browser, "other") is None


def test_it_is_as_careful_as_any_cookie(kind: Kind, keys: KeyRing, browser: Browser) -> None:
    field = given(kind(keys), browser, "a", "b", max_age=timedelta(hours=1))

    assert field.partition("; ")[2] == "Max-Age=3600; Path=/; Secure; HttpOnly; SameSite=Lax"


def test_options_are_passed_on(kind: Kind, keys: KeyRing, browser: Browser) -> None:
    field = given(
        kind(keys),
        browser,
        "a",
        "b",
        path="/shop",
        domain="example.org",
        secure=False,
        http_only=False,
        same_site="strict",
    )

    assert field.partition("; ")[2] == "Domain=example.org; Path=/shop; SameSite=Strict"


def test_an_altered_one_is_as_if_it_were_not_there(
    kind: Kind, keys: KeyRing, browser: Browser
) -> None:
    cookies = kind(keys)
    given(cookies, browser, "a", "b")
    browser.cookies["a"] = browser.cookies["a"][:-1] + "~"

    assert cookies.get(browser, "a") is None


def test_one_cookie_is_not_passed_off_as_another(
    kind: Kind, keys: KeyRing, browser: Browser
) -> None:
    cookies = kind(keys)
    given(cookies, browser, "colour", "admin")

    browser.cookies["role"] = browser.cookies["colour"]

    assert cookies.get(browser, "role") is None


def test_a_signed_value_is_no_cookie_and_neither_kind_is_the_other(
    keys: KeyRing, browser: Browser
) -> None:
    signed, encrypted = SignedCookies(keys), EncryptedCookies(keys)

    browser.cookies["a"] = Signer(keys, "a").dumps("b")
    assert signed.get(browser, "a") is None
    given(signed, browser, "a", "b")
    assert encrypted.get(browser, "a") is None
    given(encrypted, browser, "a", "b")
    assert signed.get(browser, "a") is None


def test_its_age_is_ours_to_judge(
    kind: Kind, keys: KeyRing, clock: GivenClock, browser: Browser
) -> None:
    """A browser may keep what it was told to forget."""
    cookies = kind(keys, clock=clock)
    given(cookies, browser, "a", "b", max_age=60)
    given(cookies, browser, "lasting", "b")

    clock.now += 59
    assert cookies.get(browser, "a") == "b"
    assert cookies.get(browser, "a", max_age=59) is None
    clock.now += 1
    assert cookies.get(browser, "a") is None
    assert cookies.get(browser, "lasting") == "b"
    assert cookies.get(browser, "lasting", max_age=60) is None


def test_the_type_may_have_changed_since(kind: Kind, keys: KeyRing, browser: Browser) -> None:
    cookies = kind(keys)
    given(cookies, browser, "basket", ["from", "before"])

    assert cookies.get(browser, "basket", Basket) is None


def test_keys_rotate(kind: Kind, browser: Browser) -> None:
    given(kind(KeyRing("o" * 32)), browser, "a", "b")

    assert kind(KeyRing("n" * 32, "o" * 32)).get(browser, "a") == "b"
    assert kind(KeyRing("n" * 32)).get(browser, "a") is None


def test_what_a_browser_would_drop_is_refused(kind: Kind, keys: KeyRing, browser: Browser) -> None:
    cookies = kind(keys)

    with pytest.raises(ValueError, match="browsers drop more than 4096"):
        given(cookies, browser, "a", "x" * 4000)
    given(cookies, browser, "a", "x" * 2_800)


def test_an_age_of_nothing_is_refused(kind: Kind, keys: KeyRing, browser: Browser) -> None:
    with pytest.raises(ValueError, match="expires_in=0 is no number of seconds above 0"):
        given(kind(keys), browser, "a", "b", max_age=0)


def test_it_is_deleted_like_any_cookie(kind: Kind, keys: KeyRing) -> None:
    response = Response("")

    kind(keys).delete(response, "a", path="/shop")

    assert response.headers["set-cookie"].startswith("a=; Max-Age=0; ")
    assert "Path=/shop" in response.headers["set-cookie"]
