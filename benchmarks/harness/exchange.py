"""One request and the answer that every server must give to it."""

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request of a row, and what proves that a server really answered it.

    `alternate` is the path of another exchange with another body: a pipelined batch is checked with
    the two in turns, since answers that are all alike cannot show their order.
    """

    path: str
    answer: bytes
    media_type: str
    method: str = "GET"
    body: bytes = b""
    close: bool = False
    alternate: "Exchange | None" = None

    def at(self, path: str) -> "Exchange":
        """The same exchange on another path."""
        return replace(self, path=path)

    def render(self, host: str) -> bytes:
        """The request as wrk sends it (RFC 9112 section 3)."""
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: {host}\r\n"
        if self.close:
            head += "Connection: close\r\n"
        if self.body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n"
        return head.encode() + b"\r\n" + self.body


JSON = Exchange("/json", b'{"message":"Hello, world!"}', "application/json")
PLAINTEXT = Exchange("/", b"Hello, world!", "text/plain; charset=utf-8", alternate=JSON)
CLOSING = replace(PLAINTEXT, close=True, alternate=None)
TYPED = Exchange(
    "/items/42?limit=20&q=rivers&active=true",
    b'{"id":42,"limit":20,"q":"rivers","active":true}',
    "application/json",
)
ITEM = (
    b'{"name":"Ada King, Countess of Lovelace","email":"ada@engine.example",'
    b'"age":36,"tags":["maths"],"active":true}'
)
AROUND = TYPED.at("/around" + TYPED.path)
VALIDATED = Exchange("/items", ITEM, "application/json", method="POST", body=ITEM)
STATIC = Exchange(
    "/static/50k.bin",
    # Nothing that repeats: no server may gain by compressing it.
    b"".join(sha256(number.to_bytes(4, "big")).digest() for number in range(1600)),
    "application/octet-stream",
)


def write_static(folder: Path) -> None:
    """Put the file of STATIC where the servers that serve it look for it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "50k.bin").write_bytes(STATIC.answer)
