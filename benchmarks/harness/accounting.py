"""What the kernel says about a server: processor time and memory of its whole process tree.

Rule 1: processor time per request is the honest figure. Where the generator is the slower side,
requests per second measure the generator; the processor time of the server stands all the same.
Rule 2: a server is all processes of its session, with all their threads, living and ended.
"""

import os
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")  # units of /proc/PID/stat, a second


@dataclass(frozen=True, slots=True)
class Stat:
    """The fields of /proc/PID/stat that matter (proc(5))."""

    parent: int
    session: int
    ticks: int  # user and system, of all threads, ended ones too
    ended_children_ticks: int


def _stat(pid: int) -> Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name in parentheses may hold blanks and parentheses itself.
    fields = text.rpartition(")")[2].split()
    return Stat(
        parent=int(fields[1]),
        session=int(fields[3]),
        ticks=int(fields[11]) + int(fields[12]),
        ended_children_ticks=int(fields[13]) + int(fields[14]),
    )


def members(session: int) -> list[int]:
    """The processes of a session."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if (stat := _stat(pid)) and stat.session == session]


def cpu_seconds(session: int) -> float:
    """User and system time that the session has used, in steps of a tick (10 ms)."""
    ticks = 0
    for pid in members(session):
        stat = _stat(pid)
        if stat:
            ticks += stat.ticks + stat.ended_children_ticks
    return ticks / TICK


def fine_cpu_seconds(session: int) -> float:
    """The same of living threads in nanosecond steps: for servers that do almost nothing."""
    total = 0
    for pid in members(session):
        for schedstat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(schedstat.read_text().split()[0])
            except (OSError, IndexError):
                continue
    return total / 1e9


def pss_bytes(session: int) -> int:
    """Proportional set size of the session: memory that forked processes share counts once."""
    total = 0
    for pid in members(session):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def private_bytes_of_leaves(session: int) -> list[int]:
    """What each process of the session that has started no other shares with none: where workers are forked, the workers."""
    found = members(session)
    parents = {stat.parent for pid in found if (stat := _stat(pid))}
    sizes: list[int] = []
    for pid in found:
        if pid in parents:
            continue
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        private = [line for line in lines if line.startswith("Private_")]
        sizes.append(sum(int(line.split()[1]) * 1024 for line in private))
    return sizes


def busy_seconds(core: int) -> float:
    """Time that a core spent on anything at all, interrupts and stolen time included."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *values = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _wait, irq, softirq, steal = map(int, values[:8])
            return (user + nice + system + irq + softirq + steal) / TICK
    return 0.0
