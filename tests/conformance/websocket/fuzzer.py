"""Runs cases of Autobahn|Testsuite against a server, several at a time; the suite's own interpreter runs this file (`suite.py`).

    bin/python fuzzer.py FOLDER URL SECTIONS AT-ONCE        # sections: 1,2,12.3

prints one JSON object: each case with its judgements, of what it did and of how it closed, and with the reason of the first.
What cases call text is made of one character for each byte here, as `suite.py` left it.
"""
# ruff: noqa: N802, N803 - the names are those of the library and of the cases

import binascii
import json
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from autobahn.twisted.websocket import (
    WebSocketClientFactory,
    WebSocketClientProtocol,
    connectWS,
)
from autobahn.websocket import utf8validator
from twisted.internet import reactor
from zope import interface

PATIENCE = 60.0
"""Seconds until a server that does not answer, or does not close, is given up; the cases say one."""


SLOWNESS = 3
"""How many times as long as the cases say an answer may take here."""


def octets(text: str | bytes) -> bytes:
    return text.encode("latin-1") if isinstance(text, str) else text


def characters(data: bytes) -> str:
    return data.decode("latin-1")


class Fuzzer(WebSocketClientProtocol):
    """One connection, driven by one case."""

    factory: "Attempt"

    def connectionMade(self) -> None:
        self.connectionWasOpen = False
        self.createWirelog = False
        self.txFrameStats: dict[int, int] = {}
        self.case = self.factory.kind(self)
        self.is_binary_case = "TESTDATA" in vars(self.factory.kind)
        super().connectionMade()

    # What the library calls.

    def onOpen(self) -> None:
        self.connectionWasOpen = True
        self._guarded(self.case.onOpen)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        message = payload if self.is_binary_case else characters(payload)
        self._guarded(self.case.onMessage, message, isBinary)

    def onPong(self, payload: bytes) -> None:
        self._guarded(self.case.onPong, characters(payload))

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self._guarded(self.case.onClose, wasClean, code, reason)

    def connectionLost(self, reason: object) -> None:
        super().connectionLost(reason)
        self._guarded(self.case.onConnectionLost, self.failedByMe)
        self.factory.done(self.case)

    def logTxFrame(self, frameHeader: Any, *_: object) -> None:
        self.txFrameStats[frameHeader.opcode] = self.txFrameStats.get(frameHeader.opcode, 0) + 1

    def logRxFrame(self, *_: object) -> None: ...

    # What cases call, with characters for bytes.

    def sendFrame(
        self, opcode: int, payload: str | bytes = b"", *rest: Any, **options: Any
    ) -> None:
        super().sendFrame(opcode, octets(payload), *rest, **options)

    def sendMessage(self, payload: str | bytes, *rest: Any, **options: Any) -> None:
        super().sendMessage(octets(payload), *rest, **options)

    def sendMessageFrameData(self, payload: str | bytes, *rest: Any, **options: Any) -> Any:
        return super().sendMessageFrameData(octets(payload), *rest, **options)

    def sendCloseFrame(
        self, code: int | None = None, reasonUtf8: str | bytes | None = None, **options: Any
    ) -> None:
        reason = None if reasonUtf8 is None else octets(reasonUtf8)
        super().sendCloseFrame(code=code, reasonUtf8=reason, **options)

    def enableWirelog(self, enable: bool) -> None:
        """Cases of many messages switch it off; there is none."""

    def failConnection(self) -> None:
        self._fail_connection()

    def continueLater(self, delay: float, go_on: Callable[[], None], _: str | None = None) -> None:
        self._later(delay, go_on)

    def killAfter(self, delay: float) -> None:
        self._later(max(delay, PATIENCE), self._fail_connection)

    def closeAfter(self, delay: float) -> None:
        # It is what a case ends with where nothing is to come, and what ends one whose answer does not come.
        self._later(delay * SLOWNESS, self.sendClose)

    def _later(self, delay: float, call: Callable[[], None]) -> None:
        def unless_closed() -> None:
            if self.state != self.STATE_CLOSED:
                self._guarded(call)

        reactor.callLater(delay, unless_closed)

    def _guarded(self, call: Callable[..., object], *arguments: object) -> None:
        """A case that breaks is one that failed, and says why."""
        try:
            call(*arguments)
        except Exception as error:  # noqa: BLE001 - whatever it is
            self.factory.broken = repr(error)
            self._fail_connection()


class Attempt(WebSocketClientFactory):
    """The connection of one case."""

    protocol = Fuzzer

    def __init__(self, url: str, kind: type, finished: Callable[[type, list[str]], None]) -> None:
        super().__init__(url)
        self.kind = kind
        self.finished = finished
        self.broken: str | None = None
        self.logFrames = True
        self.setProtocolOptions(
            failByDrop=False,
            openHandshakeTimeout=PATIENCE,
            closeHandshakeTimeout=PATIENCE,
            serverConnectionDropTimeout=PATIENCE,
            autoPingInterval=0,
        )

    def done(self, case: Any) -> None:
        if self.broken is not None:
            self.finished(self.kind, ["BROKEN", "BROKEN", self.broken])
        else:
            self.finished(self.kind, [case.behavior, case.behaviorClose, str(case.result)])

    def clientConnectionFailed(self, connector: object, reason: object) -> None:
        self.finished(self.kind, ["BROKEN", "BROKEN", f"no connection: {reason}"])


def load(folder: Path) -> list[type]:
    """The suite's cases. What they import of Python 2's libraries is given to them here."""
    resources = types.ModuleType("pkg_resources")
    # The one name that the suite asks of it.
    resources.resource_filename = lambda _, name: str(folder / name)  # type: ignore[attr-defined]
    sys.modules["pkg_resources"] = resources
    interface.implements = lambda *_: None

    # Texts, as Python 2 took and gave them.
    hexadecimal = binascii.b2a_hex
    binascii.b2a_hex = lambda text: hexadecimal(octets(text)).decode()  # type: ignore[assignment, misc]

    class Validator(utf8validator.Utf8Validator):
        def validate(self, text: str | bytes) -> Any:
            return super().validate(octets(text))

    utf8validator.Utf8Validator = Validator
    sys.path.insert(0, str(folder))
    # The suite's package of cases, which is found nowhere but in that folder.
    import case  # type: ignore[import-not-found]

    # It compares pickles, in which two equal strings are not what the same one twice is.
    case.Case.compare = lambda _, one, other: one == other
    return list(case.Cases)


def number(kind: type) -> str:
    """`9.1.1` of Case9_1_1."""
    return kind.__name__.removeprefix("Case").replace("_", ".")


def run(kinds: list[type], url: str, at_once: int) -> dict[str, list[str]]:
    """The judgements of cases by their numbers."""
    results: dict[str, list[str]] = {}
    left: Iterator[type] = iter(kinds)

    def begin() -> None:
        kind = next(left, None)
        if kind is not None:
            connectWS(Attempt(url, kind, finished))
        elif len(results) == len(kinds):
            reactor.stop()

    def finished(kind: type, judgement: list[str]) -> None:
        results[number(kind)] = judgement
        begin()

    for _ in range(min(at_once, len(kinds))):
        reactor.callWhenRunning(begin)
    reactor.run()
    return results


if __name__ == "__main__":
    sections = tuple(f"{section}." for section in sys.argv[3].split(","))
    chosen = [kind for kind in load(Path(sys.argv[1])) if f"{number(kind)}.".startswith(sections)]
    json.dump(run(chosen, sys.argv[2], int(sys.argv[4])), sys.stdout)
