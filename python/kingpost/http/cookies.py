"""Cookies, both ways (RFC 6265bis).

Rule 1: a cookie without a name is ignored on the way in and cannot be set: `=__Host-x=v` would pass for `__Host-x` (CVE-2023-23934).
Rule 2: the promises that a name's prefix makes (`__Host-`, `__Secure-`, `__Http-`) are kept when it is set; browsers drop it otherwise,
and a cookie that silently is not there is the harder mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from kingpost import limits
from kingpost.http.date import http_date_of
from kingpost.http.media_type import is_token
from kingpost.types import SameSite

# RFC 6265bis section 4.1.1: cookie-octet.
_VALUE_CHARACTERS = frozenset(map(chr, range(0x21, 0x7F))) - frozenset('",;\\')
_ATTRIBUTE_CHARACTERS = frozenset(map(chr, range(0x20, 0x7F))) - {";"}
_DOMAIN_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")
_SAME_SITE = {"lax": "Lax", "strict": "Strict", "none": "None"}


def parse_cookies(fields: Iterable[str]) -> dict[str, str]:
    """Names and values of Cookie fields; the first of a name wins, since browsers send the most specific path first.

    At most 100 cookies are read, and 8 KiB of names and values; those behind are ignored. A pair of double quotes around a value is part of
    it (RFC 6265bis section 5.8.3 keeps them), so values come back as they were set.
    """
    cookies: dict[str, str] = {}
    left = limits.COOKIES_BYTES
    for field in fields:
        for piece in field.split(";", limits.COOKIES)[: limits.COOKIES]:
            name, equals, value = piece.partition("=")
            name, value = name.strip(" \t"), value.strip(" \t")
            if not equals or not name or name in cookies:
                continue
            left -= len(name) + len(value)
            if left < 0 or len(cookies) == limits.COOKIES:
                return cookies
            cookies[name] = value
    return cookies


def set_cookie_field(
    name: str,
    value: str,
    *,
    max_age: int | timedelta | None = None,
    expires: datetime | None = None,
    path: str | None = "/",
    domain: str | None = None,
    http_only: bool = True,
    secure: bool = True,
    same_site: SameSite = "lax",
    partitioned: bool = False,
) -> str:
    """The value of a Set-Cookie field.

    `Response.set_cookie` says what the arguments are, and has the same ones: where users read a signature, it is written
    out.

    Raises:
        ValueError: An argument cannot stand in a cookie, or two contradict each other; the message names the cookie and the rule.
    """
    _check_name(name)
    _check_value(name, value)
    _check_prefix(name, path=path, domain=domain, secure=secure, http_only=http_only)
    _check_same_site(name, same_site, secure=secure, partitioned=partitioned)
    parts = [f"{name}={value}"]
    if max_age is not None:
        parts.append(f"Max-Age={_seconds(name, max_age)}")
    if expires is not None:
        parts.append(f"Expires={_http_date(name, expires)}")
    if domain is not None:
        parts.append(f"Domain={_checked_domain(name, domain)}")
    if path is not None:
        parts.append(f"Path={_checked_path(name, path)}")
    if secure:
        parts.append("Secure")
    if http_only:
        parts.append("HttpOnly")
    parts.append(f"SameSite={_SAME_SITE[same_site]}")
    if partitioned:
        parts.append("Partitioned")
    return "; ".join(parts)


def same_cookie(one: str, other: str) -> bool:
    """Whether two Set-Cookie values are about one cookie: the same name, domain and path (RFC 6265bis section 5.7)."""
    return _identity(one) == _identity(other)


def _identity(field: str) -> tuple[str, ...]:
    name_and_value, *attributes = field.split("; ")
    name = name_and_value.partition("=")[0]
    # We wrote both fields, so the attributes come in one order and spelling.
    return name, *(
        attribute for attribute in attributes if attribute.startswith(("Domain=", "Path="))
    )


def _check_name(name: str) -> None:
    if not is_token(name):
        raise ValueError(
            f"cookie name {name!r}: one or more ASCII letters, digits or !#$%&'*+-.^_`|~ (RFC 6265bis section 4.1.1)"
        )


def _check_value(name: str, value: str) -> None:
    if not _VALUE_CHARACTERS.issuperset(value):
        bad = next(character for character in value if character not in _VALUE_CHARACTERS)
        raise ValueError(
            f'cookie {name!r}: the value holds {bad!a}; printable ASCII without blanks and " , ; \\ may stand in it '
            "(RFC 6265bis section 4.1.1), so encode it, for instance with urllib.parse.quote"
        )
    if len(name) + len(value) > limits.COOKIE_BYTES:
        raise ValueError(
            f"cookie {name!r}: name and value have {len(name) + len(value)} bytes and browsers drop more than {limits.COOKIE_BYTES}; "
            "keep the data on the server and only its key in the cookie"
        )


def _check_prefix(
    name: str, *, path: str | None, domain: str | None, secure: bool, http_only: bool
) -> None:
    # Compared without case, as browsers do (RFC 6265bis section 5.4).
    lower = name.lower()
    host = lower.startswith(("__host-", "__host-http-"))
    http = lower.startswith(("__http-", "__host-http-"))
    if (host or http or lower.startswith("__secure-")) and not secure:
        raise ValueError(f"cookie {name!r}: its prefix promises secure=True")
    if host and domain is not None:
        raise ValueError(
            f"cookie {name!r}: the prefix __Host- promises that there is no domain, and domain={domain!r} is given"
        )
    if host and path != "/":
        raise ValueError(
            f"cookie {name!r}: the prefix __Host- promises path='/', and path={path!r} is given"
        )
    if http and not http_only:
        raise ValueError(f"cookie {name!r}: its prefix promises http_only=True")


def _check_same_site(name: str, same_site: str, *, secure: bool, partitioned: bool) -> None:
    if same_site not in _SAME_SITE:
        raise ValueError(
            f"cookie {name!r}: same_site={same_site!r} is none of 'lax', 'strict', 'none'"
        )
    if same_site == "none" and not secure:
        raise ValueError(
            f"cookie {name!r}: same_site='none' needs secure=True, browsers drop it otherwise (RFC 6265bis section 5.7)"
        )
    if partitioned and not secure:
        raise ValueError(
            f"cookie {name!r}: partitioned=True needs secure=True, browsers drop it otherwise"
        )


def _seconds(name: str, max_age: int | timedelta) -> int:
    if isinstance(max_age, timedelta):
        return int(max_age.total_seconds())
    if not _is_whole(max_age):
        raise ValueError(f"cookie {name!r}: max_age={max_age!r} is no whole number of seconds")
    return max_age


def _is_whole(value: object) -> bool:
    # Typed as object: who calls without a checker may give anything.
    return isinstance(value, int) and not isinstance(value, bool)


def _http_date(name: str, moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError(
            f"cookie {name!r}: expires={moment!r} has no time zone; write datetime.now(UTC) + timedelta(days=1)"
        )
    return http_date_of(moment.utctimetuple())


def _checked_domain(name: str, domain: str) -> str:
    bare = domain.removeprefix(".")
    labels = bare.split(".")
    if (
        len(bare) > 253
        or not _DOMAIN_CHARACTERS.issuperset(bare)
        or not all(0 < len(label) <= 63 for label in labels)
    ):
        raise ValueError(
            f"cookie {name!r}: domain={domain!r} is no host name; write it in ASCII, such as 'example.org'"
        )
    return bare.lower()


def _checked_path(name: str, path: str) -> str:
    if not path.startswith("/"):
        raise ValueError(
            f"cookie {name!r}: path={path!r} does not begin with '/', browsers would replace it"
        )
    if not _ATTRIBUTE_CHARACTERS.issuperset(path) or len(path) > limits.COOKIE_ATTRIBUTE_BYTES:
        raise ValueError(
            f"cookie {name!r}: path={path!r} holds ';' or a character outside printable ASCII, or more than 1 KiB"
        )
    return path
