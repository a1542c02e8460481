"""What the workers of one service share: counters in memory, and a bus between them. No broker, no file, no port.

The supervisor makes both before its first fork, so that every worker has them from the start. A process without a
supervisor is a service of one worker: its counters count, and its bus has nobody to send to.

Rule 1: each worker is on a lane of its own, one of two that its slot has, so that a successor and the worker that it
replaces hear everything both. A lane is a pair of datagram sockets that any worker writes to and its own one reads.
Rule 2: a send never waits. What a receiver has no room for is queued, up to `QUEUE` bytes for each; a message beyond
that is lost for that receiver, whole, and counted under "bus.lost".
Rule 3: the messages of one sender arrive in the order in which they were sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from kingpost import _native
from kingpost.http.counting import count_together
from kingpost.server import logs

MESSAGE = 2 << 20
"""Bytes that a message has at most: a WebSocket message of the largest size, with what is said about it."""
QUEUE = 4 << 20
"""Bytes that wait for one receiver at most."""
LANES = 2
"""Lanes of a slot: a worker's, and that of its successor."""
LOST = "bus.lost"
"""Name of the counter of messages that did not reach a worker."""

MOST_SLOTS = 255
"""Workers at most."""

# Mark 0 is the number of workers; the marks behind it hold the process on each lane, 0 for nobody; then, for each lane, come
# the milliseconds of the monotonic clock at which the loop of its worker turned last.
_WORKERS = 0
_FIRST_LANE = 1
_FIRST_BEAT = _FIRST_LANE + MOST_SLOTS * LANES

# Before each piece of a message: bytes of the piece, of the whole, where the piece begins, the sender's lane, bytes of the kind.
_HEAD = struct.Struct("<IIIHB")
# Bytes of a datagram: small enough for the system to find room, large enough to carry many small messages.
_PIECE = 32 << 10
# Datagrams that are read before the loop does something else.
_READS = 32

Receive = Callable[[bytes], None]


class _Outbox:
    """What waits for one lane."""

    def __init__(self, process: int) -> None:
        self.process = process
        self.frames: deque[bytes] = deque()
        self.bytes = 0


class _Coming:
    """A message of one sender of which something is still to come."""

    __slots__ = ("data", "kind", "whole")

    def __init__(self) -> None:
        self.kind = ""
        self.whole = 0
        self.data = bytearray()


