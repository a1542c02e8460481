"""Those who ask a running service for something, through the socket that `--control` names.

Rule 1: whatever they say, and whatever they leave unsaid, the service goes on: what is not understood is answered, who says
nothing is not waited for, and nobody's words are kept without bound.
Rule 2: one connection, one question, one answer.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Callable

from kingpost.server.child import Line

# Seconds in which somebody who has connected asks.
_PATIENCE = 10.0
# Bytes of a question, and askers at once.
_LONGEST = 4096
_MOST = 64


class Asker:
    """Somebody who has connected."""

    def __init__(self, line: Line, until: float, on_end: Callable[[Asker], None]) -> None:
        self.line = line
        self.until = until
        """When nobody waits for the question any more."""
        self.has_asked = False
        self._on_end = on_end

    def answer(self, say: str, **more: str) -> None:
        """Answers the question; the conversation ends with that."""
        self.line.send(say, **more)
        self._on_end(self)


class Askers:
    """All of them.

    Args:
        listening: Where they connect.
        selector: What waits for all that happens; its keys carry what is called then.
        on_reload: Called for each who wants the code to be taken in anew, and has to answer.
        clock: Says what time it is, in seconds.
    """

    def __init__(
        self,
        listening: socket.socket,
        selector: selectors.BaseSelector,
        on_reload: Callable[[Asker], None],
        clock: Callable[[], float],
    ) -> None:
        self._listening = listening
        self._selector = selector
        self._on_reload = on_reload
        self._clock = clock
        self._askers: list[Asker] = []
        selector.register(listening, selectors.EVENT_READ, self._accept)

    def end_silent(self) -> None:
        """Waits no longer for those who said nothing."""
        now = self._clock()
        for asker in [*self._askers]:
            if not asker.has_asked and now > asker.until:
                self._end(asker)

    def close(self) -> None:
        """Ends all conversations."""
        for asker in [*self._askers]:
            self._end(asker)

    def _accept(self) -> None:
        try:
            sock, _ = self._listening.accept()
        except OSError:
            return
        if len(self._askers) >= _MOST:
            sock.close()
            return
        sock.settimeout(0)
        asker = Asker(Line(sock, _LONGEST), self._clock() + _PATIENCE, self._end)
        self._askers.append(asker)
        self._selector.register(sock, selectors.EVENT_READ, lambda: self._hear(asker))

    def _hear(self, asker: Asker) -> None:
        messages = asker.line.receive()
        if messages is None:
            self._end(asker)
            return
        for message in messages:
            if asker.has_asked:
                return
            asker.has_asked = True
            match message.get("say"):
                case "reload":
                    self._on_reload(asker)
                case _:
                    asker.answer("failed", summary="this service does not know that order")

    def _end(self, asker: Asker) -> None:
        if asker in self._askers:
            self._askers.remove(asker)
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(asker.line.socket)
            asker.line.close()
