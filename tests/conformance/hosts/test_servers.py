"""The App on other people's servers, over sockets: what a host has its part in, of each of them."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.hosts.servers import ASGI, WSGI, Server, running
from tests.waiting import PATIENCE, until

BOUNDARY = "x1"
FORM = (
    b'--x1\r\ncontent-disposition: form-data; name="title"\r\n\r\nA title\r\n'
    b'--x1\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    + b"x" * 300_000
    + b"\r\n--x1--\r\n"
)


@pytest.fixture(scope="module", params=[*ASGI, *WSGI])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    name: str = request.param
    with running(name, {**ASGI, **WSGI}[name], tmp_path_factory.mktemp(name)) as server:
        yield server
    # Every process of it has said good-bye.
    assert server.noted().count("start") == server.noted().count("stop") == 1


class Answer:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.fields = [(name.lower(), value) for name, value in answer.getheaders()]
        self.content = answer.read()

    def get_all(self, name: str) -> list[str]:
        return [value for known, value in self.fields if known == name]


def ask(
    server: Server,
    method: str,
    path: str,
    body: bytes | Iterator[bytes] | None = None,
    **fields: str,
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        names = {name.replace("_", "-"): value for name, value in fields.items()}
        connection.request(method, path, body, names)
        return Answer(connection.getresponse())
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", "Hello, world!"),
        ("/def", "Hello from a thread!"),
        ("/slow", "waited"),
        ("/chunks", "0\n1\n2\n"),
        ("/def-chunks", "0\n1\n2\n"),
    ],
)
def test_pages(server: Server, path: str, text: str) -> None:
    answer = ask(server, "GET", path)

    assert (answer.status, answer.content.decode()) == (200, text)
    assert answer.get_all("content-type") == ["text/plain; charset=utf-8"]
    # Said once, by the host.
    assert len(answer.get_all("date")) == 1
    assert len(answer.get_all("x-request-id")) == 1


def test_head_has_no_body(server: Server) -> None:
    answer = ask(server, "HEAD", "/")

    assert (answer.status, answer.content) == (200, b"")
    assert answer.get_all("content-length") == ["13"]


def test_json(server: Server) -> None:
    answer = ask(server, "POST", "/json", b"[1,2,3]", content_type="application/json")

    assert json.loads(answer.content) == {"sum": 6}


@pytest.mark.parametrize("path", ["/upload", "/def-upload"])
@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload(server: Server, path: str, chunked: bool) -> None:
    body = iter([FORM[:10], FORM[10:]]) if chunked else FORM
    told = f"multipart/form-data; boundary={BOUNDARY}"
    if chunked and server.name == "wsgiref":
        # It reads no chunks, and hands the request on as one without a body: the form is missing, and that is told to those who read
        # before they find the connection closed.
        with contextlib.suppress(ConnectionError):
            assert 400 <= ask(server, "POST", path, body, content_type=told).status < 500
        return
    answer = ask(server, "POST", path, body, content_type=told)

    assert (answer.status, json.loads(answer.content)) == (200, ["A title", "a.txt", 300_000])


def test_a_large_answer(server: Server) -> None:
    assert ask(server, "GET", "/large").content == b"x" * 3_000_000


def test_a_file_whole_and_in_part(server: Server) -> None:
    content = Path(__file__).with_name("program.py").read_bytes()
    whole = ask(server, "GET", "/file")

    assert whole.content == content
    assert whole.get_all("content-length") == [str(len(content))]
    part = ask(server, "GET", "/file", range="bytes=3-9")
    assert (part.status, part.content) == (206, content[3:10])
    etag = whole.get_all("etag")[0]
    assert ask(server, "GET", "/file", if_none_match=etag).status == 304


def test_what_is_not_there(server: Server) -> None:
    answer = ask(server, "GET", "/nowhere")

    assert answer.status == 404
    assert json.loads(answer.content)["code"] == "not-found"


def test_a_handler_that_fails(server: Server) -> None:
    assert ask(server, "GET", "/fail").status == 500
    assert ask(server, "GET", "/").status == 200


def test_a_redirect(server: Server) -> None:
    answer = ask(server, "GET", "/moved")

    assert (answer.status, answer.get_all("location")) == (303, ["/"])


def test_cookies_both_ways(server: Server) -> None:
    answer = ask(server, "GET", "/cookies", cookie="a=1; b=2")

    assert answer.content == b"a,b"
    assert [value.partition(";")[0] for value in answer.get_all("set-cookie")] == ["one=1", "two=2"]


def test_what_a_request_says(server: Server) -> None:
    answer = ask(server, "GET", "/seen?q=%C3%A9")

    assert json.loads(answer.content) == ["127.0.0.1", "http", "GET", "/seen", "é"]


def test_who_leaves_is_noticed(server: Server) -> None:
    before = server.noted().count("left")
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
        client.sendall(b"GET /forever HTTP/1.1\r\nhost: a\r\n\r\n")
        assert client.recv(100)

    until(lambda: server.noted().count("left") > before)


def test_two_lengths_are_no_request(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
        client.sendall(
            b"POST /json HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 40\r\n\r\n[1]"
            b"GET /def HTTP/1.1\r\nhost: a\r\n\r\n"
        )
        client.shutdown(socket.SHUT_WR)
        got = b"".join(iter(lambda: client.recv(65_536), b""))

    assert b"Hello from a thread" not in got
    assert b" 200 " not in got.partition(b"\r\n")[0]


def test_an_event_is_sent_when_it_happens(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
        client.sendall(b"GET /events HTTP/1.1\r\nhost: a\r\n\r\n")
        got = b""
        # The answer has no end.
        while b"data: 1\n" not in got:
            piece = client.recv(65_536)
            assert piece, got
            got += piece

    assert b"content-type: text/event-stream" in got.lower()


def test_early_hints_are_left_out_and_nothing_else(server: Server) -> None:
    # Over HTTP/1.1 none of these hosts has a word for them.
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
        client.sendall(b"GET /hints HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        got = b"".join(iter(lambda: client.recv(65_536), b""))

    assert got.split()[1] == b"200"
    assert got.endswith(b"hinted")
    assert b"a.css" not in got
