"""The listening sockets of a service of several processes."""

from __future__ import annotations

import contextlib
import socket
import sys
from pathlib import Path

import pytest

from kingpost.server.listen import Address, Doors, ListenError
from tests.waiting import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="splitting is Linux's")


def test_each_slot_has_sockets_of_its_own_on_the_same_port_for_as_long_as_it_is_open() -> None:
    doors = Doors(Address(port=0))
    try:
        numbers = [[each.socket.fileno() for each in doors.of(slot)] for slot in (0, 1, 2, 1)]
        assert doors.is_split
        assert len({doors.of(slot)[0].url for slot in range(3)}) == 1
        assert numbers[1] == numbers[3]
        assert len({number for one in numbers for number in one}) == 3
    finally:
        doors.close()
    assert doors.of(0)[0].socket.fileno() == -1


def test_the_system_deals_connections_out_among_slots() -> None:
    doors = Doors(Address(port=0))
    with contextlib.ExitStack() as stack:
        stack.callback(doors.close)
        sockets = [doors.of(slot)[0].socket for slot in range(2)]
        for sock in sockets:
            sock.settimeout(0)
        seen: set[int] = set()
        while len(seen) < 2:
            connection = socket.create_connection(sockets[0].getsockname(), timeout=PATIENCE)
            stack.enter_context(connection)
            for number, sock in enumerate(sockets):
                with contextlib.suppress(BlockingIOError):
                    stack.enter_context(sock.accept()[0])
                    seen.add(number)


@pytest.mark.parametrize("shared", [False, True])
def test_an_address_that_such_a_server_has_is_in_use(shared: bool) -> None:
    doors = Doors(Address(port=0))
    try:
        port = int(doors.of(0)[0].url.rpartition(":")[2])
        with pytest.raises(ListenError, match="is in use"):
            Doors(Address(port=port), shared=shared)
    finally:
        doors.close()


def test_slots_share_where_it_is_asked_for_and_where_it_cannot_be_otherwise(tmp_path: Path) -> None:
    for address, shared in (
        (Address(port=0), True),
        (Address(uds=str(tmp_path / "a.sock")), False),
    ):
        doors = Doors(address, shared=shared)
        assert not doors.is_split
        assert doors.of(0) is doors.of(7)
        doors.close()
    assert list(tmp_path.iterdir()) == []
