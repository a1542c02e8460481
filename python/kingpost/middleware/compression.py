"""`Compression`: answers made smaller on their way, where the client can read it and it is worth it (RFC 9110 section 8.4).

Rule 1: another coding is another representation: `Vary: Accept-Encoding`, and a strong entity tag becomes a weak one (section 8.8.1).
Rule 2: what somebody else has encoded, cut into ranges, or forbidden to transform stays as it is (sections 7.7 and 14).
Rule 3: a stream stays one: what was given can be read by the client at once.

A secret and what an attacker writes must not be compressed together: the length of the answer tells how alike they are (BREACH,
CVE-2013-3587). Tokens of our own are masked anew for each answer; `Cache-Control: no-transform` leaves an answer out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from kingpost._native import FileBody
from kingpost.http.before_body import before_body
from kingpost.http.headers import ResponseHeaders
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.http.vary import add_vary
from kingpost.middleware.codings import KNOWN, Coding, Encoder, wanted
from kingpost.middleware.refusal import refused
from kingpost.middleware.streams import BLOCKING, send_through
from kingpost.routing.around import CallNext

# Whose bytes are text, or as good as. Pictures, films, fonts for the web and archives are compressed already.
COMPRESSIBLE = frozenset(
    {
        "application/atom+xml",
        "application/javascript",
        "application/json",
        "application/jsonl",
        "application/manifest+json",
        "application/msgpack",
        "application/rss+xml",
        "application/rtf",
        "application/toml",
        "application/vnd.ms-fontobject",
        "application/wasm",
        "application/x-ndjson",
        "application/xml",
        "application/yaml",
        "font/otf",
        "font/ttf",
        "image/bmp",
        "image/svg+xml",
        "image/x-icon",
    }
)
# Events must leave at once, and proxies that know gzip hold them back.
_NEVER = frozenset({"text/event-stream"})
# Digests of the bytes as they were (RFC 9530, RFC 1864).
_DIGESTS = ("content-digest", "repr-digest", "digest", "content-md5")


@before_body
class Compression:
    """Compresses answers by what the client accepts: zstd, br or gzip.

    Bodies that are whole, and streams, chunk by chunk. Files from disk (`FileResponse`) are sent as they lie there: static folders have
    variants that were compressed before.

    Args:
        codings: What may be used, the one that is preferred first among those that the client likes alike; all whose libraries are
            installed if not said.
        minimum: Bytes of a body from which on it is worth it, >= 0.
        also: Further media types that are worth it, such as "application/vnd.example".

    Raises:
        ConfigurationError: `compression.unknown-coding`, `compression.missing-library`, `compression.bad-minimum`,
            `compression.bad-type`.

    Example:
        `app.middleware(Compression())`
    """

    def __init__(
        self,
        *,
        codings: Sequence[str] | None = None,
        minimum: int = 1_024,
        also: Sequence[str] = (),
    ) -> None:
        self._codings = installed() if codings is None else named(codings)
        self._offers = tuple(self._codings)
        if minimum < 0:
            raise refused(
                "compression.bad-minimum", f"minimum={minimum!r} is no size", "write minimum=1024"
            )
        for media_type in (also,) if isinstance(also, str) else also:
            if isinstance(also, str) or media_type.count("/") != 1 or media_type.endswith("*"):
                raise refused(
                    "compression.bad-type",
                    f"also: {media_type!r} is no media type",
                    'write also=["application/vnd.example"]',
                )
        self._minimum = minimum
        self._types = COMPRESSIBLE | {media_type.lower() for media_type in also}

    async def __call__(self, request: Request, call_next: CallNext) -> Response[Any]:
        response = await call_next(request)
        headers = response.headers
        name = wanted(request.headers.get("accept-encoding"), self._offers)
        if response.status == 304:
            # It speaks of the 200 that would have been sent, and whose fields it repeats.
            add_vary(headers, "accept-encoding")
            if name is not None:
                weaken(headers)
            return response
        if not self._is_worth_it(request, response):
            return response
        add_vary(headers, "accept-encoding")
        if name is not None:
            await encode(response, name, self._codings[name])
        return response

    def _is_worth_it(self, request: Request, response: Response[Any]) -> bool:
        headers, body, chunks = response.headers, response.body, response.chunks
        if body is None:
            if chunks is None or isinstance(chunks, FileBody):
                return False
        elif len(body) < self._minimum or not body:
            return False
        return (
            response.status not in (204, 206)
            and "content-encoding" not in headers
            and "content-range" not in headers
            and not any(digest in headers for digest in _DIGESTS)
            and not is_forbidden(headers)
            and self._is_compressible(headers.get("content-type", ""))
        )

    def _is_compressible(self, content_type: str) -> bool:
        essence = content_type.partition(";")[0].strip(" \t").lower()
        if essence in _NEVER:
            return False
        return (
            essence.startswith("text/")
            or essence.endswith(("+json", "+xml"))
            or essence in self._types
        )


def installed() -> dict[str, Coding]:
    """The codings whose libraries are there."""
    found: dict[str, Coding] = {}
    for name, make in KNOWN.items():
        try:
            found[name] = make()
        except ImportError:
            continue
    return found


def named(codings: Sequence[str]) -> dict[str, Coding]:
    found: dict[str, Coding] = {}
    for name in (codings,) if isinstance(codings, str) else codings:
        make = KNOWN.get(name)
        if make is None or isinstance(codings, str):
            raise refused(
                "compression.unknown-coding",
                f"codings: {name!r} is none" if make is None else f"codings={codings!r} is no list",
                f"write codings={list(KNOWN)!r}, or some of them",
            )
        try:
            found[name] = make()
        except ImportError as error:
            raise refused(
                "compression.missing-library",
                f"the coding {name!r} needs a library that is not installed: {error}",
                'run pip install "kingpost[compression]"',
            ) from error
    if not found:
        raise refused(
            "compression.unknown-coding", "codings=[] leaves none", "leave the middleware out"
        )
    return found


def is_forbidden(headers: ResponseHeaders) -> bool:
    """Whether nobody may change the form of the answer (RFC 9111 section 5.2.2.6)."""
    return any(
        part.strip(" \t").lower() == "no-transform"
        for field in headers.get_all("cache-control")
        for part in field.split(",")
    )


def weaken(headers: ResponseHeaders) -> None:
    """Makes an entity tag a weak one: it names the content, in whichever coding."""
    tag = headers.get("etag", "")
    if tag.startswith('"'):
        headers["etag"] = f"W/{tag}"


async def encode(response: Response[Any], name: str, coding: Coding) -> None:
    """Puts the body in a coding; leaves it where that makes it longer."""
    body = response.body
    if body is not None:
        if len(body) > BLOCKING:
            made = await asyncio.to_thread(coding.whole, body)
        else:
            made = coding.whole(body)
        if len(made) >= len(body):
            return
        response.body = made
    else:
        send_through(response, Encoding(coding.stream()))
    response.headers["content-encoding"] = name
    response.headers.pop("accept-ranges", None)
    weaken(response.headers)


class Encoding:
    """A stream is compressed as it comes."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def add(self, data: bytes, /) -> bytes:
        # A flush without data would make the body longer.
        return self._encoder.add(data) if data else b""

    def end(self) -> bytes:
        return self._encoder.end()

    def over(self, *, whole: bool) -> None:
        """Nothing is left to do: the encoder ends with this object."""
