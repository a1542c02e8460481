import pytest

from kingpost.server.reply import ReplyReader
from kingpost.testing import BadReply

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;x=1\r\nhello\r\n1\r\n!\r\n0\r\nx-trailer: 1\r\n\r\n"
)
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE


def read(data: bytes, size: int, method: str = "GET") -> tuple[ReplyReader, bytes]:
    reader = ReplyReader(method)
    body = b"".join(reader.feed(data[i : i + size]) for i in range(0, len(data), size))
    return reader, body


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("data", "body"), [(WHOLE, b"hello"), (CHUNKED, b"hello!"), (INTERIM, b"hello")]
)
def test_a_reply_in_pieces_of_any_size_is_the_same(data: bytes, body: bytes, size: int) -> None:
    reader, got = read(data, size)

    assert got == body
    assert reader.done
    assert reader.head is not None
    assert reader.head.status == 200


def test_interim_answers_are_kept_apart() -> None:
    reader, _ = read(INTERIM, 1000)

    assert [head.status for head in reader.interim] == [100]


@pytest.mark.parametrize(
    ("method", "data"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
        ("GET", b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_what_has_no_body_ends_with_its_head(method: str, data: bytes) -> None:
    assert read(data, 1000, method)[0].done


def test_a_reply_without_a_length_ends_with_the_connection() -> None:
    reader, body = read(b"HTTP/1.0 200 OK\r\n\r\nall of it", 4)
    assert not reader.done

    reader.end()

    assert body == b"all of it"
    assert reader.done


def test_what_follows_a_reply_is_kept() -> None:
    reader, _ = read(WHOLE + b"HTTP/1.1 404", 1000)

    assert reader.rest == b"HTTP/1.1 404"


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200 OK\r\n", WHOLE[:-1], CHUNKED[:-2]])
def test_a_connection_that_ends_too_early_is_told(data: bytes) -> None:
    reader, _ = read(data, 1000)

    with pytest.raises(BadReply, match="closed"):
        reader.end()


@pytest.mark.parametrize(
    "data",
    [
        b"SMTP ready\r\n\r\n",
        b"HTTP/1.1 2OO OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nname : x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    ],
)
def test_what_is_not_http_is_refused(data: bytes) -> None:
    with pytest.raises(BadReply):
        read(data, 1000)
