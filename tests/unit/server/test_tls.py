"""HTTPS by the server itself, with Python's `ssl` as the client."""

from __future__ import annotations

import json
import logging
import os
import ssl
from pathlib import Path
from typing import Any

import pytest

from kingpost import App, Redirect, Request
from kingpost.errors import ConfigurationError
from kingpost.http.response import Response
from kingpost.middleware import Hsts, HttpsRedirect
from kingpost.server.options import Http
from kingpost.server.tls import Tls, tls_of
from tests.certificates import Authority, Signed
from tests.security.rig import SHELLS, Answered, Driver, Rig, read_answers, serving, talk
from tests.waiting import until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the driver needs POSIX")

GET = "GET {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def shows_itself() -> App:
    app = App()

    @app.get("/", name="home")
    def home(request: Request) -> dict[str, object]:
        certificate = request.client_certificate
        return {
            "scheme": request.scheme,
            "client": request.client,
            "url": request.url_for("home", absolute=True),
            "certificate": certificate and certificate.subject,
        }

    @app.get("/large")
    def large() -> str:
        return "x" * 2_000_000

    return app


def get(
    rig: Rig, client: ssl.SSLContext, target: str = "/", *, name: str = "localhost"
) -> Answered:
    """The answer to one request by TLS; OSError where the connection ends without one."""
    with client.wrap_socket(rig.connect(), server_hostname=name) as connection:
        (answer,) = read_answers(talk(connection, GET.format(target).encode(), end=False))
    return answer


@pytest.mark.parametrize("driver", SHELLS)
def test_requests_come_by_https(driver: Driver, authority: Authority) -> None:
    with serving(shows_itself(), driver=driver, tls=authority.serves()) as rig:
        shown = json.loads(get(rig, authority.client()).body)
        large = get(rig, authority.client(), "/large")

    assert shown == {
        "scheme": "https",
        "client": "127.0.0.1",
        "url": "https://localhost/",
        "certificate": None,
    }
    assert large.body == b"x" * 2_000_000


@pytest.mark.parametrize("driver", SHELLS)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_are_spoken(
    driver: Driver, version: ssl.TLSVersion, authority: Authority
) -> None:
    client = authority.client()
    client.minimum_version = client.maximum_version = version
    with serving(shows_itself(), driver=driver, tls=authority.serves()) as rig:
        assert get(rig, client).status == 200


@pytest.mark.parametrize("driver", SHELLS)
def test_older_versions_are_not(driver: Driver, authority: Authority) -> None:
    client = authority.client()
    client.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        client.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        client.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        serving(shows_itself(), driver=driver, tls=authority.serves()) as rig,
        pytest.raises(OSError, match=r"(?i)alert|eof|reset"),
    ):
        get(rig, client)


def test_what_middleware_asks_about_https_is_answered_by_the_connection(
    authority: Authority,
) -> None:
    app = App(middleware=[HttpsRedirect(hsts=Hsts(max_age=1000))])

    @app.get("/")
    def home() -> Response[str]:
        response = Response("in")
        response.set_cookie("seen", "yes")
        return response

    @app.get("/away")
    def away() -> Redirect:
        return Redirect("/")

    with serving(app, tls=authority.serves()) as rig:
        answer = get(rig, authority.client())
        away_answer = get(rig, authority.client(), "/away")
    with serving(app) as rig:
        (plain,) = rig.ask(b"GET / HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n\r\n")

    assert (answer.status, answer.body) == (200, b"in")
    assert answer.get("strict-transport-security") == "max-age=1000"
    assert "Secure" in (answer.get("set-cookie") or "")
    assert (away_answer.status, away_answer.get("location")) == (303, "/")
    assert (plain.status, plain.get("location")) == (308, "https://shop.example/")
    assert plain.get("strict-transport-security") is None


def test_clients_are_known_by_certificates(authority: Authority, tmp_path: Path) -> None:
    till = authority.sign("till-7.example", purpose="client")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    stranger = Authority(elsewhere).sign("till-7.example", purpose="client")
    server = authority.sign("localhost")
    strict = Tls([server.pair], client_ca=str(authority.file))
    mild = Tls([server.pair], client_ca=str(authority.file), client_optional=True)

    with serving(shows_itself(), tls=strict) as rig:
        shown = json.loads(get(rig, authority.client(till)).body)
        for nobody in (None, stranger):
            with pytest.raises(OSError, match=r"(?i)alert|eof|reset"):
                get(rig, authority.client(nobody))
    with serving(shows_itself(), tls=mild) as rig:
        shown_again = json.loads(get(rig, authority.client(till)).body)
        unknown = json.loads(get(rig, authority.client()).body)

    assert shown["certificate"] == shown_again["certificate"] == "CN=till-7.example"
    assert unknown["certificate"] is None


