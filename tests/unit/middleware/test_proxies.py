"""Who asks, behind proxies; and that nobody else can say so."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost import App, Request
from kingpost.errors import BadRequest, ConfigurationError
from kingpost.middleware import TrustedProxies
from kingpost.middleware.proxies import address_of
from kingpost.testing import TestClient
from tests.unit.http.sample import sample

PROXIES = ["10.0.0.0/8", "2001:db8:ffff::/48", "192.0.2.1"]


def seen(
    said: list[tuple[str, str]], peer: str | None = "10.0.0.1", /, **options: Any
) -> tuple[str | None, str, str]:
    """What a request says of itself afterwards."""
    request = native(said, peer)
    TrustedProxies(options.pop("networks", PROXIES), **options).__before_guard__(request)
    return request.client, request.scheme, request.host


def native(fields: list[tuple[str, str]], peer: str | None) -> Request:
    """A request whose connection says `peer`, and where `Request`'s own properties are looked through."""
    said = sample(headers=fields)
    kind = type(
        "Visited",
        (Request,),
        {
            "__slots__": (),
            "headers": said.headers,
            "cache": {},
            "client": property(
                lambda self: self.cache["seen"].client if "seen" in self.cache else peer
            ),
            "scheme": property(
                lambda self: self.cache["seen"].scheme if "seen" in self.cache else "http"
            ),
            "host": property(
                lambda self: self.cache["seen"].host if "seen" in self.cache else "inner:8000"
            ),
        },
    )
    made: Request = kind()
    return made


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7", "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7, 10.1.2.3", "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7, 192.0.2.1, 10.1.2.3", "203.0.113.7"),
        ("not an address, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.9, 10.0.0.8", "10.0.0.9"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("2001:DB8::7", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("203.0.113.7, 2001:db8:ffff::1", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, ::ffff:10.0.0.4", "203.0.113.7"),
        ("unknown", None),
        ("6.6.6.6, unknown", None),
    ],
)
def test_the_client_is_the_first_from_the_right_that_is_no_proxy(
    value: str, client: str | None
) -> None:
    assert seen([("x-forwarded-for", value)])[0] == client


def test_lines_are_one_list() -> None:
    fields = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.7, 10.0.0.2")]

    assert seen(fields)[0] == "203.0.113.7"


@pytest.mark.parametrize("peer", ["203.0.113.99", "11.0.0.1", "2001:db8::1", None])
def test_nothing_is_read_of_what_others_say(peer: str | None) -> None:
    fields = [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "for=127.0.0.1;proto=https"),
    ]

    for options in ({}, {"fields": "forwarded"}, {"host": True}):
        assert seen(fields, peer, **options) == (peer, "http", "inner:8000")


def test_the_other_family_is_not_read() -> None:
    assert seen([("forwarded", "for=6.6.6.6;proto=https")])[:2] == ("10.0.0.1", "http")
    fields = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-proto", "https")]
    assert seen(fields, fields="forwarded")[:2] == ("10.0.0.1", "http")


def test_a_unix_socket_is_trusted_by_name() -> None:
    fields = [("x-forwarded-for", "203.0.113.7"), ("x-forwarded-proto", "https")]

    assert seen(fields, None, networks=["unix"]) == ("203.0.113.7", "https", "inner:8000")


@pytest.mark.parametrize(
    ("addresses", "schemes", "scheme"),
    [
        ("203.0.113.7", "https", "https"),
        ("203.0.113.7", "HTTPS", "https"),
        ("203.0.113.7", "wss", "https"),
        ("203.0.113.7", "http", "http"),
        ("203.0.113.7, 10.0.0.2", "https", "https"),
        ("203.0.113.7, 10.0.0.2", "https, http", "https"),
        ("6.6.6.6, 203.0.113.7", "https, http", "http"),
    ],
)
def test_the_scheme_is_the_one_that_the_client_used(
    addresses: str, schemes: str, scheme: str
) -> None:
    fields = [("x-forwarded-for", addresses), ("x-forwarded-proto", schemes)]

    assert seen(fields)[1] == scheme


