"""Every default limit of the Python layers. Each is on by default, and each has a test at the limit and one past it.

Limits of the HTTP/1 engine (heads, bodies, timeouts, connections) live in the engine and are read from `kingpost._native.LIMITS`;
nothing is written down twice.
"""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

QUERY_PAIRS: Final = 1_000
"""`name=value` pairs of one query string."""

FORM_BYTES: Final = 512 * KIB
"""Bytes of a form that is held in memory."""

FORM_FIELDS: Final = 1_000
"""Fields of one form."""

COOKIES: Final = 100
"""Cookies of one request; further ones are ignored, as a browser's own limits would."""

COOKIE_BYTES: Final = 4_096
"""Bytes of name and value of a cookie that we set (RFC 6265bis section 5.6: a browser refuses more)."""

COOKIE_ATTRIBUTE_BYTES: Final = 1_024
"""Bytes of one attribute value of a cookie that we set (RFC 6265bis section 5.6: a browser ignores more)."""

JSON_DEPTH: Final = 64
"""Arrays and objects inside each other in a JSON document."""

JSON_INTEGER_DIGITS: Final = 4_300
"""Digits of one JSON integer: the bound that CPython puts on int(str), quadratic work lies beyond (CVE-2020-10735)."""

ACCEPT_RANGES: Final = 64
"""Media ranges read of one Accept field; further ones are ignored."""

MEDIA_TYPE_BYTES: Final = 1 * KIB
"""Bytes of a Content-Type that are looked at; a longer one is no media type."""

DETAIL_INPUT_CHARACTERS: Final = 200
"""Characters of a refused value that are repeated in the answer."""

DOTENV_BYTES: Final = 1 * MIB
"""Bytes of a `.env` file."""

TRACEBACK_FRAMES: Final = 60
"""Frames of one exception on the development page; the middle of a longer stack is left out."""

TRACEBACK_CHAIN: Final = 10
"""Chained exceptions on the development page."""

TRACEBACK_LOCALS: Final = 50
"""Local variables shown per frame."""

TRACEBACK_VALUE_CHARACTERS: Final = 400
"""Characters of one shown value."""
