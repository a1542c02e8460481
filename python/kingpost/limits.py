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

FORM_DEPTH: Final = 8
"""Brackets of one name of a form or a query: `address[city]` has one."""

LARGEST: Final = 2**63 - 1
"""Stands for "no limit of its own" where another one holds."""

UPLOAD_BYTES: Final = 16 * MIB
"""Bytes of a body with files, and of each file in it, where the route does not say `max_body`."""

UPLOAD_IN_MEMORY: Final = 256 * KIB
"""Bytes of one uploaded file that are held in memory; a larger one lies in a temporary file."""

FILENAME_BYTES: Final = 255
"""Bytes of the name of an uploaded file, made safe; what file systems take."""

COOKIES: Final = 100
"""Cookies of one request; further ones are ignored, as a browser's own limits would."""

COOKIES_BYTES: Final = 8 * KIB
"""Bytes of the names and values of all cookies of one request; the first that does not fit and those behind it are ignored."""

COOKIE_BYTES: Final = 4_096
"""Bytes of name and value of a cookie that we set (RFC 6265bis section 5.6: a browser refuses more)."""

COOKIE_ATTRIBUTE_BYTES: Final = 1_024
"""Bytes of one attribute value of a cookie that we set (RFC 6265bis section 5.6: a browser ignores more)."""

TRAVERSAL_DEPTH: Final = 64
"""Steps of a walk through a tree of objects."""

JSON_DEPTH: Final = 64
"""Arrays and objects inside each other in a JSON document."""

JSON_INTEGER_DIGITS: Final = 4_300
"""Digits of one JSON integer: the bound that CPython puts on int(str), quadratic work lies beyond (CVE-2020-10735)."""

ACCEPT_RANGES: Final = 64
"""Media ranges read of one Accept field; further ones are ignored."""

RANGES: Final = 16
"""Ranges of one Range field; of a field with more the whole file is sent."""

MEDIA_TYPE_BYTES: Final = 1 * KIB
"""Bytes of a Content-Type that are looked at; a longer one is no media type."""

SIGNED_CHARACTERS: Final = 64 * KIB
"""Characters of a signed or encrypted value; a longer one is refused before any work."""

SIGNED_SKEW_SECONDS: Final = 60
"""Seconds that the clock of the host which signed may be ahead of ours."""

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

FORWARDED_ELEMENTS: Final = 32
"""Entries of one `X-Forwarded-…` or `Forwarded` field of a trusted proxy; a request with more is refused."""

RATE_LIMIT_KEYS: Final = 50_000
"""Clients that one rate limit counts in memory, some 10 MB; of more the one that was counted first is forgotten."""

CSP_REPORTS: Final = 20
"""Reports about a Content Security Policy that are read of one request."""

CSP_REPORT_CHARACTERS: Final = 512
"""Characters of one member of such a report."""

LOG_CHARACTERS: Final = 2_048
"""Characters of a path that the access log writes."""

FEED_EVENTS: Final = 1_000
"""Events that a Feed keeps for those who come back."""

FEED_BYTES: Final = 16 * MIB
"""Bytes of the events that a Feed keeps."""

FEED_EVENT_BYTES: Final = 1 * MIB
"""Bytes of one event of a Feed."""

FEED_TOLD_BYTES: Final = 512 * KIB
"""Bytes of the last events that a worker is told by the others when it starts."""

CHANNEL_NAME_BYTES: Final = 255
"""Bytes of the name of a channel."""

CHANNEL_MESSAGE_BYTES: Final = 1 * MIB
"""Bytes of one message that is published; what a WebSocket takes at most as well."""

CHANNEL_QUEUE: Final = 1_000
"""Messages that wait for one subscriber of a channel; of more the oldest are dropped, and counted."""

WEBSOCKET_AFTERLIFE_SECONDS: Final = 30.0
"""Seconds that a WebSocket's handler has when its client's connection is gone; then it is cancelled."""