def test_a_look_at_its_health_comes_from_nobody_known() -> None:
    assert seen([("x-forwarded-proto", "https")])[:2] == (None, "https")


@pytest.mark.parametrize(
    ("is_read", "host"), [(True, "shop.example.org:8443"), (False, "inner:8000")]
)
def test_the_host_is_read_where_that_was_said(is_read: bool, host: str) -> None:
    fields = [("x-forwarded-for", "203.0.113.7"), ("x-forwarded-host", "shop.example.org:8443")]

    assert seen(fields, host=is_read)[2] == host


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("for=203.0.113.7", ("203.0.113.7", "http", "inner:8000")),
        ("For=203.0.113.7;Proto=https;Host=a.example", ("203.0.113.7", "https", "a.example")),
        ('for="[2001:db8::7]:4711";by=10.0.0.3', ("2001:db8::7", "http", "inner:8000")),
        ('for=6.6.6.6;host="x, y";proto=http, for=203.0.113.7', ("203.0.113.7", "http", "inner:8000")),
        ("for=203.0.113.7;proto=https, for=10.0.0.2;proto=http", ("203.0.113.7", "https", "inner:8000")),
        ("for=_hidden;proto=https", (None, "https", "inner:8000")),
        ("for=unknown", (None, "http", "inner:8000")),
        ("proto=https", (None, "https", "inner:8000")),
        ('for="203.0.113.7:_port"', ("203.0.113.7", "http", "inner:8000")),
    ],
)  # fmt: skip
def test_the_forwarded_field(value: str, found: tuple[str | None, str, str]) -> None:
    assert seen([("forwarded", value)], fields="forwarded", host=True) == found


@pytest.mark.parametrize(
    "fields",
    [
        [("x-forwarded-for", "203.0.113.7, garbage")],
        [("x-forwarded-for", "203.0.113.7,, 10.0.0.2")],
        [("x-forwarded-for", "")],
        [("x-forwarded-for", "fe80::1%eth0")],
        [("x-forwarded-for", "203.0.113.7:http")],
        [("x-forwarded-for", "[2001:db8::7]443")],
        [("x-forwarded-for", "127.1")],
        [("x-forwarded-for", ", ".join(["10.0.0.2"] * 33))],
        [("x-forwarded-for", "203.0.113.7"), ("x-forwarded-proto", "https, http")],
        [("x-forwarded-for", "203.0.113.7"), ("x-forwarded-proto", "ftp")],
        [("x-forwarded-for", "a, b, 203.0.113.7"), ("x-forwarded-proto", "https, http")],
        [("x-forwarded-for", "203.0.113.7"), ("x-forwarded-host", "a.example/?")],
        [("x-forwarded-for", "203.0.113.7"), ("x-forwarded-host", "a@b")],
        [("x-forwarded-for", "203.0.113.7"), ("x-forwarded-host", "a" * 256)],
    ],
    ids=str,
)
def test_what_can_be_read_in_two_ways_is_refused(fields: list[tuple[str, str]]) -> None:
    with pytest.raises(BadRequest) as error:
        seen(fields, host=True)

    assert error.value.code == "proxies.malformed"


@pytest.mark.parametrize(
    "value",
    [
        "for",
        "for=",
        "for = 203.0.113.7",
        "for=203.0.113.7;for=6.6.6.6",
        "for=2001:db8::7",
        'for="203.0.113.7',
        "for=203.0.113.7;",
        "for=203.0.113.7, ",
        ", ".join(["for=10.0.0.2"] * 33),
    ],
)
def test_a_malformed_forwarded_field_is_refused(value: str) -> None:
    with pytest.raises(BadRequest):
        seen([("forwarded", value)], fields="forwarded")


