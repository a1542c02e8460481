"""What a body of 10 MB costs in memory while it is read, decoded and checked: measured from outside, in a process of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest

TEXT = "A sentence of a text that somebody wrote. " * 10
CHILD = """
import dataclasses, resource, sys
from pathlib import Path
from typing import Annotated, TypedDict

import attrs, pydantic

from kingpost import App, Body, Struct
from kingpost.testing import LiveServer

FIELDS = {"id": int, "text": str, "tags": list[str], "price": float}
KINDS = {
    "Struct": lambda: type("Item", (Struct,), {"__annotations__": FIELDS}),
    "dataclass": lambda: dataclasses.make_dataclass("Item", FIELDS.items()),
    "TypedDict": lambda: TypedDict("Item", FIELDS),
    "attrs": lambda: attrs.make_class("Item", {n: attrs.field(type=t) for n, t in FIELDS.items()}),
    "pydantic": lambda: pydantic.create_model("Item", **{n: (t, ...) for n, t in FIELDS.items()}),
}
Item = KINDS[sys.argv[1]]()
app = App()


def items(body):
    return len(body)


items.__annotations__ = {"body": Annotated[list[Item], Body()], "return": int}
app.post("/", max_body="16 MiB")(items)


@app.get("/peak")
def peak() -> int:
    # On Linux ru_maxrss begins with what the process that started this one had.
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


with LiveServer(app) as live:
    print(live.port, flush=True)
    sys.stdin.readline()
"""


def document(size: int) -> bytes:
    item = {"id": 1, "text": TEXT, "tags": ["one", "another"], "price": 12.5}
    count = size // (len(json.dumps(item)) + 1)
    return json.dumps([item | {"id": number} for number in range(count)]).encode()


def asked(port: int, method: str, path: str, body: bytes = b"") -> int:
    """The number that a request is answered with."""
    head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
    if body:
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(f"{head}\r\n".encode() + body)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:1000]
    return int(answer.rpartition(b"\r\n\r\n")[2])


@pytest.mark.parametrize(
    ("kind", "most"),
    [("Struct", 3.0), ("attrs", 4.0), ("TypedDict", 3.5), ("dataclass", 4.0), ("pydantic", 5.0)],
)
def test_a_body_of_ten_megabytes_is_read_in_a_bounded_multiple_of_it(
    kind: str, most: float
) -> None:
    body = document(10_000_000)
    with subprocess.Popen(  # noqa: S603 - the program above
        [sys.executable, "-c", CHILD, kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        port = int(child.stdout.readline())
        assert asked(port, "POST", "/", document(10_000)) > 0
        before = asked(port, "GET", "/peak")
        assert asked(port, "POST", "/", body) > 10_000
        grown = asked(port, "GET", "/peak") - before
        child.stdin.close()
        assert child.wait(30) == 0

    # The body itself is one of it, so that nothing at all would be no measurement.
    assert 1.0 < grown / len(body) < most
