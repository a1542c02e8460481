"""What the rows share: built peers, the two cores, how long and how often."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.builds import BuildError, Tool
from harness.certificate import make_certificate
from harness.exchange import write_static
from harness.peers import BY_NAME
from harness.places import CERTIFICATE, KEY, STATIC_FILES
from harness.server import Server, StartError, free_port


@dataclass(slots=True)
class Bench:
    """One start of the bench."""

    interpreter: Path
    server_core: int
    generator_core: int
    runs: int = 5
    seconds: float = 2.0  # one run of the generator
    warm_up: float = 2.0  # seconds of load before the first run
    first_port: int = 23000
    say: Callable[[str], None] = print
    tools: dict[str, Tool] = field(default_factory=dict[str, Tool])
    missing: dict[str, str] = field(default_factory=dict[str, str])  # peer: why it is not there
    wanted: frozenset[str] = frozenset()  # peers asked for; empty: all

    def is_wanted(self, peer: str) -> bool:
        return not self.wanted or peer in self.wanted

    def tool(self, name: str) -> Tool:
        """The peer, built at its first use. Raises BuildError."""
        if name in self.missing:
            raise BuildError(self.missing[name])
        if name not in self.tools:
            try:
                self.tools[name] = BY_NAME[name].source.build(self.interpreter)
            except BuildError as error:
                self.missing[name] = str(error)
                raise
        return self.tools[name]

    def start(self, name: str) -> Server:
        """A fresh server of a peer, not yet answering. Raises BuildError, StartError."""
        tool = self.tool(name)
        write_static(STATIC_FILES)
        port = free_port(self.first_port)
        peer = BY_NAME[name]
        if peer.by_tls:
            make_certificate()
        places = {"certificate": CERTIFICATE, "key": KEY, "port": port, **tool.substitutions}
        command = [part.format(**places) for part in peer.command]
        return Server(name, command, port, [self.server_core], by_tls=peer.by_tls)

    def start_ready(self, name: str, path: str) -> Server:
        """A fresh server that has answered 200. Raises BuildError, StartError."""
        server = self.start(name)
        try:
            server.wait_until_ready(path)
        except StartError:
            server.stop()
            raise
        return server


def choose_cores() -> tuple[int, int]:
    """A core for the server and one for the generator: not two threads of one, if possible."""
    usable = sorted(os.sched_getaffinity(0))
    server = usable[0]
    siblings = _siblings(server)
    others = [core for core in usable[1:] if core not in siblings] or usable[1:] or usable
    return server, others[0]


def share_a_core(one: int, other: int) -> bool:
    """Whether two of the system's cores are one piece of silicon."""
    return one == other or other in _siblings(one)


def _siblings(core: int) -> set[int]:
    topology = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
    try:
        text = topology.read_text().strip()
    except OSError:
        return {core}
    siblings: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        siblings.update(range(int(first), int(last or first) + 1))
    return siblings
