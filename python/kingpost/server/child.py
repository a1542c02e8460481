"""The worker's end of the line to its supervisor, that of `kingpost dev` or that of `kingpost run --workers`.

Rule 1: messages are JSON objects, one a line, with the one key "say" that names what is meant.
Rule 2: a line that ends means that the other process is gone; a worker then stops, so that no orphan keeps a port.
Rule 3: what crosses the line is said here, in `reload.py` and in `supervisor.py`, nowhere else.
Rule 4: whatever arrives, nothing is raised and nothing grows without bound: what is no message of ours says nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

ENVIRONMENT = "KINGPOST_RELOAD"

# From the worker to the supervisor.
READY = "ready"
BROKEN = "broken"
DEBUGGING = "debugging"
WRITING = "writing"
LEFT = "left"
WORN = "worn"
# From the supervisor to the worker.
STOP = "stop"
RETIRE = "retire"
STOP_NOW = "now"
NOTICE = "notice"
SHOW = "show"

# From the supervisor to a template process, and from that to the supervisor.
FORK = "fork"
HAND = "hand"
FORKED = "forked"
ENDED = "ended"

Order = Literal["stop", "retire", "now", "notice", "show", "gone"]


# Bytes of one message at most; whoever sends more than that without a line break is not one of ours.
_LONGEST = 1 << 20
# Characters of a failure that are told: the beginning of its summary, and the end of its report, where Python says what it is.
_SUMMARY = 4096
_REPORT = 65536


@dataclass(frozen=True, slots=True)
class Failure:
    """Why code does not run: one line for a person, and everything Python said."""

    summary: str
    report: str


class Line:
    """One end of the line. Sending works from any thread.

    Args:
        sock: A connected stream socket.
        longest: Bytes that the other end may send without a line break.
    """

    def __init__(self, sock: socket.socket, longest: int = _LONGEST) -> None:
        self.socket = sock
        self._longest = longest
        self._rest = b""
        self._lock = threading.Lock()

    def send(self, say: str, **more: str) -> bool:
        """Sends one message; False when nobody is there any more."""
        data = json.dumps({"say": say, **more}).encode() + b"\n"
        try:
            with self._lock:
                self.socket.sendall(data)
        except OSError:
            return False
        return True

    def broken(self, failure: Failure) -> bool:
        """Says that code does not run, and why; False when nobody is there any more."""
        return self.send(
            BROKEN, summary=failure.summary[:_SUMMARY], report=failure.report[-_REPORT:]
        )

    def receive(self) -> list[dict[str, str]] | None:
        """What has arrived, after waiting for at least some bytes unless the socket does not wait; None at the end of the line."""
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > self._longest:
            return None
        return [_message(line) for line in lines]

    def finish(self) -> None:
        """Says that nothing more will be said here; what the other end says can still be heard."""
        # OSError: it is gone already.
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.socket.close()


def _message(line: bytes) -> dict[str, str]:
    """What a line says; nothing where it is no message."""
    try:
        found: Any = json.loads(line)
        return {str(key): str(value) for key, value in found.items()}
    # AttributeError: it is JSON, but no object. RecursionError: it is too deep.
    except (ValueError, AttributeError, RecursionError):
        return {}


class ReloadedChild:
    """What a worker knows of its supervisor.

    Args:
        line: Its end of the line.
        listening: Descriptors of the inherited listening sockets.
        at_end: The order that the end of the line stands for.
    """

    def __init__(self, line: Line, listening: Sequence[int], *, at_end: Order = "stop") -> None:
        self._at_end: Order = at_end
        self.listening = tuple(listening)
        """Descriptors of the inherited listening sockets."""
        self._line = line
        self._on_order: Callable[[Order, Failure], None] | None = None
        self._waiting: queue.SimpleQueue[Order] = queue.SimpleQueue()
        # Between asking whether anybody listens and letting an order wait, nobody begins to listen.
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, name="kingpost-reload", daemon=True)
        self._reader.start()

    @classmethod
    def from_environment(cls) -> ReloadedChild | None:
        """The supervisor that this process was started by, if it was; asked once, before user code runs."""
        # Taken out: what the application starts itself is not our child.
        text = os.environ.pop(ENVIRONMENT, "")
        if not text:
            return None
        control, *listening = (int(number) for number in text.split(","))
        sock = socket.socket(fileno=control)
        sock.set_inheritable(False)
        return cls(Line(sock), listening)

    def ready(self) -> None:
        """Says that this worker accepts connections."""
        self._line.send(READY)

    def broken(self, failure: Failure) -> None:
        """Says that the code does not run."""
        self._line.broken(failure)

    def debugging(self) -> None:
        """Says that a debugger's prompt was opened: this worker is not to be ended while somebody types."""
        self._line.send(DEBUGGING)

    def writing(self, file: Path) -> None:
        """Says that this worker is about to write `file` itself: that change is no reason to reload."""
        self._line.send(WRITING, file=str(file.absolute()))

    def left(self) -> None:
        """Says that this worker, which was told to stop, accepts no connections any more."""
        self._line.send(LEFT)

    def worn(self, reason: str) -> None:
        """Says that this worker should be replaced, and why; it serves until it is told to stop."""
        self._line.send(WORN, reason=reason)

    def obey(self, on_order: Callable[[Order, Failure], None] | None) -> None:
        """From now on calls `on_order(order, failure)` for each order, on a thread of its own; None lets them wait."""
        waiting: list[Order] = []
        with self._lock:
            self._on_order = on_order
            while on_order is not None and not self._waiting.empty():
                # Given before anybody listened, while the code was being imported.
                waiting.append(self._waiting.get())
        if on_order is not None:
            for order in waiting:
                on_order(order, Failure("", ""))

    def wait_for_order(self) -> Order:
        """Waits for the next order that nobody was called for; "stop" when the supervisor is gone."""
        return self._waiting.get()

    def close(self) -> None:
        """Gives up the line after its end; for tests, a worker keeps it as long as it lives."""
        self._reader.join()
        self._line.close()

    def _read(self) -> None:
        # A thread and not the loop: orders arrive also while the loop is blocked, and on every system.
        while (messages := self._line.receive()) is not None:
            for message in messages:
                order = _order(message)
                if order is not None:
                    self._pass_on(
                        order, Failure(message.get("summary", ""), message.get("report", ""))
                    )
        self._pass_on(self._at_end, Failure("", ""))

    def _pass_on(self, order: Order, failure: Failure) -> None:
        with self._lock:
            on_order = self._on_order
            if on_order is None:
                self._waiting.put(order)
        if on_order is not None:
            on_order(order, failure)


def _order(message: dict[str, str]) -> Order | None:
    match message.get("say"):
        case "stop":
            return "stop"
        case "retire":
            return "retire"
        case "now":
            return "now"
        case "notice":
            return "notice"
        case "show":
            return "show"
        case _:
            return None