class Bus:
    """Messages to every other worker of the service. Without others it takes them, and nobody hears."""

    def __init__(
        self,
        counters: _native.Counters | None = None,
        lanes: Sequence[tuple[socket.socket, socket.socket]] = (),
        lane: int = 0,
    ) -> None:
        self._counters = counters
        self._writers = [writer for _, writer in lanes]
        self._reader = lanes[lane][0] if lanes else None
        self._lane = lane
        self._listeners: dict[str, list[Receive]] = {}
        self._outboxes: dict[int, _Outbox] = {}
        self._coming: dict[int, _Coming] = {}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    # -- sending -----------------------------------------------------------------------------------------------------

    def send(self, kind: str, payload: bytes) -> None:
        """Sends a message to every other worker, from any thread; never waits, and never fails for want of room.

        Args:
            kind: Whose message it is, 1 to 255 bytes.
            payload: At most `MESSAGE` bytes.

        Raises:
            ValueError: kind or payload is longer.
        """
        name = kind.encode()
        if not 0 < len(name) < 256:
            raise ValueError(f"kind={kind!r} has {len(name)} bytes: it can have 1 to 255")
        if len(payload) > MESSAGE:
            raise ValueError(f"a message of {len(payload)} bytes: it can have {MESSAGE} at most")
        if self._counters is None or self._reader is None:
            return
        frames: list[bytes] | None = None
        with self._lock:
            for lane in range(len(self._writers)):
                process = self._process_on(lane)
                if process and lane != self._lane:
                    if frames is None:
                        frames = list(self._frames(name, payload))
                    self._send(lane, process, frames)

    def _frames(self, name: bytes, payload: bytes) -> Sequence[bytes]:
        room = _PIECE - _HEAD.size - len(name)
        view = memoryview(payload)
        return [
            _HEAD.pack(len(piece), len(payload), start, self._lane, len(name)) + name + bytes(piece)
            for start in range(0, max(1, len(payload)), room)
            for piece in (view[start : start + room],)
        ]

    def _send(self, lane: int, process: int, frames: Sequence[bytes]) -> None:
        outbox = self._outboxes.get(lane)
        if outbox is not None and outbox.process != process:
            # It was for a worker that is no more.
            outbox.frames.clear()
            outbox.bytes, outbox.process = 0, process
        if outbox is None or not outbox.frames:
            sent = 0
            while sent < len(frames) and self._write(lane, frames[sent]):
                sent += 1
            frames = frames[sent:]
            if not frames:
                return
        size = sum(map(len, frames))
        loop = self._loop
        if loop is None or (outbox is not None and outbox.bytes + size > QUEUE):
            self._lose()
            return
        if outbox is None:
            outbox = self._outboxes[lane] = _Outbox(process)
        was_empty = not outbox.frames
        outbox.frames.extend(frames)
        outbox.bytes += size
        if was_empty:
            # RuntimeError: the loop has closed meanwhile.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._watch, lane)

    def _write(self, lane: int, data: bytes) -> bool:
        try:
            self._writers[lane].send(data)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                return False
            # It will not go better next time.
            self._lose()
        return True

    def _watch(self, lane: int) -> None:
        if self._loop is not None:
            self._loop.add_writer(self._writers[lane].fileno(), self._flush, lane)

    def _flush(self, lane: int) -> None:
        """There is room: several messages go in one datagram, for a receiver takes few at a time."""
        with self._lock:
            outbox = self._outboxes[lane]
            if self._process_on(lane) != outbox.process:
                outbox.frames.clear()
                outbox.bytes = 0
            while outbox.frames:
                count, size = 0, 0
                for frame in outbox.frames:
                    if count and size + len(frame) > _PIECE:
                        break
                    count, size = count + 1, size + len(frame)
                if not self._write(lane, b"".join(islice(outbox.frames, count))):
                    return
                for _ in range(count):
                    outbox.frames.popleft()
                outbox.bytes -= size
        if self._loop is not None:
            self._loop.remove_writer(self._writers[lane].fileno())

    def _process_on(self, lane: int) -> int:
        return 0 if self._counters is None else self._counters.marked(_FIRST_LANE + lane)

    def _lose(self) -> None:
        if self._counters is not None:
            self._counters.add(LOST)

    # -- receiving ---------------------------------------------------------------------------------------------------

    def listen(self, kind: str, receive: Receive) -> Callable[[], None]:
        """From now on calls `receive(payload)` on the loop for each message of this kind; returns what ends that."""
        self._listeners.setdefault(kind, []).append(receive)

        def undo() -> None:
            with contextlib.suppress(KeyError, ValueError):
                listeners = self._listeners[kind]
                # A new list: it may be the one that is being gone through.
                self._listeners[kind] = [each for each in listeners if each is not receive]
                if not self._listeners[kind]:
                    del self._listeners[kind]

        return undo

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Takes this worker's lane: from now on it is sent to, and hears. Called once, on the loop."""
        if self._reader is None or self._counters is None:
            return
        self._loop = loop
        empty(self._reader)
        loop.add_reader(self._reader.fileno(), self._read, self._reader)
        self._counters.mark(_FIRST_LANE + self._lane, os.getpid())

    def close(self) -> None:
        """Leaves the lane; what waits to be sent is lost. Called on the loop."""
        loop = self._loop
        if loop is None or self._reader is None or self._counters is None:
            return
        self._counters.mark(_FIRST_LANE + self._lane, 0)
        loop.remove_reader(self._reader.fileno())
        with self._lock:
            self._loop = None
            for lane, outbox in self._outboxes.items():
                if outbox.frames:
                    loop.remove_writer(self._writers[lane].fileno())
            self._outboxes.clear()
        self._coming.clear()

    def _read(self, reader: socket.socket) -> None:
        for _ in range(_READS):
            try:
                data = reader.recv(2 * _PIECE)
            except OSError:
                # There is nothing more to read now.
                return
            self._take(memoryview(data))

    def _take(self, data: memoryview) -> None:
        while data:
            length, whole, start, lane, name = _HEAD.unpack_from(data)
            kind = str(data[_HEAD.size : _HEAD.size + name], "utf-8")
            piece = data[_HEAD.size + name : _HEAD.size + name + length]
            data = data[_HEAD.size + name + length :]
            if start == 0 and length == whole:
                self._coming.pop(lane, None)
                self._deliver(kind, bytes(piece))
                continue
            coming = self._coming.setdefault(lane, _Coming())
            if start == 0:
                coming.kind, coming.whole = kind, whole
                coming.data.clear()
            # A sender that ended in the middle of a message is followed by one that begins anew.
            if start == len(coming.data) and whole == coming.whole:
                coming.data += piece
                if len(coming.data) == whole:
                    del self._coming[lane]
                    self._deliver(coming.kind, bytes(coming.data))

    def _deliver(self, kind: str, payload: bytes) -> None:
        for receive in self._listeners.get(kind, ()):
            try:
                receive(payload)
            except Exception:  # noqa: BLE001 - it is the user's
                logs.logger().exception("a listener of the bus failed on a message of %r", kind)


