"""What another server says, written as a head that the engine reads."""

import pytest

from kingpost._native import parse_requests
from kingpost.server.hosted.head import BodyFrame, Head, target_of

# The code of a refusal.
REFUSED = r"^[a-z]+\.[a-z-]+$"


def head(*fields: tuple[bytes, bytes], method: str = "GET", target: bytes = b"/") -> Head:
    return Head(method, target, [(b"host", b"example.org"), *fields], server="localhost:80")


def test_a_head_is_read_as_what_it_says() -> None:
    said = head((b"X-One", b"1"), target=b"/a?b=c")

    assert said.data == b"GET /a?b=c HTTP/1.1\r\nhost: example.org\r\nx-one: 1\r\n\r\n"
    assert parse_requests(said.data) == [(b"GET", b"/a?b=c", b"")]


def test_a_request_without_host_is_for_the_server_itself() -> None:
    said = Head("GET", b"/", [], server="localhost:80")

    assert said.data == b"GET / HTTP/1.1\r\nhost: localhost:80\r\n\r\n"


@pytest.mark.parametrize(
    "said",
    [
        head((b"x", b"1\r\ntransfer-encoding: chunked")),
        head((b"x", b"1\n\nGET /admin HTTP/1.1")),
        head((b"x\r\ny", b"1")),
        head((b"x: y", b"1")),
        head((b"", b"1")),
        head(target=b"/ HTTP/1.1\r\nhost: b\r\n\r\nGET /admin"),
        head(target=b"/a b"),
        head(target=b"http://other/"),
        head(target=b""),
        head(method="GET / HTTP/1.1\r\n"),
        head(method=""),
    ],
)
def test_what_would_be_two_requests_is_none(said: Head) -> None:
    with pytest.raises(ValueError, match=REFUSED):
        parse_requests(said.data)


@pytest.mark.parametrize(
    "fields",
    [
        [(b"content-length", b"1"), (b"content-length", b"2")],
        [(b"content-length", b"1, 1")],
        [(b"content-length", b"-1")],
        [(b"content-length", b"3"), (b"transfer-encoding", b"chunked")],
        [(b"transfer-encoding", b"gzip")],
        [(b"host", b"second")],
    ],
)
def test_what_a_host_lets_through_the_engine_does_not(fields: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(ValueError, match=REFUSED):
        parse_requests(head(*fields).data + b"abc")


def test_what_concerns_the_connection_stays_with_the_host() -> None:
    said = head(
        (b"connection", b"upgrade"),
        (b"keep-alive", b"5"),
        (b"te", b"trailers"),
        (b"upgrade", b"WebSocket"),
        (b"expect", b"100-continue"),
    )

    assert said.data == head().data
    assert said.expects
    assert said.upgrade == b"websocket"


@pytest.mark.parametrize(
    ("path", "raw", "root", "expected"),
    [
        ("/a b", None, "", b"/a%20b"),
        ("/a/b", b"/a%2Fb", "", b"/a%2Fb"),
        ("/a/b", b"/other", "", b"/a/b"),
        ("/shop/a", b"/shop/a", "/shop", b"/a"),
        ("/shop", b"/shop", "/shop", b"/"),
        ("/shopping", b"/shopping", "/shop", b"/shopping"),
        ("/a", b"/a", "/shop", b"/a"),
        ("/é/a", b"/%C3%A9/a", "/é", b"/a"),
        ("", None, "", b"/"),
        ("*", b"*", "", b"*"),
    ],
)
def test_the_target_is_what_stands_below_the_mount(
    path: str, raw: bytes | None, root: str, expected: bytes
) -> None:
    assert target_of(path.encode(), raw, b"", root) == expected
    if expected != b"*":
        assert target_of(path.encode(), raw, b"q=1", root) == expected + b"?q=1"


def test_a_body_of_known_length_is_as_long_as_promised() -> None:
    frame = BodyFrame(5)

    assert frame.write(b"abc", is_last=False) == b"abc"
    assert not frame.is_over
    assert frame.write(b"de", is_last=True) == b"de"
    assert frame.is_over


@pytest.mark.parametrize(("data", "is_last"), [(b"abcdef", False), (b"abcd", True)])
def test_a_body_of_another_length_is_noticed(data: bytes, is_last: bool) -> None:
    assert BodyFrame(5).write(data, is_last=is_last) is None


def test_chunks_are_counted_here() -> None:
    frame = BodyFrame(None)

    data = (
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
        + (frame.write(b"0\r\n\r\nGET /admin HTTP/1.1\r\n\r\n", is_last=False) or b"")
        + (frame.write(b"", is_last=False) or b"")
        + (frame.write(b"z", is_last=True) or b"")
    )

    assert parse_requests(data) == [(b"POST", b"/", b"0\r\n\r\nGET /admin HTTP/1.1\r\n\r\nz")]
