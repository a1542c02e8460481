"""T44: fragmented and odd greetings of TLS. No panic, no spin, nothing that grows; others are served meanwhile."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import ssl
import struct
from collections.abc import Iterator

import pytest

from kingpost import App
from tests.certificates import Authority
from tests.security.rig import (
    Rig,
    busy_share,
    read_all,
    read_answers,
    send,
    serving,
    talk,
    until_quiet,
)
from tests.waiting import until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the driver needs POSIX")

GET = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def rig(authority: Authority) -> Iterator[Rig]:
    app = App()

    @app.get("/")
    def home() -> str:
        return "here"

    with serving(app, tls=authority.serves()) as found:
        yield found


def hello(authority: Authority) -> bytes:
    """What a client says first: one record."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = authority.client().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def record(payload: bytes, kind: int = 22, version: int = 0x0301) -> bytes:
    return struct.pack("!BHH", kind, version, len(payload)) + payload


def is_served(rig: Rig, authority: Authority) -> bool:
    with authority.client().wrap_socket(rig.connect(), server_hostname="localhost") as connection:
        (answer,) = read_answers(talk(connection, GET, end=False))
    return answer.body == b"here"


def test_a_greeting_in_records_of_any_size_is_understood(rig: Rig, authority: Authority) -> None:
    for size in (1, 2, 3, 16, 100):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = authority.client().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with rig.connect() as connection:
            first = True
            while True:
                try:
                    client.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    said = outgoing.read()
                    if first:
                        message = said[5:]
                        pieces = [message[at : at + size] for at in range(0, len(message), size)]
                        said = b"".join(map(record, pieces))
                        first = False
                    connection.sendall(said)
                    incoming.write(connection.recv(65536))
            client.write(GET)
            connection.sendall(outgoing.read())
            data = b""
            while piece := connection.recv(65536):
                incoming.write(piece)
                with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
                    while part := client.read():
                        data += part
            assert data.endswith(b"here"), size


def test_a_greeting_byte_by_byte_is_understood(rig: Rig, authority: Authority) -> None:
    with rig.connect() as connection:
        for byte in hello(authority):
            connection.sendall(bytes([byte]))
        # ServerHello, in a handshake record.
        assert connection.recv(1) == b"\x16"


def odd_ones(whole: bytes) -> dict[str, bytes]:
    message = whole[5:]
    declared = bytearray(message)
    declared[1:4] = b"\xff\xff\xff"
    longer = bytearray(message)
    longer[1:4] = (len(message) - 4 + 50).to_bytes(3, "big")
    return {
        "nothing in it": record(b""),
        "many empty records": record(b"") * 10_000,
        "empty records before it": record(b"") * 40 + whole,
        "a record that is too long": struct.pack("!BHH", 22, 0x0301, 0xFFFF) + b"\0" * 70_000,
        "a message of sixteen mebibytes": record(bytes(declared)) + record(b"\0" * 16384) * 20,
        "a message that goes on as another": record(bytes(longer)) + record(b"\x01" * 200),
        "application data first": record(b"x" * 100, kind=23),
        "an alert first": record(b"\x01\x00", kind=21),
        "alerts without end": record(b"\x01\x5a", kind=21) * 20_000,
        "a change of cipher first": record(b"\x01", kind=20),
        "changes of cipher without end": whole + record(b"\x01", kind=20) * 20_000,
        "a heartbeat": record(b"\x01\x40\x00" + b"x" * 16, kind=24),
        "an unknown kind": record(b"x", kind=99),
        "version 2 of SSL": b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10" + b"\0" * 40,
        "version 3 of SSL": record(message[:4] + b"\x03\x00" + message[6:], version=0x0300),
        "twice": whole + whole,
        "with rubbish behind it": whole + b"\xff" * 5000,
        "a key exchange first": record(b"\x10\x00\x00\x02\x00\x00"),
        "zeros": b"\0" * 5000,
    }


ODD = sorted(odd_ones(b"\x16\x03\x01\x00\x08" + b"\x01\x00\x00\x04\x03\x03xx"))


@pytest.mark.parametrize("name", ODD)
def test_an_odd_greeting_ends_its_connection_alone(
    rig: Rig, authority: Authority, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with rig.connect() as connection:
        with contextlib.suppress(OSError):
            connection.sendall(odd_ones(hello(authority))[name])
            connection.shutdown(1)
        with contextlib.suppress(OSError):
            # Alerts and what else TLS says; what is no request is not answered.
            assert b"HTTP/1.1 200" not in read_all(connection)
    assert is_served(rig, authority)
    until(lambda: rig.server.connections == 0)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "our own code failed" not in caplog.text


def test_a_greeting_that_is_cut_anywhere_ends_its_connection_alone(
    rig: Rig, authority: Authority
) -> None:
    whole = hello(authority)
    for cut in range(0, len(whole), 7):
        with rig.connect() as connection:
            send(connection, whole[:cut])
            connection.shutdown(1)
            read_all(connection)
    assert is_served(rig, authority)
    until(lambda: rig.server.connections == 0)


def test_greetings_with_changed_bytes_are_no_panic(
    rig: Rig, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    whole = hello(authority)
    chance = random.Random(44)  # noqa: S311 - the same ones each time
    for _ in range(300):
        changed = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        with rig.connect() as connection, contextlib.suppress(OSError):
            connection.sendall(changed)
            connection.shutdown(1)
            read_all(connection)
    assert is_served(rig, authority)
    assert "our own code failed" not in caplog.text


def test_half_a_greeting_costs_no_processor_time(rig: Rig, authority: Authority) -> None:
    until_quiet()
    whole = hello(authority)
    connections = [rig.connect() for _ in range(50)]
    try:
        for connection in connections:
            connection.sendall(whole[: len(whole) // 2])
        until(lambda: rig.server.connections == 50)
        until(lambda: busy_share() < 0.2)
    finally:
        for connection in connections:
            connection.close()
    until(lambda: rig.server.connections == 0)
