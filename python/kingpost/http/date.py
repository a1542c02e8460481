"""Dates of HTTP fields (RFC 9110 section 5.6.7): written in one format, read in the three that there are.

Not email.utils: it takes what no HTTP date is, and its import costs more than this.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from functools import lru_cache

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_NAMES = tuple(_MONTHS)
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_LONGEST = len("Wednesday, 06-Nov-94 08:49:37 GMT")
_FORMATS = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        rf"\w{{3}}, (?P<day>\d\d) (?P<month>\w{{3}}) (?P<year>\d{{4}}) {_CLOCK} GMT",
        # The two that are obsolete, and still to be read: RFC 850's and asctime's.
        rf"\w{{6,9}}, (?P<day>\d\d)-(?P<month>\w{{3}})-(?P<year>\d\d) {_CLOCK} GMT",
        rf"\w{{3}} (?P<month>\w{{3}}) (?P<day>[ \d]\d) {_CLOCK} (?P<year>\d{{4}})",
    )
)


@lru_cache(maxsize=512)
def http_date(seconds: int) -> str:
    """`seconds` since 1970 as a field has it: `Sun, 06 Nov 1994 08:49:37 GMT`."""
    return http_date_of(time.gmtime(seconds))


def http_date_of(moment: time.struct_time) -> str:
    """As `http_date`, for a moment in UTC."""
    # strftime speaks the process's language, and HTTP English; and it writes years before 1000 as the system likes.
    day, month = _DAYS[moment.tm_wday], _NAMES[moment.tm_mon - 1]
    clock = f"{moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02}"
    return f"{day}, {moment.tm_mday:02} {month} {moment.tm_year:04} {clock} GMT"


def parse_http_date(text: str | None) -> int | None:
    """Seconds since 1970; None for what is no HTTP date, as RFC 9110 section 13.1.3 wants it ignored."""
    return _parse(text) if text is not None and len(text) <= _LONGEST else None


@lru_cache(maxsize=512)
def _parse(text: str) -> int | None:
    for pattern in _FORMATS:
        match = pattern.fullmatch(text)
        if match is None:
            continue
        day, hour, minute, second = (
            int(match[name]) for name in ("day", "hour", "minute", "second")
        )
        year = int(match["year"])
        if len(match["year"]) == 2:
            # "a timestamp that appears to be more than 50 years in the future" is of the last century.
            year += 2000 if year + 2000 <= time.gmtime().tm_year + 50 else 1900
        try:
            # A leap second is the next one.
            moment = datetime(
                year, _MONTHS.get(match["month"], 0), day, hour, minute, min(second, 59), tzinfo=UTC
            )
        except ValueError:
            return None
        return int(moment.timestamp()) + (second == 60)
    return None