def test_each_name_has_its_certificate(authority: Authority) -> None:
    pairs = [authority.sign(name).pair for name in ("first.example", "second.example")]
    with serving(shows_itself(), tls=Tls(pairs)) as rig:
        assert get(rig, authority.client(), name="first.example").status == 200
        assert get(rig, authority.client(), name="second.example").status == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            get(rig, authority.client(), name="third.example")


@pytest.mark.parametrize(
    ("http", "offered", "agreed"),
    [
        ("auto", ["h2", "http/1.1"], "h2"),
        ("auto", ["http/1.1"], "http/1.1"),
        ("1", ["h2", "http/1.1"], "http/1.1"),
        ("2", ["h2", "http/1.1"], "h2"),
    ],
)
def test_the_version_of_http_is_agreed_on(
    http: Http, offered: list[str], agreed: str, authority: Authority
) -> None:
    client = authority.client()
    client.set_alpn_protocols(offered)
    tls = Tls([authority.sign("localhost").pair], http=http)
    with (
        serving(shows_itself(), tls=tls, http=http) as rig,
        client.wrap_socket(rig.connect(), server_hostname="localhost") as connection,
    ):
        assert connection.selected_alpn_protocol() == agreed
        if agreed == "h2":
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
            # SETTINGS of the server.
            assert connection.recv(9)[3] == 4


def serial(rig: Rig, authority: Authority) -> str:
    with authority.client().wrap_socket(rig.connect(), server_hostname="localhost") as connection:
        shown: dict[str, Any] = connection.getpeercert() or {}
        return str(shown["serialNumber"])


def test_a_certificate_is_renewed_while_the_server_runs(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "kingpost.server")
    signed = authority.sign("localhost")
    with serving(shows_itself(), tls=Tls([signed.pair])) as rig:
        before = serial(rig, authority)

        # Half of it: the key is still the former one.
        other = renewed(authority, tmp_path, signed)
        until(lambda: serial(rig, authority) and "former certificates" in caplog.text, pause=0.2)
        assert serial(rig, authority) == before
        assert "tls.mismatch" in caplog.text

        other.key.replace(signed.key)
        until(lambda: serial(rig, authority) != before, pause=0.2)

    assert "new certificates are in use from now on" in caplog.text


def renewed(authority: Authority, folder: Path, signed: Signed) -> Signed:
    """A new certificate in the place of the former, and where the key for it is."""
    key = signed.key.read_bytes()
    new = authority.sign("localhost")
    aside = folder / "new-key.pem"
    aside.write_bytes(new.key.read_bytes())
    signed.key.write_bytes(key)
    return Signed(new.certificate, aside)


def test_who_speaks_http_is_told(authority: Authority) -> None:
    with serving(shows_itself(), tls=authority.serves()) as rig:
        answer = rig.get("/")
    assert answer.status == 400
    assert b"https://" in answer.body


def test_options_of_the_command_line_go_together(authority: Authority) -> None:
    certificate, key = authority.sign("localhost").pair
    assert tls_of([], []) is None
    made = tls_of([certificate], [key], str(authority.file), client_optional=True)
    assert made is not None
    assert (made.certificates, made.client_optional) == ([(certificate, key)], True)

    with pytest.raises(ConfigurationError, match="given once and --tls-key 0 times") as caught:
        tls_of([certificate], [])
    assert caught.value.code == "tls.pairs"
    with pytest.raises(ConfigurationError, match="the server has none itself"):
        tls_of([], [], str(authority.file))
    with pytest.raises(ConfigurationError, match="nobody asks them"):
        tls_of([certificate], [key], client_optional=True)


def test_a_mistake_is_named_with_its_file_and_a_remedy(authority: Authority) -> None:
    certificate, _ = authority.sign("localhost").pair
    _, key = authority.sign("other.example").pair
    with pytest.raises(ConfigurationError) as caught:
        Tls([(certificate, key)])

    assert caught.value.code == "tls.mismatch"
    assert caught.value.message == (
        f"the key in {key} does not belong to the first certificate in {certificate}"
    )
    assert "name the key that this certificate was made for" in caught.value.remedy


def test_what_is_shown_of_it_is_what_was_said(authority: Authority) -> None:
    pair = authority.sign("localhost").pair
    shown = f"Tls(certificates=[{pair!r}], client_ca=None, client_optional=False, http='auto')"
    assert repr(Tls([pair])) == shown


def test_asyncio_refuses_what_it_has_not(authority: Authority) -> None:
    pair = authority.sign("localhost").pair
    for tls in (Tls([pair, pair]), Tls([pair], client_ca=str(authority.file))):
        with pytest.raises(ConfigurationError) as caught:
            tls.context()
        assert caught.value.code == "tls.native-only"
