"""How two well-known parsers, h11 and llhttp (through httptools), read a buffer of requests."""

import h11
import httptools

Requests = list[tuple[bytes, bytes, bytes]]


class _MoreNeededError(Exception):
    """The data ends within a request."""


def read_with_h11(data: bytes) -> Requests | None:
    """The requests that h11 reads from `data` as a server; None where it refuses, or waits for more.

    Two things that h11 leaves out and llhttp has are put in, or an input with one of them and a method that llhttp does
    not know would be refused by both, each for a reason of its own: empty lines before a request (RFC 9112 2.2), and
    keep-alive of HTTP/1.0.
    """
    requests: Requests = []
    try:
        while data and (not requests or data.strip(b"\r\n")):
            data = data.removeprefix(b"\r\n").removeprefix(b"\r\n")
            connection = h11.Connection(h11.SERVER)
            connection.receive_data(data)
            head, body = _next_with_h11(connection)
            requests.append((bytes(head.method), bytes(head.target), body))
            if not _goes_on(head):
                break
            data = connection.trailing_data[0]
    except (h11.RemoteProtocolError, _MoreNeededError):
        return None
    return requests


def _next_with_h11(connection: h11.Connection) -> tuple[h11.Request, bytes]:
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return head, bytes(body)
        else:
            raise _MoreNeededError


def _goes_on(head: h11.Request) -> bool:
    options = {
        option.strip().lower()
        for name, value in head.headers
        if name == b"connection"
        for option in value.split(b",")
    }
    return b"close" not in options and (head.http_version == b"1.1" or b"keep-alive" in options)


class _Collector:
    """Takes what httptools tells about the messages it reads."""

    def __init__(self) -> None:
        self.requests: Requests = []
        self.parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._body = bytearray()

    def on_message_begin(self) -> None:
        self._url = b""
        self._body.clear()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self.requests.append((self.parser.get_method(), self._url, bytes(self._body)))


def read_with_llhttp(data: bytes, *, count: int) -> Requests | None:
    """The first `count` requests that llhttp reads from `data`; None where it refuses, or waits for more, before that.

    What it says of later bytes does not count: it also reads what follows a request that ends the connection.
    """
    requests: Requests = []
    rest = data
    while rest and len(requests) < count:
        collector = _Collector()
        behind = b""
        try:
            collector.parser.feed_data(rest)
        except httptools.HttpParserUpgrade as upgrade:
            # No server has switched here, so what follows is the next request.
            behind = rest[upgrade.args[0] :]
        except httptools.HttpParserError:
            pass
        requests += collector.requests
        rest = behind
    return requests[:count] if len(requests) >= count else None
