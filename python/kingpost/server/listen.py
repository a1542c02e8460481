"""Where a server listens: TCP addresses, a Unix socket, or a socket that somebody else opened."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# The kernel cuts this down to its own limit.
BACKLOG = 2048
_PORT_TRIES = 10


class ListenError(Exception):
    """The address cannot be listened on; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Address:
    """What was asked for. A Unix socket or a descriptor, where given, stands instead of hosts and port."""

    hosts: Sequence[str] = ("127.0.0.1",)
    """Names or numbers; a name stands for all its addresses, IPv4 and IPv6."""
    port: int = 8000
    """0 to 65535; 0 takes any free one, the same for all hosts."""
    uds: str | None = None
    """Path of a Unix socket."""
    uds_mode: int = 0o660
    """Permissions of the Unix socket's file."""
    fd: int | None = None
    """Number of an inherited descriptor of a listening socket."""
    inherited: Sequence[int] = ()
    """Numbers of descriptors that systemd hands over; where there are any they stand instead of everything else."""


@dataclass(eq=False, slots=True)
class Listener:
    """One open listening socket."""

    socket: socket.socket
    url: str
    """What to tell people: http://host:port, or unix:path."""
    _made: tuple[str, int, int] | None = field(default=None)

    def close(self) -> None:
        """Closes the socket, and removes the file of a Unix socket if it is still the one that was made. Twice is once."""
        made, self._made = self._made, None
        if made is not None:
            name, device, inode = made
            path = Path(name)
            # While the socket is open: afterwards the file of a successor may be given the same number.
            with contextlib.suppress(OSError):
                found = path.stat()
                if (found.st_dev, found.st_ino) == (device, inode):
                    path.unlink()
        self.socket.close()


def can_split() -> bool:
    """Whether the system deals connections out among sockets of one address."""
    # Elsewhere the option exists too, but the last socket gets everything.
    return sys.platform == "linux" and hasattr(socket, "SO_REUSEPORT")


class Doors:
    """The listening sockets of a service of several processes: a set for each slot, or one for all. They stay open until the end.

    Args:
        address: Where.
        shared: One set for all slots; so it is in any case where the system cannot deal connections out among several.

    Raises:
        ListenError: the address cannot be had; a server that listens there with SO_REUSEPORT, as this one does, has it.
    """

    def __init__(self, address: Address, *, shared: bool = False) -> None:
        first = open_listeners(address)
        is_tcp = address.uds is None and address.fd is None and not address.inherited
        self.is_split = is_tcp and not shared and can_split()
        self._slots: list[list[Listener]] = [first]
        if self.is_split:
            # The first ones were opened without the option: with it they would be let in beside a server that runs already.
            self._places = _look_up(address)
            self._port = int(first[0].socket.getsockname()[1])
            self.close()
            self._slots = []

    def of(self, slot: int) -> list[Listener]:
        """The sockets of a slot, opened when they are asked for first.

        Raises:
            ListenError: one of them cannot be had.
        """
        if not self.is_split:
            return self._slots[0]
        while len(self._slots) <= slot:
            self._slots.append(_open_tcp(self._places, self._port, split=True))
        return self._slots[slot]

    def close(self) -> None:
        """Closes all of them."""
        for listeners in self._slots:
            for listener in listeners:
                listener.close()


def open_listeners(address: Address) -> list[Listener]:
    """Opens every socket that `address` stands for, all or none.

    Raises:
        ListenError: one of them cannot be had.
    """
    if address.inherited:
        return [inherit(number) for number in address.inherited]
    if address.fd is not None:
        return [inherit(address.fd)]
    if address.uds is not None:
        return [_open_unix(address.uds, address.uds_mode)]
    targets = _look_up(address)
    for attempt in range(_PORT_TRIES):
        try:
            return _open_tcp(targets, address.port)
        except ListenError:
            # With port 0 the first host chose a port that the second cannot have: choose again.
            if address.port or len(targets) == 1 or attempt == _PORT_TRIES - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


def inherit(fd: int) -> Listener:
    """Takes over a descriptor that is a listening socket already.

    Raises:
        ListenError: it is not open, or not a listening stream socket.
    """
    try:
        sock = socket.socket(fileno=fd)
    except OSError as error:
        raise ListenError(f"descriptor {fd} is not an open socket: {error.strerror}") from None
    if sock.type != socket.SOCK_STREAM or not _accepts(sock):
        sock.detach()
        raise ListenError(f"descriptor {fd} is a socket, but it does not listen for connections")
    sock.set_inheritable(False)
    sock.settimeout(0)
    return Listener(sock, url_of(sock))


