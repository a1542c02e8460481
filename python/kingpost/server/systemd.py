"""What systemd hands to a service and wants to hear of it: sockets, readiness, and that it is alive.

The protocols are those of sd_listen_fds(3), sd_notify(3) and sd_watchdog_enabled(3). Nothing of this happens outside systemd.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import MutableMapping

_FIRST = 3


def handed_over(environment: MutableMapping[str, str] | None = None) -> tuple[int, ...]:
    """Descriptors of the listening sockets that systemd gives to this process; none where it gives none.

    The variables are taken out: what the program starts itself is not meant.
    """
    known = os.environ if environment is None else environment
    pid, count = known.pop("LISTEN_PID", ""), known.pop("LISTEN_FDS", "")
    known.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()) or not count.isdecimal():
        return ()
    return tuple(range(_FIRST, _FIRST + int(count)))


class Notifier:
    """Tells systemd about this service; outside of systemd it does nothing.

    Args:
        environment: Where NOTIFY_SOCKET and WATCHDOG_USEC are taken out of; the process's if not said.
    """

    def __init__(self, environment: MutableMapping[str, str] | None = None) -> None:
        known = os.environ if environment is None else environment
        path = known.pop("NOTIFY_SOCKET", "")
        usec, pid = known.pop("WATCHDOG_USEC", ""), known.pop("WATCHDOG_PID", "")
        self._socket: socket.socket | None = None
        self.every: float | None = None
        """Seconds between two signs of life, half of what systemd waits for; None where it waits for none."""
        if not path or not hasattr(socket, "AF_UNIX"):
            return
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            # An "@" stands for the zero byte of an abstract name.
            sock.connect("\0" + path[1:] if path.startswith("@") else path)
        except OSError:
            sock.close()
            return
        # It must not hold up the service.
        sock.settimeout(0)
        self._socket = sock
        if usec.isdecimal() and int(usec) and pid in ("", str(os.getpid())):
            self.every = int(usec) / 2_000_000

    def ready(self, status: str) -> None:
        """The service serves, or serves again after `reloading`."""
        self._tell(f"READY=1\nSTATUS={status}\nMAINPID={os.getpid()}")

    def reloading(self) -> None:
        """The service takes in its new code; `ready` follows."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The service finishes what it has begun."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """The service is alive."""
        self._tell("WATCHDOG=1")

    @property
    def descriptors(self) -> list[int]:
        """What it has open."""
        return [] if self._socket is None else [self._socket.fileno()]

    def close(self) -> None:
        """Says nothing more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _tell(self, text: str) -> None:
        if self._socket is not None:
            # systemd is busy, or gone: the service goes on.
            with contextlib.suppress(OSError):
                self._socket.send(text.encode())
