"""A load that does not wait for answers: so many requests a second, whatever becomes of them."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Self

from tests.waiting import PATIENCE


@dataclass
class Outcome:
    """What came of the requests: when each was asked for, in seconds since the load began, and after how many it was answered."""

    answered: dict[int, list[tuple[float, float]]] = field(
        default_factory=dict[int, list[tuple[float, float]]]
    )
    failed: int = 0
    """Connections that ended without an answer."""
    held_up: float = 0.0
    """Seconds by which this process itself was too late, at most."""

    def count(self, status: int, since: float = 0.0) -> int:
        return len([at for at, took in self.answered.get(status, []) if at + took >= since])

    def took(self, status: int, part: float, since: float = 0.0) -> float:
        """Seconds within which such a part of them was answered."""
        times = sorted(took for at, took in self.answered.get(status, []) if at >= since)
        return times[min(len(times) - 1, int(len(times) * part))] if times else 0.0


class OpenLoop:
    """Asks for one path from one thread, each request on a connection that nobody waits on; there are as many as it takes."""

    def __init__(self, port: int, path: str = "/") -> None:
        self._address = ("127.0.0.1", port)
        self._request = f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()
        self._idle: deque[socket.socket] = deque()
        self._asked: dict[socket.socket, float] = {}
        self._data: dict[socket.socket, bytes] = {}
        self._selector = selectors.DefaultSelector()

    def run(self, rate: float, seconds: float) -> Outcome:
        """So many requests a second for so long, and the end of those that are under way."""
        outcome, begun, sent = Outcome(), time.monotonic(), 0
        total = int(rate * seconds)
        while sent < total or self._asked:
            now = time.monotonic() - begun
            if sent < total:
                outcome.held_up = max(outcome.held_up, now - sent / rate)
            while sent < total and sent / rate <= now:
                self._ask(begun + now)
                sent += 1
            wait = max(0.0, sent / rate - now) if sent < total else 0.1
            self._take(wait, begun, outcome)
            assert now < seconds + PATIENCE, f"{len(self._asked)} were not answered"
        return outcome

    def run_closed(self, connections: int, seconds: float) -> float:
        """What is served at most: so many clients that ask again as soon as they have their answer. In requests a second."""
        outcome, begun = Outcome(), time.monotonic()
        while (now := time.monotonic() - begun) < seconds:
            while len(self._asked) < connections:
                self._ask(begun + now)
            self._take(0.1, begun, outcome)
        served = outcome.count(200)
        while self._asked:
            self._take(0.1, begun, outcome)
        assert set(outcome.answered) == {200}, {
            status: len(each) for status, each in outcome.answered.items()
        }
        return served / seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in [*self._idle, *self._asked]:
            connection.close()
        self._selector.close()

    def _ask(self, now: float) -> None:
        if self._idle:
            connection = self._idle.pop()
        else:
            connection = socket.create_connection(self._address, timeout=PATIENCE)
            connection.setblocking(False)
            self._selector.register(connection, selectors.EVENT_READ)
        self._asked[connection] = now
        self._data[connection] = b""
        # Where it has ended, that is read as well.
        with contextlib.suppress(OSError):
            connection.send(self._request)

    def _take(self, wait: float, begun: float, outcome: Outcome) -> None:
        for key, _ in self._selector.select(wait):
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            try:
                piece = connection.recv(65_536)
            except BlockingIOError:
                continue
            except OSError:
                piece = b""
            if not piece:
                self._selector.unregister(connection)
                connection.close()
                if self._asked.pop(connection, None) is not None:
                    outcome.failed += 1
                else:
                    self._idle.remove(connection)
                continue
            data = self._data[connection] = self._data[connection] + piece
            head, end, body = data.partition(b"\r\n\r\n")
            length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
            if end and len(body) >= int(length):
                asked = self._asked.pop(connection)
                entry = (asked - begun, time.monotonic() - asked)
                outcome.answered.setdefault(int(head[9:12]), []).append(entry)
                self._idle.append(connection)
