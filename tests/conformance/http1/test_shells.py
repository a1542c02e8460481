"""Every row of the table on real sockets, through both shells of the engine, whole and cut.

The rows are the same that the wire engine is tested with. Here it is the outcome that counts: what handlers saw, what
stood on the wire, and that the connection ended where it has to.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from kingpost import _native
from tests.conformance.http1.cases import Case, cases
from tests.security.rig import (
    SHELLS,
    Driver,
    Incomplete,
    Kind,
    PlainService,
    Rig,
    read_all,
    read_answers,
    send,
    serving,
)

Seen = list[tuple[bytes, bytes, bytes]]

# A row is cut at this many places, spread over it, and before each of its last bytes: where a request ends, most goes
# wrong. Each cut is a connection of its own. With `KINGPOST_LONG=1` short rows are cut at every byte; the engine without
# sockets has that done to all rows in each run.
_LONG = bool(os.environ.get("KINGPOST_LONG"))
_CUTS = 4
_LAST = 2
_LONGEST_CUT = 4_000
_SHORT = 300
# Seconds between two pieces, so that the server reads them one by one.
_PAUSE = 0.0003


class Recorder:
    """A service that takes every method and path, and remembers what its handlers were given."""

    def __init__(self, kind: Kind) -> None:
        self.seen: Seen = []
        self.rig: Rig
        methods = {method.decode() for case in cases() for method, _, _ in case.requests}
        handler: Callable[[Any], Any] = self._handle
        if kind == "async":
            handler = self._handle_async
        self.service = PlainService(
            [(path, kind, sorted(methods), handler) for path in ("/", "/{rest:path}")]
        )
        # What is no path has no route: `OPTIONS *`.
        self.service.dispatch.miss = self._miss  # type: ignore[method-assign]  # what it is asked is noted

    def _handle(self, request: Any) -> bytes:
        query = b"?" + request.query_string if request.query_string else b""
        self.seen.append((request.method.encode(), request.raw_path + query, request.body))
        return b"%d" % (len(self.seen) - 1)

    async def _handle_async(self, request: Any) -> bytes:
        return self._handle(request)

    def _miss(self, request: Any, allowed: tuple[str, ...] | None) -> _native.Answer:
        return _native.Answer(200, [], self._handle(request))


@pytest.fixture(scope="module", params=SHELLS)
def recorder(request: pytest.FixtureRequest) -> Iterator[Recorder]:
    driver: Driver = request.param
    recorder = Recorder("async")
    # The table is HTTP/1's: to a server of both versions, the preface of HTTP/2 is no broken request.
    with serving(recorder.service, driver=driver, http="1") as rig:
        recorder.rig = rig
        yield recorder


def _as_handlers_see(target: bytes) -> bytes:
    """Path and query of a target in absolute form; other targets as they are (RFC 9112 section 3.2.2)."""
    scheme, separator, rest = target.partition(b"://")
    if target.startswith(b"/") or not separator or not scheme.isalpha():
        return target
    at = min((index for index in map(rest.find, (b"/", b"?")) if index >= 0), default=len(rest))
    tail = rest[at:]
    return tail if tail.startswith(b"/") else b"/" + tail


def _without_empty_query(target: bytes) -> bytes:
    return target.removesuffix(b"?")


def _check(case: Case, seen: Seen, data: bytes) -> None:
    """That what was seen and what was sent is what the row says."""
    expected = [
        (method, _without_empty_query(_as_handlers_see(target)), body)
        for method, target, body in case.requests
    ]
    assert [
        (method, _without_empty_query(target), body) for method, target, body in seen
    ] == expected
    methods = [method.decode() for method, _, _ in case.requests]
    answers = read_answers(data, methods)
    # Answers leave in the order of the requests (T16).
    for number, (method, answer) in enumerate(zip(methods, answers, strict=False)):
        assert answer.status == 200
        assert answer.body == (b"" if method == "HEAD" else b"%d" % number)
    refused = answers[len(methods) :]
    if case.code is None:
        assert len(answers) == len(methods)
        if case.closes and answers:
            assert answers[-1].get("connection") == "close"
        return
    # Behind a refusal stands nothing: neither an answer nor, in `seen`, a request (T15).
    if case.code == "http.incomplete-request" and not refused:
        return
    (refusal,) = refused
    assert (refusal.status, refusal.code) == (case.status, case.code)
    assert refusal.get("connection") == "close"
    assert refusal.get("content-type") == "application/problem+json"


def _run(recorder: Recorder, case: Case, *pieces: bytes) -> None:
    recorder.seen = []
    with recorder.rig.connect() as connection:
        # Both directions at once: neither side may have to wait for the other's buffers.
        sender = None
        if sum(map(len, pieces)) > 100_000:
            sender = threading.Thread(target=_send, args=(connection, *pieces))
            sender.start()
        else:
            _send(connection, *pieces)
        # It ends: that the connection is closed is a part of every row, since the client has ended its side.
        data = read_all(connection)
        if sender is not None:
            sender.join()
    try:
        _check(case, recorder.seen, data)
    except Incomplete as error:
        raise AssertionError(f"cut short: {error}") from None


def _send(connection: socket.socket, *pieces: bytes) -> None:
    send(connection, *pieces, pause=_PAUSE)
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name[:80])
def test_every_row_has_the_outcome_that_it_says(recorder: Recorder, case: Case) -> None:
    _run(recorder, case, case.input)


def _cuts(length: int) -> Generator[int]:
    if _LONG and length <= _SHORT:
        yield from range(1, length)
        return
    yield from {length * (number + 1) // (_CUTS + 1) for number in range(_CUTS)} | {
        length - number for number in range(1, _LAST + 1)
    } - {0}


def test_a_row_that_comes_in_two_pieces_has_the_same_outcome(recorder: Recorder) -> None:
    for case in cases():
        if 1 < len(case.input) <= _LONGEST_CUT:
            for at in _cuts(len(case.input)):
                if 0 < at < len(case.input):
                    try:
                        _run(recorder, case, case.input[:at], case.input[at:])
                    except AssertionError as error:
                        raise AssertionError(f"{case.name!r} cut at {at}: {error}") from error


def test_a_row_that_comes_byte_by_byte_has_the_same_outcome(recorder: Recorder) -> None:
    for case in cases()[:: 1 if _LONG else 11]:
        if len(case.input) <= _SHORT:
            try:
                _run(recorder, case, *(bytes([byte]) for byte in case.input))
            except AssertionError as error:
                raise AssertionError(f"{case.name!r} byte by byte: {error}") from error


def test_nothing_is_left_when_all_rows_have_run(recorder: Recorder) -> None:
    recorder.rig.until_idle()
    assert recorder.service.dispatch.failures == []
