"""Asking a running service for something, through the Unix socket that `--control` names."""

from __future__ import annotations

import socket

from kingpost.server.child import Failure, Line


class Unanswered(Exception):
    """There is no service, or it went away without an answer; the message says which."""


def ask(path: str, say: str) -> str | Failure:
    """Asks, and waits for the answer: what was done, or why it was not.

    Raises:
        Unanswered: nobody answered.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        try:
            sock.connect(path)
        except OSError as error:
            raise Unanswered(f"no service listens on {path}: {error.strerror or error}") from None
        line = Line(sock)
        line.send(say)
        while (messages := line.receive()) is not None:
            for message in messages:
                if message.get("say") == "done":
                    return message.get("text", "")
                return Failure(message.get("summary", ""), message.get("report", ""))
    raise Unanswered(f"the service on {path} ended before it answered")
