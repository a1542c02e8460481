"""Requests that are almost those of the table: what a seed gives is always the same."""

import random
from collections.abc import Iterator

from tests.conformance.http1.cases import cases

# Rows longer than this are about limits; changing a byte of a mebibyte finds nothing new.
_LONGEST = 1_500

_PIECES = (
    *(bytes([byte]) for byte in b'\r\n\t \0:;,"=#*015-+_\x0b\x0c\x7f\x80\xa0\xff'),
    b"\r\n",
    b"\r\n\r\n",
    b"chunked",
    b"Host: a\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"Expect: 100-continue\r\n",
    b"A: b\r\n",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b" HTTP/1.1",
    b" HTTP/1.0",
    b"http://a",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
)


def mutants(seed: int) -> Iterator[bytes]:
    """Rows of the table with one to five changes, without end."""
    chance = random.Random(seed)  # noqa: S311 - a test wants the same numbers again
    rows = [case.input for case in cases() if 0 < len(case.input) <= _LONGEST]
    while True:
        data = bytearray(chance.choice(rows))
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5))):
            _change(data, rows, chance)
        yield bytes(data)


def _change(data: bytearray, rows: list[bytes], chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    match chance.randrange(8):
        case 0:
            data[at : at + 1] = bytes([chance.randrange(256)])
        case 1:
            data[at:at] = chance.choice(_PIECES)
        case 2:
            del data[at : at + chance.choice((1, 1, 2, 4, 16))]
        case 3:
            data[at : at + 1] = data[at : at + 1].swapcase()
        case 4:
            start = chance.randrange(len(data) + 1)
            data[at:at] = data[start : start + chance.randrange(1, 40)]
        case 5:
            other = chance.choice(rows)
            data[at:] = other[chance.randrange(len(other)) :]
        case 6:
            lines = bytes(data).split(b"\r\n")
            one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
            lines[one], lines[two] = lines[two], lines[one]
            data[:] = b"\r\n".join(lines)
        case _:
            piece = chance.choice(_PIECES)
            data[at : at + len(piece)] = piece
