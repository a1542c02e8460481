"""Ports for servers that are told which one to take."""

from __future__ import annotations

import socket

_TAKEN: set[int] = set()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that the system gives to nobody who asks for any.

    It was the server's end of a connection that is over: for a minute the system keeps it from all but those who ask for it by its number
    and reuse addresses, as servers do.
    """
    while True:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port: int = server.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port)) as client:
                accepted, _ = server.accept()
                accepted.close()
                # The other end closes second, so that it is the port above that is left waiting.
                client.recv(1)
        if port not in _TAKEN:
            _TAKEN.add(port)
            return port
