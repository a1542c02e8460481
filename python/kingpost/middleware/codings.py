"""Content codings: gzip (RFC 1952), br (RFC 7932) and zstd (RFC 8878), and which of them a client wants (RFC 9110 section 12.5.3).

gzip is Python's own. The others are libraries of the extra `kingpost[compression]`, imported when a coding is first asked for; Python 3.14
brings zstd along.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from kingpost import limits
from kingpost.http.accept import qvalue


class Encoder(Protocol):
    """Makes one body smaller, piece by piece."""

    def add(self, data: bytes, /) -> bytes:
        """What is there to be sent after these bytes: everything, so that a client can read all that was given so far."""
        ...

    def end(self) -> bytes:
        """The rest, after which there is no more."""
        ...


class Coding(Protocol):
    """One way of compressing."""

    def whole(self, data: bytes, /) -> bytes:
        """A complete body."""
        ...

    def stream(self) -> Encoder:
        """A body that comes in pieces."""
        ...


# Levels where the next one costs much more time and saves little: measured by the authors of each on web pages.
GZIP_LEVEL = 5
BROTLI_QUALITY = 4
ZSTD_LEVEL = 3
# A stream keeps its window in memory for as long as it lasts: 512 KiB here, where the defaults keep megabytes.
BROTLI_STREAM_WINDOW = 19
# "must not require a window of more than 8 MB" (RFC 9659).
ZSTD_WINDOW_LOG = 20


class Gzip:
    def whole(self, data: bytes, /) -> bytes:
        # Without a time, equal answers are equal bytes.
        return zlib.compress(data, GZIP_LEVEL, wbits=31)

    def stream(self) -> Encoder:
        return GzipStream()


class GzipStream:
    def __init__(self) -> None:
        self._inner = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 31)

    def add(self, data: bytes, /) -> bytes:
        return self._inner.compress(data) + self._inner.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._inner.flush(zlib.Z_FINISH)


class Brotli:
    def __init__(self) -> None:
        self._module: Any = importlib.import_module("brotli")

    def whole(self, data: bytes, /) -> bytes:
        made: bytes = self._module.compress(data, quality=BROTLI_QUALITY)
        return made

    def stream(self) -> Encoder:
        return BrotliStream(
            self._module.Compressor(quality=BROTLI_QUALITY, lgwin=BROTLI_STREAM_WINDOW)
        )


class BrotliStream:
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def add(self, data: bytes, /) -> bytes:
        made: bytes = self._inner.process(data) + self._inner.flush()
        return made

    def end(self) -> bytes:
        made: bytes = self._inner.finish()
        return made


class Zstd:
    def __init__(self) -> None:
        try:
            self._module: Any = importlib.import_module("compression.zstd")
        except ImportError:
            self._module = importlib.import_module("backports.zstd")
        parameter = self._module.CompressionParameter
        self._options = {
            parameter.compression_level: ZSTD_LEVEL,
            parameter.window_log: ZSTD_WINDOW_LOG,
        }

    def whole(self, data: bytes, /) -> bytes:
        made: bytes = self._module.compress(data, options=self._options)
        return made

    def stream(self) -> Encoder:
        return ZstdStream(self._module.ZstdCompressor(options=self._options))


class ZstdStream:
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def add(self, data: bytes, /) -> bytes:
        made: bytes = self._inner.compress(data, self._inner.FLUSH_BLOCK)
        return made

    def end(self) -> bytes:
        made: bytes = self._inner.flush(self._inner.FLUSH_FRAME)
        return made


KNOWN: Mapping[str, Callable[[], Coding]] = MappingProxyType(
    {"zstd": Zstd, "br": Brotli, "gzip": Gzip}
)
"""By their names in fields; the one that we prefer first."""


def wanted(field: str | None, offers: Sequence[str]) -> str | None:
    """Which coding to use; None for none.

    Args:
        field: Accept-Encoding; None where it is absent, and then nothing is compressed: who can read it says so.
        offers: what we can do, the one we prefer first.
    """
    if not field:
        return None
    weights: dict[str, float] = {}
    for piece in field.split(",", limits.ACCEPT_RANGES)[: limits.ACCEPT_RANGES]:
        name, *parameters = (part.strip(" \t") for part in piece.split(";"))
        weight = weight_in(parameters)
        if name and weight is not None:
            weights.setdefault(name.lower().replace("x-gzip", "gzip"), weight)
    rest = weights.get("*", 0.0)
    best, best_weight = None, 0.0
    for offer in offers:
        weight = weights.get(offer, rest)
        if weight > best_weight:
            best, best_weight = offer, weight
    return None if best_weight < weights.get("identity", 0.0) else best


def weight_in(parameters: Sequence[str]) -> float | None:
    """The weight among the parameters of one coding, 1 where there is none; None where it is malformed."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip(" \t").lower() == "q":
            return qvalue(value.strip(" \t"))
    return 1.0
