"""One file of a folder, open, with its precompressed variants and all that is said about it: ready to be answered with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from kingpost._native import Answer, FileBody, OpenFile
from kingpost.http.cache_control import CacheControl
from kingpost.http.date import http_date
from kingpost.http.extensions import media_type_of_name
from kingpost.http.files import NANOSECONDS, Representation
from kingpost.http.request import Request
from kingpost.http.response import NOSNIFF
from kingpost.staticfiles.codings import best
from kingpost.staticfiles.names import DIGEST_DIGITS

LARGEST_HASHED: Final = 4 * 1024 * 1024
"""Bytes of a file above which its content is not looked at: it has no hashed name."""

FOR_EVER: Final = str(CacheControl(public=True, max_age=365 * 24 * 3600, immutable=True))
"""What caches are told of a name that never means another content."""

ASK: Final = str(CacheControl(no_cache=True))
"""What they are told of a name that may mean another content tomorrow."""


class Found(NamedTuple):
    """Where a file lies, and where its variants by their codings do; nothing is opened."""

    name: str
    path: Path
    variants: Mapping[str, Path]


class State(NamedTuple):
    """What a file was like when its content was read; another state is another content."""

    path: Path
    etag: str


@lru_cache(maxsize=4096)
def _digest(state: State) -> str | None:
    file = OpenFile(state.path, follow=False)
    if file.etag != state.etag:
        # It was replaced a moment ago; the next look sees what it is now.
        return None
    digest = hashlib.blake2b(digest_size=DIGEST_DIGITS // 2)
    for piece in FileBody(file):
        digest.update(piece)
    return digest.hexdigest()


def digest_of(path: Path, file: OpenFile) -> str | None:
    """A digest of a file's content, read once for each state of it; None for a large one."""
    if file.size > LARGEST_HASHED:
        return None
    return _digest(State(path, file.etag))


class Ready:
    """One form of an asset: what is sent to a request that takes it."""

    __slots__ = ("_fields", "_representation", "_sent", "_whole", "size")

    def __init__(
        self, path: Path, media_type: str, cache: str, coding: str | None, vary: tuple[str, ...]
    ) -> None:
        file = OpenFile(path, follow=False)
        digest = digest_of(path, file)
        modified = file.modified_ns // NANOSECONDS
        self.size = file.size
        self._representation = Representation(
            file, file.etag if digest is None else f'"{digest}"', modified, media_type
        )
        self._fields = [
            ("content-type", media_type),
            NOSNIFF,
            ("cache-control", cache),
            ("etag", self._representation.etag),
            ("last-modified", http_date(modified)),
            ("accept-ranges", "bytes"),
        ]
        if coding is not None:
            self._fields.append(("content-encoding", coding))
        if vary:
            self._fields.append(("vary", ", ".join(vary)))
        self._whole = FileBody(file)
        self._sent = Answer(200, self._fields, self._whole)

    def answer(self, request: Request) -> Answer:
        """What is sent to a request."""
        return self._representation.answer(request, self._fields, self._whole, self._sent)


class Asset:
    """A file under one of its names.

    Args:
        found: where it lies.
        cache: what caches are told.
        vary: the request's fields, beside Accept-Encoding, that this answer depends on.

    Raises:
        OSError: it cannot be opened any more.
    """

    __slots__ = ("_plain", "_sizes", "_variants")

    def __init__(self, found: Found, cache: str, vary: tuple[str, ...] = ()) -> None:
        media_type = media_type_of_name(found.name)
        if found.variants:
            vary = (*vary, "accept-encoding")
        self._plain = Ready(found.path, media_type, cache, None, vary)
        self._variants = {
            coding: Ready(path, media_type, cache, coding, vary)
            for coding, path in found.variants.items()
        }
        self._sizes = {coding: variant.size for coding, variant in self._variants.items()}

    def answer(self, request: Request) -> Answer:
        """What is sent to a request, in the coding that it wants most."""
        if self._sizes:
            coding = best(request.headers.get("accept-encoding"), self._sizes)
            if coding is not None:
                return self._variants[coding].answer(request)
        return self._plain.answer(request)
