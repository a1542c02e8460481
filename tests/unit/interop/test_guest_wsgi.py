"""WSGI applications that are served as they are."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import io
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest

from kingpost import _native
from kingpost.http.counting import count_together
from kingpost.interop.guest import Guest, GuestService
from tests.security.rig import Rig, reset, serving
from tests.waiting import until

Environ = dict[str, Any]
Start = Callable[..., Callable[[bytes], object]]
Wsgi = Callable[[Environ, Start], Iterable[bytes]]
Fields = list[tuple[str, str]]


@contextlib.contextmanager
def hosting(app: Wsgi, **options: Any) -> Generator[Rig]:
    """A server of one application."""
    with serving(GuestService(Guest(app, "wsgi", **options), mode="production")) as rig:
        yield rig


def ask(
    rig: Rig, method: str = "GET", target: str = "/", body: Any = None, **fields: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, fields and body of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", rig.port, timeout=60)
    with contextlib.closing(connection):
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        connection.request(method, target, body=body, headers=named)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


def raw(rig: Rig, wire: bytes) -> bytes:
    """All that comes back for these bytes."""
    with rig.connect() as connection:
        connection.sendall(wire)
        data = b""
        while piece := connection.recv(65_536):
            data += piece
    return data


def test_a_worker_among_others_says_so() -> None:
    def app(environ: Environ, start: Start) -> list[bytes]:
        start("200 OK", [])
        return [str(environ["wsgi.multiprocess"]).encode()]

    get = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    answers: list[bytes] = []
    try:
        for counters in (_native.Counters(), None):
            # As a worker does when it was forked.
            count_together(counters)
            with hosting(app) as rig:
                answers.append(raw(rig, get).rpartition(b"\r\n\r\n")[2])
    finally:
        count_together(None)
    assert answers == [b"True", b"False"]


def test_the_environ_says_all_of_a_request() -> None:
    seen: list[Environ] = []

    def app(environ: Environ, start: Start) -> list[bytes]:
        seen.append(dict(environ))
        start("200 OK", [])
        return [environ["wsgi.input"].read()]

    with hosting(app, prefix="/shop") as rig:
        data = raw(
            rig,
            b"POST /shop/caf%C3%A9%2Fa?x=1 HTTP/1.1\r\nHost: example.org:81\r\nX-One: a\r\nX-One: b\r\n"
            b"Cookie: a=1\r\nCookie: b=2\r\nX_One: forged\r\nProxy: evil\r\nContent-Type: text/plain\r\n"
            b"Connection: close\r\nContent-Length: 3\r\n\r\nabc",
        )
        port = rig.port
    assert data.endswith(b"abc")
    (environ,) = seen
    for name in ("wsgi.input", "wsgi.errors", "wsgi.file_wrapper", "REMOTE_PORT"):
        environ.pop(name)
    assert environ == {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "SERVER_SOFTWARE": "kingpost",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(port),
        "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "/shop",
        "PATH_INFO": "/café/a".encode().decode("latin-1"),
        "QUERY_STRING": "x=1",
        "RAW_URI": "/shop/caf%C3%A9%2Fa?x=1",
        "REQUEST_URI": "/shop/caf%C3%A9%2Fa?x=1",
        "HTTP_HOST": "example.org:81",
        "HTTP_X_ONE": "a,b",
        "HTTP_COOKIE": "a=1; b=2",
        "HTTP_CONNECTION": "close",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "3",
    }


def test_nothing_is_added_to_an_answer_but_what_frames_it() -> None:
    def app(environ: Environ, start: Start) -> list[bytes]:
        start("200 OK", [("X-Own", "1"), ("Connection", "close"), ("Content-Length", "5")])
        return [b"he", b"llo"]

    with hosting(app) as rig:
        status, fields, body = ask(rig)
    assert (status, body) == (200, b"hello")
    assert sorted(fields) == ["X-Own", "content-length", "date"]


def test_the_validator_of_the_standard_library_has_nothing_to_say() -> None:
    def app(environ: Environ, start: Start) -> Iterator[bytes]:
        length = len(environ["wsgi.input"].read(1_000_000))
        start("200 OK", [("Content-Type", "text/plain")])
        yield b"read "
        yield str(length).encode()

    with hosting(validator(app)) as rig:  # type: ignore[arg-type]  # the standard library's own words for the same
        assert ask(rig)[2] == b"read 0"
        assert ask(rig, "POST", "/a?b=c", body=b"x" * 100_000)[2] == b"read 100000"
        assert ask(rig, "POST", body=iter([b"ab", b"c"]))[2] == b"read 3"


def test_the_input_is_a_file_that_ends_with_the_body() -> None:
    read: list[Any] = []

    def app(environ: Environ, start: Start) -> list[bytes]:
        body = environ["wsgi.input"]
        read.append(body.read(2))
        read.append(body.readline())
        read.append(body.readline(3))
        read.append(next(body))
        read.append(body.readlines())
        read.append(body.read())
        read.append(body.read(5))
        start("200 OK", [])
        return []

    with hosting(app) as rig:
        for text in (
            b"abcd\nefghi\njkl\nmn\nop",
            iter([b"abc", b"d\nefg", b"hi\nj", b"kl\nmn\nop"]),
        ):
            assert ask(rig, "POST", body=text)[0] == 200
            assert read == [b"ab", b"cd\n", b"efg", b"hi\n", [b"jkl\n", b"mn\n", b"op"], b"", b""]
            read.clear()


def test_a_body_that_is_too_large_is_413() -> None:
    def app(environ: Environ, start: Start) -> list[bytes]:
        environ["wsgi.input"].read()
        start("200 OK", [])
        return [b"read"]

    with hosting(app, max_body=10) as rig:
        assert ask(rig, "POST", body=b"x" * 10)[2] == b"read"
        assert ask(rig, "POST", body=b"x" * 11)[0] == 413
        assert ask(rig, "POST", body=iter([b"x" * 6, b"x" * 5]))[0] == 413


def test_a_large_body_is_read_as_it_is_asked_for() -> None:
    def app(environ: Environ, start: Start) -> list[bytes]:
        length = 0
        while piece := environ["wsgi.input"].read(65_536):
            length += len(piece)
        start("200 OK", [])
        return [str(length).encode()]

    with hosting(app) as rig:
        assert ask(rig, "POST", body=b"x" * 20_000_000)[2] == b"20000000"


def test_pieces_are_sent_as_they_come() -> None:
    go_on = threading.Event()

    def app(environ: Environ, start: Start) -> Iterator[bytes]:
        start("200 OK", [])
        yield b""
        yield b"first"
        go_on.wait(60)
        yield b"second"

    with hosting(app) as rig, rig.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        data = b""
        while b"first" not in data:
            data += connection.recv(1000)
        assert b"second" not in data
        go_on.set()
        while not data.endswith(b"0\r\n\r\n"):
            data += connection.recv(1000)


def test_what_is_written_comes_before_what_is_returned() -> None:
    def app(environ: Environ, start: Start) -> list[bytes]:
        write = start("200 OK", [])
        write(b"one ")
        write(b"two ")
        return [b"three"]

    with hosting(app) as rig:
        assert ask(rig)[2] == b"one two three"


class Closing:
    """An answer that says when it is closed."""

    def __init__(self, pieces: Iterable[bytes], closed: list[str]) -> None:
        self.pieces = iter(pieces)
        self.closed = closed

    def __iter__(self) -> Iterator[bytes]:
        return self.pieces

    def close(self) -> None:
        self.closed.append("closed")


def failing() -> Iterator[bytes]:
    yield b"x"
    raise LookupError("in the middle")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("kind", ["whole", "stream", "failing"])
def test_an_answer_is_closed_whatever_becomes_of_it(kind: str, method: str) -> None:
    closed: list[str] = []

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        start("200 OK", [("Content-Length", "2")] if kind == "whole" else [])
        pieces: dict[str, Iterable[bytes]] = {
            "whole": [b"ab"],
            "stream": [b"a", b"b"],
            "failing": failing(),
        }
        return Closing(pieces[kind], closed)

    with hosting(app) as rig:
        with contextlib.suppress(http.client.IncompleteRead):
            ask(rig, method)
        until(lambda: closed)
    assert closed == ["closed"]


def test_an_answer_is_closed_when_its_client_leaves() -> None:
    closed: list[str] = []

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65_536

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        start("200 OK", [])
        return Closing(endless(), closed)

    with hosting(app) as rig:
        connection = rig.connect()
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        connection.recv(1000)
        reset(connection)
        until(lambda: closed)
        rig.until_idle()


def test_a_read_ends_when_the_client_leaves() -> None:
    raised: list[BaseException] = []
    begun: list[bytes] = []

    def app(environ: Environ, start: Start) -> list[bytes]:
        try:
            begun.append(environ["wsgi.input"].read(3))
            environ["wsgi.input"].read()
        except OSError as error:
            raised.append(error)
            raise
        return []

    with hosting(app) as rig:
        connection = rig.connect()
        connection.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc")
        until(lambda: begun)
        reset(connection)
        until(lambda: raised)
        rig.until_idle()


def test_an_error_replaces_an_answer_that_has_not_begun() -> None:
    def app(environ: Environ, start: Start) -> list[bytes]:
        start("200 OK", [("X-First", "1")])
        try:
            raise LookupError("oh")
        except LookupError:
            start("500 Oh", [("X-Second", "1")], sys.exc_info())
        return [b"sorry"]

    with hosting(app) as rig:
        status, fields, body = ask(rig)
    assert (status, body) == (500, b"sorry")
    assert "X-First" not in fields
    assert fields["X-Second"] == "1"


def test_an_error_behind_the_first_byte_is_raised_again(caplog: pytest.LogCaptureFixture) -> None:
    def app(environ: Environ, start: Start) -> list[bytes]:
        start("200 OK", [])(b"begun")
        try:
            raise LookupError("too late")
        except LookupError:
            start("500 Oh", [], sys.exc_info())
        return [b"never"]

    with hosting(app) as rig:
        data = raw(rig, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    assert b"begun" in data
    assert not data.endswith(b"0\r\n\r\n")
    assert "too late" in caplog.text


def starts(*arguments: Any) -> Wsgi:
    def app(environ: Environ, start: Start) -> list[bytes]:
        start(*arguments)
        return [b"abc"]

    return app


def returns(value: Any, *, start_first: bool = True) -> Wsgi:
    def app(environ: Environ, start: Start) -> Any:
        if start_first:
            start("200 OK", [])
        return value

    return app


def twice(environ: Environ, start: Start) -> list[bytes]:
    start("200 OK", [])
    start("200 OK", [])
    return []


@pytest.mark.parametrize(
    ("app", "says"),
    [
        (returns([b"x"], start_first=False), "has not called start_response"),
        (returns(iter([b"x"]), start_first=False), "has not called start_response"),
        (returns(["text"]), "bytes, not str"),
        (returns("text"), "bytes, not str"),
        (returns(None), "not iterable"),
        (twice, "called already"),
        (starts("OK", []), "of the form"),
        (starts("100 Continue", []), "of the form"),
        (starts(200, []), "a str, not int"),
        (starts("200 OK", [("a b", "c")]), "token"),
        (starts("200 OK", [("a", "b\r\nc: d")]), "CR"),
        (starts("200 OK", [("a", b"b")]), "a str, not bytes"),
        (starts("200 OK", [("a", "\u2603")]), "ISO 8859-1"),
        (starts("200 OK", [("Content-Length", "2")]), "longer than its Content-Length of 2"),
        (starts("200 OK", [("Content-Length", "4")]), "Content-Length says 4"),
        (starts("200 OK", [("Content-Length", "four")]), "not a number"),
    ],
)
def test_what_breaks_the_interface_is_500_and_told(
    app: Wsgi, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    with hosting(app) as rig:
        status, _, body = ask(rig)
    assert (status, body) == (500, b"Internal Server Error")
    assert says in caplog.text


def test_an_exception_is_500_and_told(caplog: pytest.LogCaptureFixture) -> None:
    def app(environ: Environ, start: Start) -> list[bytes]:
        raise LookupError("nobody knows")

    with hosting(app) as rig:
        assert ask(rig)[0] == 500
    assert "nobody knows" in caplog.text


def test_a_file_is_sent_from_where_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "large.bin"
    content = bytes(range(256)) * 8_000
    file.write_bytes(content)
    closed: list[bool] = []

    class Told(io.FileIO):
        def close(self) -> None:
            closed.append(not self.closed)
            super().close()

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        target = environ["PATH_INFO"]
        fields: Fields = [("Content-Length", "1000")] if target == "/part" else []
        start("200 OK", fields)
        opened = io.BytesIO(content) if target == "/memory" else Told(file)
        opened.seek(1_000)
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](opened, 4096)
        return wrapped

    with hosting(app) as rig:
        status, fields, body = ask(rig)
        assert (status, fields["content-length"]) == (200, str(len(content) - 1_000))
        assert body == content[1_000:]
        assert ask(rig, target="/part")[2] == content[1_000:2_000]
        assert ask(rig, target="/memory")[2] == content[1_000:]
        assert ask(rig, "HEAD")[2] == b""
        until(lambda: closed.count(True) == 3)


def test_a_file_that_unpacks_what_it_reads_is_read(tmp_path: Path) -> None:
    content = b"kingpost " * 10_000
    packed = tmp_path / "some.txt.gz"
    packed.write_bytes(gzip.compress(content))

    class Shouting(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return (super().read(size) or b"").upper()

    opening: dict[str, Callable[[], Any]] = {
        "/gzip": lambda: gzip.GzipFile(packed),
        "/buffered": lambda: io.BufferedReader(gzip.GzipFile(packed)),  # type: ignore[type-var]  # it reads as a raw file does
        "/own": lambda: Shouting(packed),
        "/plain": lambda: packed.open("rb"),
        "/raw": lambda: packed.open("rb", buffering=0),
    }

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        start("200 OK", [])
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](opening[environ["PATH_INFO"]]())
        return wrapped

    with hosting(app) as rig:
        bodies = {path: ask(rig, target=path)[2] for path in opening}
    assert bodies == {
        "/gzip": content,
        "/buffered": content,
        "/own": packed.read_bytes().upper(),
        "/plain": packed.read_bytes(),
        "/raw": packed.read_bytes(),
    }


def test_names_of_fields_that_many_invent_drive_out_none_that_is_told() -> None:
    seen: list[Environ] = []

    def app(environ: Environ, start: Start) -> list[bytes]:
        seen.append(environ)
        start("200 OK", [])
        return []

    with hosting(app) as rig:
        for turn in range(20):
            many = {f"x-{turn}-{number}": str(number) for number in range(60)}
            ask(rig, **many, x_long_name=str(turn), **{"x-" + "l" * 60: "long"}, accept="a")
    for turn, environ in enumerate(seen):
        told = {
            name: value for name, value in environ.items() if name.startswith(f"HTTP_X_{turn}_")
        }
        assert told == {f"HTTP_X_{turn}_{number}": str(number) for number in range(60)}
        assert environ["HTTP_X_LONG_NAME"] == str(turn)
        assert environ["HTTP_X_" + "L" * 60] == "long"
        assert environ["HTTP_ACCEPT"] == "a"
        # What a client has invented is not interned: some Pythons would keep it for ever.
        (own,) = (name for name in environ if name == f"HTTP_X_{turn}_0")
        assert sys.intern("".join(["HTTP_X_", str(turn), "_0"])) is not own


def test_a_head_request_has_the_fields_and_no_body() -> None:
    def app(environ: Environ, start: Start) -> list[bytes]:
        start("200 OK", [("Content-Length", "5")])
        return [b"hello"] if environ["PATH_INFO"] == "/body" else []

    with hosting(app) as rig:
        for target in ("/body", "/none"):
            status, fields, body = ask(rig, "HEAD", target)
            assert (status, fields["content-length"], body) == (200, "5", b"")


def test_requests_run_side_by_side_on_threads_of_ours() -> None:
    both = threading.Barrier(2, timeout=60)
    names: set[str] = set()

    def app(environ: Environ, start: Start) -> list[bytes]:
        names.add(threading.current_thread().name)
        both.wait()
        start("200 OK", [])
        return [b"met"]

    with hosting(app) as rig:
        others: list[bytes] = []
        thread = threading.Thread(target=lambda: others.append(ask(rig)[2]))
        thread.start()
        assert ask(rig)[2] == b"met"
        thread.join(60)
    assert others == [b"met"]
    assert len(names) == 2


def test_of_an_answer_to_head_without_a_length_none_is_told() -> None:
    def app(environ: Environ, start: Start) -> list[bytes]:
        start("200 OK", [])
        return []

    with hosting(app) as rig:
        assert "content-length" not in ask(rig, "HEAD")[1]
        assert ask(rig)[1]["content-length"] == "0"