def _accepts(sock: socket.socket) -> bool:
    option = getattr(socket, "SO_ACCEPTCONN", None)
    return option is None or bool(sock.getsockopt(socket.SOL_SOCKET, option))


def url_of(sock: socket.socket) -> str:
    """The address of a listening socket as people write it."""
    name: Any = sock.getsockname()
    if not isinstance(name, str | bytes):
        host, port = str(name[0]), int(name[1])
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return f"unix:{os.fsdecode(name)}"


def told(url: str, *, secure: bool) -> str:
    """The address of a listener as people write it where it speaks HTTPS, or does not."""
    return url.replace("http://", "https://", 1) if secure else url


@dataclass(frozen=True, slots=True)
class _Place:
    """One address to bind."""

    family: socket.AddressFamily
    host: str
    optional: bool
    """It came from a name that has others: `localhost` stands for ::1 also where IPv6 is off."""


def _look_up(address: Address) -> list[_Place]:
    if not 0 <= address.port <= 65535:
        raise ListenError(f"port {address.port} does not exist: ports are 0 to 65535")
    found: dict[str, _Place] = {}
    for host in address.hosts:
        try:
            answers = socket.getaddrinfo(
                host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
        except (OSError, UnicodeError):
            raise ListenError(
                f"host {host!r} cannot be found: "
                "use 127.0.0.1 for this machine alone, 0.0.0.0 for everybody"
            ) from None
        several = len({family for family, *_ in answers}) > 1
        for family, _, _, _, name in answers:
            if family in (socket.AF_INET, socket.AF_INET6):
                optional = several and family == socket.AF_INET6
                found.setdefault(str(name[0]), _Place(family, str(name[0]), optional))
    if not found:
        raise ListenError("no host was named to listen on")
    return list(found.values())


def _open_tcp(places: Sequence[_Place], port: int, *, split: bool = False) -> list[Listener]:
    opened: list[Listener] = []
    try:
        for place in places:
            sock = _bind_tcp(place, port, split=split)
            if sock is not None:
                port = int(sock.getsockname()[1])
                opened.append(Listener(sock, url_of(sock)))
    except ListenError:
        for listener in opened:
            listener.close()
        raise
    if not opened:
        raise ListenError("this machine has none of the addresses of that host")
    return opened


def _bind_tcp(place: _Place, port: int, *, split: bool) -> socket.socket | None:
    try:
        sock = socket.socket(place.family, socket.SOCK_STREAM)
    except OSError as error:
        if place.optional:
            return None
        raise ListenError(f"cannot open a socket for {place.host}: {error.strerror}") from None
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if split:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if place.family == socket.AF_INET6:
            # One socket per family: whoever wants both names both.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((place.host, port))
        sock.listen(BACKLOG)
        sock.settimeout(0)
    except OSError as error:
        sock.close()
        if place.optional and error.errno == errno.EADDRNOTAVAIL:
            return None
        raise ListenError(_why_not(error, place.host, port)) from None
    return sock


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use: another program, or an earlier run of this one, listens there. "
            f"Stop it, or choose another port: --port {port + 1 if port < 65535 else 8000}"
        )
    if error.errno == errno.EACCES:
        return f"port {port} on {host} is not allowed for this user: ports below 1024 are the system's; try --port 8000"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine: use 127.0.0.1 or 0.0.0.0"
    return f"cannot listen on {host}, port {port}: {error.strerror}"


def _open_unix(path: str, mode: int) -> Listener:
    if not hasattr(socket, "AF_UNIX"):
        raise ListenError("Unix sockets do not exist on this system: use --host and --port")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _clear_stale(path)
        # Nobody may connect between bind and chmod.
        before = os.umask(0o177)
        try:
            sock.bind(path)
        finally:
            os.umask(before)
        Path(path).chmod(mode)
        sock.listen(BACKLOG)
        sock.settimeout(0)
        made = Path(path).stat()
    except OSError as error:
        sock.close()
        reason = str(error) if error.strerror is None else error.strerror
        raise ListenError(f"cannot listen on the Unix socket {path}: {reason}") from None
    except ListenError:
        sock.close()
        raise
    return Listener(sock, f"unix:{path}", (path, made.st_dev, made.st_ino))


def _clear_stale(path: str) -> None:
    """Removes the socket file that a server left which is no more; never anything else."""
    try:
        found = Path(path).lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise ListenError(f"{path} exists and is not a socket: choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()
            return
    raise ListenError(f"another server listens on the Unix socket {path}: stop it first")
