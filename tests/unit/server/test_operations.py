"""The port for those who run a service: health and metrics are there, and nowhere else."""

from __future__ import annotations

import logging
import socket
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from kingpost import App
from kingpost.checks import Health, Metrics
from kingpost.errors import ConfigurationError
from kingpost.server import operations
from kingpost.server.engine import Engine
from kingpost.server.listen import Address, ListenError
from kingpost.server.operations import VARIABLE, address, open_operations
from kingpost.testing import LiveServer, TestClient
from tests.ports import free_port
from tests.waiting import PATIENCE


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A port that is free, and the environment that names it."""
    number = free_port()
    monkeypatch.setenv(VARIABLE, f"127.0.0.1:{number}")
    return number


def ask(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - our own server
            return int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def shop() -> App:
    app = App(plugins=[Health(), Metrics()])

    @app.get("/")
    async def home() -> str:
        return "Tea"

    @app.extensions.health
    def till() -> None: ...

    @app.extensions.metric("shop_waiting")
    def waiting() -> int:
        return 3

    return app


def test_health_and_metrics_are_on_their_own_port_alone(port: int) -> None:
    with LiveServer(shop()) as server:
        assert ask(f"{server.url}/") == (200, "Tea")
        for path in ("/livez", "/readyz", "/metrics"):
            assert ask(f"{server.url}{path}")[0] == 404

        there = f"http://127.0.0.1:{port}"
        assert ask(f"{there}/")[0] == 404
        assert ask(f"{there}/livez") == (200, '{"status":"ok"}')
        assert ask(f"{there}/readyz") == (200, '{"status":"ok","checks":{"till":"ok"}}')
        told = ask(f"{there}/metrics")[1]

    assert 'http_response_status_code="200",http_route="/"} 1\n' in told
    assert "\nshop_waiting 3\n" in told
    # What is asked there is no request of the service.
    assert 'http_route="/livez"' not in told


def test_who_asks_there_last_is_answered(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, ending = threading.Event(), threading.Event()

    class Told(Engine):
        async def drain(self, grace: float, quiet: float = 0.0) -> int:
            ending.set()
            return await super().drain(grace, quiet)

        def close(self) -> None:
            ending.set()
            super().close()

    monkeypatch.setattr(operations, "Engine", Told)
    monkeypatch.setattr(operations, "LAST", PATIENCE)
    app = App(plugins=[Health()])

    @app.extensions.health
    def slow() -> None:
        asked.set()
        assert ending.wait(PATIENCE)

    with ThreadPoolExecutor() as pool:
        with LiveServer(app):
            answer = pool.submit(ask, f"http://127.0.0.1:{port}/readyz")
            assert asked.wait(PATIENCE)

        assert answer.result()[0] in (200, 503)


def test_without_such_a_port_they_are_where_they_were() -> None:
    with LiveServer(shop()) as server:
        assert ask(f"{server.url}/livez")[0] == 200
        assert ask(f"{server.url}/metrics")[0] == 200


def test_two_services_do_not_share_the_port(port: int) -> None:
    with LiveServer(shop()), pytest.raises(ListenError, match=f"port {port} .* is in use"):
        LiveServer(shop()).start()


def test_an_app_with_nothing_to_serve_there_does_not_start(port: int) -> None:
    app = App()
    app.add_route("/", lambda: "", name="home")

    with pytest.raises(
        ListenError, match=rf":{port}: the application has neither Health\(\) nor Metrics\(\)"
    ):
        LiveServer(app).start()


def test_a_port_that_cannot_be_had_is_named(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(ListenError, match=f"choose another port: --ops-port {port + 1}"):
            open_operations(Address())
    monkeypatch.setenv(VARIABLE, "no such host:9000")
    with pytest.raises(ListenError, match="operations cannot be served: host 'no such host'"):
        open_operations(Address())


def test_the_port_of_the_public_is_refused(port: int) -> None:
    with pytest.raises(ListenError, match=f"port {port} is the one that the public is served on"):
        open_operations(Address(port=port))
    # A Unix socket has no port, whatever stands there.
    for listener in open_operations(Address(port=port, uds="public.sock")):
        listener.close()


@pytest.mark.usefixtures("port")
def test_who_serves_the_app_but_kingpost_shows_none_of_it_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        with TestClient(shop()) as client:
            assert client.get("/").status == 200
            assert client.get("/livez").status == 404

    assert "health and metrics are not served: KINGPOST_OPS names port" in caplog.text


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("127.0.0.1:9000", ("127.0.0.1", 9000)),
        ("[::]:9000", ("::", 9000)),
        ("", None),
    ],
)
def test_an_address_is_read(
    said: str, meant: tuple[str, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, said)

    assert address() == meant


@pytest.mark.parametrize("said", ["9000", ":9000", "localhost:", "localhost:65536"])
def test_what_is_no_address_is_refused(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, said)

    with pytest.raises(ConfigurationError, match="is no host and port"):
        address()