def empty(reader: socket.socket) -> None:
    """Throws away what was sent to a worker that is no more."""
    with contextlib.suppress(OSError):
        while reader.recv(1):
            pass


class Shared:
    """What this process shares with the other workers of its service."""

    def __init__(self, slot: int, lane: int, counters: _native.Counters | None, bus: Bus) -> None:
        self.slot = slot
        """0 for the first worker; a worker that takes another's place has its number."""
        self.lane = lane
        """As `slot`, but a worker and its successor have two, as long as both live."""
        self.bus = bus
        self._counters = counters
        self._is_alone = counters is None

    @property
    def counters(self) -> _native.Counters:
        """The table of all workers."""
        if self._counters is None:
            # Memory that most programs without a supervisor never need.
            self._counters = _native.Counters()
        return self._counters

    def beat(self) -> None:
        """Tells the supervisor that the loop turns."""
        if not self._is_alone:
            self.counters.mark(_FIRST_BEAT + self.lane, time.monotonic_ns() // 1_000_000)

    @property
    def workers(self) -> int:
        """How many workers there are to be now, >= 1."""
        return 1 if self._is_alone else max(1, self.counters.marked(_WORKERS))


class Workshop:
    """The supervisor's side: what all workers share, made before the first of them.

    Args:
        slots: How many workers there can ever be at once, 1 to `MOST_SLOTS`.

    Raises:
        OSError: the system has no memory or no descriptors for it.
        ValueError: slots is out of range.
    """

    def __init__(self, slots: int) -> None:
        if not 1 <= slots <= MOST_SLOTS:
            raise ValueError(f"{slots} workers: there can be 1 to {MOST_SLOTS}")
        self.counters = _native.Counters()
        self.slots = slots
        self._lanes: list[tuple[socket.socket, socket.socket]] = []
        try:
            for _ in range(slots * LANES):
                pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._lanes.append(pair)
                for end in pair:
                    end.settimeout(0)
                    # Some systems send no datagram that is larger than this, and begin with less than ours have.
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * _PIECE)
        except OSError:
            self.close()
            raise

    def set_workers(self, count: int) -> None:
        """Says how many workers there are to be."""
        self.counters.mark(_WORKERS, count)

    def enter(self, slot: int, lane: int) -> Shared:
        """In a worker, after the fork: from now on `here()` is this one. `lane` counts within the slot, from 0."""
        number = slot * LANES + lane
        shared = Shared(slot, number, self.counters, Bus(self.counters, self._lanes, number))
        _here[:] = [shared]
        count_together(self.counters)
        return shared

    def leave_to_others(self, slot: int, lane: int) -> None:
        """In a worker: closes what only the workers on other lanes read. Each lane can still be sent to."""
        for number, (reader, _) in enumerate(self._lanes):
            if number != slot * LANES + lane:
                reader.close()

    def beat_of(self, slot: int, lane: int) -> int:
        """When the loop of the worker on this lane turned last, in milliseconds; 0 before its first turn."""
        return self.counters.marked(_FIRST_BEAT + slot * LANES + lane)

    def left(self, slot: int, lane: int) -> None:
        """In the supervisor: the worker on this lane is no more, whatever it could still say."""
        number = slot * LANES + lane
        self.counters.mark(_FIRST_LANE + number, 0)
        self.counters.mark(_FIRST_BEAT + number, 0)
        self.counters.forget(number)
        empty(self._lanes[number][0])

    def close(self) -> None:
        for pair in self._lanes:
            for end in pair:
                end.close()


_here: list[Shared] = []


def here() -> Shared:
    """What this process shares; one of its own where no supervisor has made it."""
    if not _here:
        _here.append(Shared(0, 0, None, Bus()))
    return _here[0]
