"""What there is in a folder: looked up anew at every request, or listed once when the App starts.

Rule 1: only regular files whose real place is below the folder's real place are there, whatever links say; a variant too.
Rule 2: a listed folder is as it was: what is added later is not there, and no request makes the file system look anything up.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from kingpost._native import OpenFile
from kingpost.staticfiles.asset import Found, digest_of
from kingpost.staticfiles.codings import SUFFIXES
from kingpost.staticfiles.names import is_safe, with_digest, without_digest


class Library(Protocol):
    """Finds files by their names below the folder."""

    def find(self, name: str) -> Found | None:
        """The file called `name`, which may have a digest in it; None where there is none."""
        ...

    def digest(self, name: str) -> str | None:
        """The digest of a file's content as it is now; None where there is no such file, or it is a large one."""
        ...


class Folder:
    """A folder that may change at any time: for development.

    Args:
        root: the folder.
        dot_files: whether names that begin with a dot are there.
    """

    def __init__(self, root: Path, *, dot_files: bool) -> None:
        self.root = root.resolve()
        self.dot_files = dot_files

    def find(self, name: str) -> Found | None:
        path = self.place(name)
        if path is not None:
            return Found(name, path, self._variants(name, path))
        hashed = without_digest(name)
        if hashed is None:
            return None
        path = self.place(hashed.name)
        return None if path is None else Found(hashed.name, path, self._variants(hashed.name, path))

    def digest(self, name: str) -> str | None:
        path = self.place(name)
        return None if path is None else digest_of(path, OpenFile(path, follow=False))

    def place(self, name: str) -> Path | None:
        """The real path of a regular file below the folder; None where there is none."""
        if not is_safe(name, dot_files=self.dot_files):
            return None
        path = self.root.joinpath(*name.split("/")).resolve()
        return path if path.is_relative_to(self.root) and path.is_file() else None

    def _variants(self, name: str, path: Path) -> dict[str, Path]:
        return {
            coding: variant
            for coding, suffix in SUFFIXES.items()
            if (variant := self.place(name + suffix)) is not None
            # One that is older was made of another content.
            and variant.stat().st_mtime_ns >= path.stat().st_mtime_ns
        }


class Listing:
    """A folder as it was when it was listed: for production.

    Args:
        folder: what is listed.
    """

    def __init__(self, folder: Folder) -> None:
        self._found: dict[str, Found] = {}
        self._digests: dict[str, str] = {}
        for name in names_in(folder):
            found = folder.find(name)
            if found is None:
                continue
            self._found[name] = found
            digest = digest_of(found.path, OpenFile(found.path, follow=False))
            if digest is not None:
                self._digests[name] = digest
        for name, digest in self._digests.items():
            self._found.setdefault(with_digest(name, digest), self._found[name])

    def find(self, name: str) -> Found | None:
        found = self._found.get(name)
        if found is None:
            hashed = without_digest(name)
            # A page of an earlier release asks for what the file was called then.
            found = None if hashed is None else self._found.get(hashed.name)
        return found

    def digest(self, name: str) -> str | None:
        return self._digests.get(name)


def names_in(folder: Folder) -> Iterator[str]:
    """The names of all that may be files below a folder; links to folders are followed once and only inside of it."""
    seen = {folder.root}
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        for entry in sorted((folder.root / prefix).iterdir()):
            name = f"{prefix}{entry.name}"
            if not is_safe(name, dot_files=folder.dot_files):
                continue
            if not entry.is_dir():
                yield name
                continue
            place = entry.resolve()
            if place not in seen and place.is_relative_to(folder.root):
                seen.add(place)
                waiting.append(f"{name}/")
