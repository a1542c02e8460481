"""Who may say by the PROXY protocol whom it speaks for, and what handlers see of it."""

from __future__ import annotations

import logging
import os

import pytest

from kingpost import App, Request
from kingpost.errors import ConfigurationError
from kingpost.server.proxy_protocol import proxies_of, refuse_without_driver
from tests.security.rig import serving
from tests.waiting import until

GET = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
HEADER = b"PROXY TCP4 203.0.113.7 192.0.2.1 40000 443\r\n"


def shows_client() -> App:
    app = App()

    @app.get("/")
    def home(request: Request) -> str:
        return f"{request.client} by {request.scheme}"

    return app


@pytest.mark.skipif(os.name != "posix", reason="the driver needs POSIX")
def test_the_client_is_whom_the_proxy_speaks_for() -> None:
    with serving(shows_client(), proxy_protocol=["127.0.0.0/8"]) as rig:
        (answer,) = rig.ask(HEADER, GET, end=False)
        (itself,) = rig.ask(b"PROXY UNKNOWN\r\n", GET, end=False)
    assert answer.body == b"203.0.113.7 by http"
    assert itself.body == b"127.0.0.1 by http"


@pytest.mark.skipif(os.name != "posix", reason="the driver needs POSIX")
@pytest.mark.parametrize(
    ("trusted", "sent", "words"),
    [
        ("127.0.0.1", GET, "did not begin with a header of the PROXY protocol"),
        ("127.0.0.1", b"PROXY TCP4 nobody 192.0.2.1 1 2\r\n" + GET, "breaks the rules"),
        ("127.0.0.1", b"PROXY UNKNOWN " + b"x" * 200 + b"\r\n", "longer than this server reads"),
        ("10.0.0.0/8", HEADER + GET, "came from nobody who may speak"),
        ("unix", HEADER + GET, "came from nobody who may speak"),
    ],
)
def test_others_are_closed_unanswered_and_told(
    trusted: str, sent: bytes, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(shows_client(), proxy_protocol=[trusted]) as rig:
        assert rig.talk(sent, end=False) == b""
        until(lambda: words in caplog.text)
    (record,) = [record for record in caplog.records if words in record.getMessage()]
    assert record.levelno == logging.WARNING
    assert "127.0.0.1" in record.getMessage()


def test_networks_addresses_and_unix_are_read() -> None:
    assert proxies_of([]) == ([], False)
    assert proxies_of(["10.0.0.0/8", "2001:db8::7", "unix"]) == (
        [("10.0.0.0", 8), ("2001:db8::7", 128)],
        True,
    )


@pytest.mark.parametrize("text", ["proxy.example.org", "10.0.0.1/8", "", "10.0.0.0/33"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="names no proxy") as caught:
        proxies_of([text])
    assert caught.value.code == "proxies.protocol"


def test_where_asyncio_has_the_sockets_it_is_refused() -> None:
    refuse_without_driver([])
    with pytest.raises(ConfigurationError, match="needs the native driver"):
        refuse_without_driver(["unix"])
