import socket
import urllib.error
import urllib.request
from typing import Any

import pytest

from kingpost import App
from kingpost.testing import LiveServer


def open_url(url: str) -> Any:
    return urllib.request.urlopen(url, timeout=15)  # noqa: S310 - on this machine


def make_app() -> App:
    app = App()

    @app.get("/")
    def home() -> str:
        return "live"

    @app.get("/broken")
    async def broken() -> str:
        raise LookupError("broken")

    return app


def test_a_live_server_answers_over_a_real_socket() -> None:
    with LiveServer(make_app()) as server:
        with open_url(server.url + "/") as answer:
            assert answer.read() == b"live"

        assert server.url == f"http://127.0.0.1:{server.port}"


def test_a_live_server_that_has_stopped_is_gone() -> None:
    with LiveServer(make_app()) as server:
        pass
    server.stop()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))


def test_an_exception_in_a_handler_is_an_answer_here() -> None:
    with LiveServer(make_app()) as server:
        with pytest.raises(urllib.error.HTTPError) as caught:
            open_url(server.url + "/broken")

        assert caught.value.code == 500
        caught.value.close()


def test_two_live_servers_run_side_by_side() -> None:
    app = make_app()

    with LiveServer(app) as one, LiveServer(app) as two:
        assert one.port != two.port
        for server in (one, two):
            with open_url(server.url + "/") as answer:
                assert answer.read() == b"live"


def test_a_start_up_mistake_is_raised_where_the_server_starts() -> None:
    app = App()

    @app.get("/{id}")
    def show(other: object) -> str:
        return ""

    with pytest.raises(Exception, match="other"), LiveServer(app):
        pass
