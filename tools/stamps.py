"""What is done already: a stamp is a small file that holds the digest of what a step was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tools.console import ROOT


def digest(files: Iterable[Path], *words: str) -> str:
    """Return a digest of these files' names and contents, and of the words."""
    total = hashlib.sha256()
    for file in sorted(files):
        total.update(f"{file.relative_to(ROOT)}\0".encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    total.update("\0".join(words).encode())
    return total.hexdigest()


def is_fresh(stamp: Path, value: str) -> bool:
    """Whether the step was done with exactly this digest."""
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == value


def write(stamp: Path, value: str) -> None:
    """Remember that the step was done with this digest."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(value, encoding="utf-8")