def test_as_many_proxies_as_there_are_are_believed() -> None:
    fields = [("x-forwarded-for", "6.6.6.6, 203.0.113.7, 198.51.100.1")]
    everybody = ["0.0.0.0/0", "::/0"]

    assert seen(fields, networks=everybody, hops=1)[0] == "198.51.100.1"
    assert seen(fields, networks=everybody, hops=2)[0] == "203.0.113.7"


def test_what_is_remembered_of_addresses_is_bounded() -> None:
    proxies = TrustedProxies(["10.0.0.0/8"])
    for number in range(3_000):
        request = native([], f"10.0.{number // 256}.{number % 256}")
        proxies.__before_guard__(request)

    assert len(proxies._known) <= 1_000


@given(st.text(alphabet="0123456789abcdef.:[]%_ un", max_size=40))
def test_any_text_is_an_address_or_refused(node: str) -> None:
    try:
        found = address_of(node)
    except BadRequest:
        return
    assert found is None or address_of(found) == found


def app_behind(**options: Any) -> App:
    app = App(hosts=["shop.example.org"], middleware=[TrustedProxies(["127.0.0.1"], **options)])

    @app.route("/", methods=["GET", "POST"], name="home")
    def home(request: Request) -> dict[str, str | None]:
        url = request.url_for("home", absolute=True)
        return {"client": request.client, "scheme": request.scheme, "url": url}

    return app


def test_handlers_and_urls_see_the_visitor() -> None:
    client = TestClient(app_behind(host=True), host="inner:8000")
    headers = {
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "shop.example.org",
    }

    assert client.get("/", headers=headers).json() == {
        "client": "203.0.113.7",
        "scheme": "https",
        "url": "https://shop.example.org/",
    }
    assert client.get("/").json()["url"] == "http://inner:8000/"


def test_one_request_does_not_see_anothers_visitor() -> None:
    client = TestClient(app_behind())
    client.get("/", headers={"x-forwarded-for": "203.0.113.7"})

    assert client.get("/").json()["client"] == "127.0.0.1"


def test_checks_at_the_door_see_the_visitors_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINGPOST_ENV", "production")
    client = TestClient(app_behind(host=True), host="inner:8000")
    forwarded = {"x-forwarded-for": "203.0.113.7", "x-forwarded-host": "shop.example.org"}

    assert client.get("/").json()["code"] == "request.unknown-host"
    assert client.get("/", headers=forwarded).status == 200
    ours = {**forwarded, "origin": "https://shop.example.org"}
    assert client.post("/", headers=ours, cookies={"a": "b"}).status == 200
    theirs = {**forwarded, "origin": "https://evil.example"}
    assert client.post("/", headers=theirs, cookies={"a": "b"}).status == 403


def test_what_cannot_be_read_is_answered_with_400() -> None:
    response = TestClient(app_behind()).get("/", headers={"x-forwarded-for": "me"})

    assert (response.status, response.json()["code"]) == (400, "proxies.malformed")


@pytest.mark.parametrize(
    ("code", "networks", "options"),
    [
        ("proxies.bad-network", "10.0.0.0/8", {}),
        ("proxies.bad-network", [], {}),
        ("proxies.bad-network", ["proxy.internal"], {}),
        ("proxies.bad-network", ["10.0.0.1/8"], {}),
        ("proxies.everybody", ["0.0.0.0/0"], {}),
        ("proxies.everybody", ["10.0.0.0/8", "::/0"], {}),
        ("proxies.bad-hops", ["10.0.0.0/8"], {"hops": 0}),
        ("proxies.bad-fields", ["10.0.0.0/8"], {"fields": "x-real-ip"}),
    ],
)
def test_what_would_trust_the_wrong_ones_is_refused(
    code: str, networks: Any, options: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError) as error:
        TrustedProxies(networks, **options)

    assert error.value.code == code
