"""Noticing that a project's files have changed, by looking: no dependency, the same on every system."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

# What people write and programs read when they start. Not .json, .csv or .txt: programs keep their data in such files, and
# must not be restarted for having done so.
SUFFIXES = (".py", ".html", ".css", ".js", ".sql", ".toml", ".env")

# Never the user's own source: caches, repositories, environments, what tools write.
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages", "build", "dist", "target"})

# What identifies a version of a file: time of change, size, inode (an editor may replace a file within one tick).
_Stamp = tuple[int, int, int]


class Watcher:
    """Remembers how the files below `roots` looked and says which look different now.

    Files whose name ends with one of SUFFIXES count, and files named `.env.something`. Hidden folders, virtual
    environments and caches are not entered.
    """

    def __init__(self, roots: Iterable[Path]) -> None:
        self._roots = [str(root) for root in roots]
        self._seen = self._look()

    def changed(self) -> list[Path]:
        """Files that were changed, added or removed since the last call."""
        seen = self._look()
        if seen == self._seen:
            return []
        names = {name for name, _ in self._seen.items() ^ seen.items()}
        self._seen = seen
        return sorted(Path(name) for name in names)

    def _look(self) -> dict[str, _Stamp]:
        seen: dict[str, _Stamp] = {}
        for root in self._roots:
            for entry in _files(root):
                try:
                    found = entry.stat()
                except OSError:
                    continue  # removed while we looked
                seen[entry.path] = (found.st_mtime_ns, found.st_size, found.st_ino)
        return seen


def _files(folder: str) -> Iterator[os.DirEntry[str]]:
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                listed = list(entries)
        except OSError:
            continue
        if any(entry.name == "pyvenv.cfg" for entry in listed):
            continue
        for entry in listed:
            if entry.name.endswith(SUFFIXES) or entry.name.startswith(".env."):
                yield entry
            elif (
                entry.name not in _SKIPPED and not entry.name.startswith(".") and _is_folder(entry)
            ):
                waiting.append(entry.path)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def forget_bytecode(sources: Iterable[Path]) -> None:
    """Removes the cached bytecode of changed sources.

    Python trusts a cache whose source has the same size and the same second of change: a digit that is changed twice
    within one second would be run in its old version.
    """
    from importlib.util import cache_from_source

    for source in sources:
        if source.suffix == ".py":
            with contextlib.suppress(OSError, NotImplementedError):
                Path(cache_from_source(str(source))).unlink()
