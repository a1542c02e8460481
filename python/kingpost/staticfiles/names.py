"""Names below a folder, as a URL says them: what is none on any system is none on this one.

Rule: a name that could mean a place outside of the folder, a device, or another name than the one it looks like, is refused before the file
system is asked; so nothing about what lies outside can be learned from how an answer looks or how long it takes.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_LONGEST = 255
"""Bytes of one part of a path that file systems take."""

# Windows has these in every folder, with any ending: https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *", re.IGNORECASE
)
# Slashes of Windows, drives and streams (":"), wildcards, and what stands for bytes that were no UTF-8.
_FORBIDDEN = frozenset('\\:*?"<>|\x7f\ufffd')
_ENCODED = re.compile(rb"%(?:2f|5c|00)", re.IGNORECASE)

DIGEST_DIGITS: Final = 16
_HASHED = re.compile(rf"(.+)\.([0-9a-f]{{{DIGEST_DIGITS}}})(\.[^./]+)?", re.ASCII | re.DOTALL)


def is_safe(name: str, *, dot_files: bool) -> bool:
    """Whether `name`, parts with slashes between them, can only be a file or folder below the one that it is looked up in."""
    return all(_is_safe_part(part, dot_files=dot_files) for part in name.split("/"))


def _is_safe_part(part: str, *, dot_files: bool) -> bool:
    if not part or part in (".", "..") or part[-1] in ". ":
        return False
    if part[0] == "." and not dot_files:
        return False
    if not _FORBIDDEN.isdisjoint(part) or min(part) < " ":
        return False
    return (
        len(part.encode("utf-8", "replace")) <= _LONGEST
        and _DEVICE.fullmatch(part.partition(".")[0]) is None
    )


def hides_a_slash(raw_path: bytes) -> bool:
    """Whether a path, as it was sent, has a slash, a backslash or a NUL percent-encoded: no name has one."""
    return b"%" in raw_path and _ENCODED.search(raw_path) is not None


class HashedName(NamedTuple):
    """A name with a digest of its content in it."""

    name: str
    digest: str


def with_digest(name: str, digest: str) -> str:
    """`css/app.css` with its digest: `css/app.0123456789abcdef.css`."""
    folder, slash, last = name.rpartition("/")
    stem, dot, extension = last.rpartition(".")
    if not stem:
        return f"{name}.{digest}"
    return f"{folder}{slash}{stem}.{digest}{dot}{extension}"


def without_digest(name: str) -> HashedName | None:
    """What `with_digest` made; None for a name that looks otherwise."""
    match = _HASHED.fullmatch(name)
    return None if match is None else HashedName(match[1] + (match[3] or ""), match[2])
