"""Changing files that somebody watches."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def save(file: Path, text: str) -> None:
    """Writes a file anew in one go: who watches it sees one change, and never a file that is empty for a moment."""
    # Without an ending: a file that no server watches.
    descriptor, made = tempfile.mkstemp(dir=file.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)
    Path(made).replace(file)
