"""The cookies that a test client keeps between requests.

It does what a browser does for one site, with one difference that is meant: the client's own host counts as a secure
place, as `localhost` does in browsers, so that `Secure` cookies come back over plain http.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie as the server set it."""

    name: str
    value: str
    path: str = "/"
    domain: str = ""
    """Empty for the host that set it alone."""
    expires: float | None = None
    """Unix seconds; None for the end of the client."""
    secure: bool = False
    http_only: bool = False
    same_site: str = ""


class CookieJar(MutableMapping[str, str]):
    """A mapping of names to values, and the rules by which they are sent.

    `jar["session"]` is the value of the cookie of that name, whatever its path. Setting one by hand makes it a cookie
    for every path.
    """

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str, str], Cookie] = {}

    def __getitem__(self, name: str) -> str:
        # The longest path is the one that a browser would send first.
        return max(self.find(name), key=lambda cookie: len(cookie.path)).value

    def __setitem__(self, name: str, value: str) -> None:
        self._keep(Cookie(name, value))

    def __delitem__(self, name: str) -> None:
        for cookie in self.find(name):
            del self._cookies[cookie.name, cookie.domain, cookie.path]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(cookie.name for cookie in self._alive()))

    def __len__(self) -> int:
        return len({cookie.name for cookie in self._alive()})

    def find(self, name: str) -> list[Cookie]:
        """Every cookie of that name, one for each path, with its attributes.

        Raises:
            KeyError: there is none.
        """
        found = [cookie for cookie in self._alive() if cookie.name == name]
        if not found:
            raise KeyError(name)
        return found

    def receive(self, field: str, host: str, path: str) -> None:
        """Takes in one Set-Cookie field that `host` sent with the answer to `path` (RFC 6265bis section 5.7)."""
        cookie = _parse(field, path)
        if cookie is None or (cookie.domain and not _domain_matches(host, cookie.domain)):
            return
        if cookie.expires is not None and cookie.expires <= time.time():
            self._cookies.pop((cookie.name, cookie.domain, cookie.path), None)
        else:
            self._keep(cookie)

    def field(self, path: str) -> str:
        """The value of the Cookie field for a request to `path`; empty for none (RFC 6265bis section 5.8.3)."""
        fitting = [cookie for cookie in self._alive() if _path_matches(path, cookie.path)]
        # Longer paths first; the sort keeps the order of setting among equals.
        fitting.sort(key=lambda cookie: -len(cookie.path))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in fitting)

    def _keep(self, cookie: Cookie) -> None:
        self._cookies[cookie.name, cookie.domain, cookie.path] = cookie

    def _alive(self) -> list[Cookie]:
        now = time.time()
        return [one for one in self._cookies.values() if one.expires is None or one.expires > now]


def _parse(field: str, path: str) -> Cookie | None:
    pair, *rest = field.split(";")
    name, equals, value = pair.partition("=")
    name, value = name.strip(" \t"), value.strip(" \t")
    if not equals or not name:
        return None
    attributes: dict[str, str] = {}
    for attribute in rest:
        key, _, text = attribute.partition("=")
        attributes[key.strip(" \t").lower()] = text.strip(" \t")
    where = attributes.get("path", "")
    return Cookie(
        name=name,
        value=value,
        path=where if where.startswith("/") else _default_path(path),
        domain=attributes.get("domain", "").lstrip(".").lower(),
        expires=_end(attributes),
        secure="secure" in attributes,
        http_only="httponly" in attributes,
        same_site=attributes.get("samesite", "").lower(),
    )


def _end(attributes: dict[str, str]) -> float | None:
    # Max-Age wins over Expires (RFC 6265bis section 5.7, step 3).
    age = attributes.get("max-age", "")
    if age.removeprefix("-").isdecimal():
        return time.time() + int(age) if int(age) > 0 else 0.0
    return _date(attributes.get("expires", ""))


def _date(text: str) -> float | None:
    """An IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT", as Unix seconds; None for anything else."""
    try:
        _, day, month, year, clock, _ = text.replace("-", " ").split()
        hour, minute, second = clock.split(":")
        number = _MONTHS.index(month.lower()) + 1
        return datetime(
            int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=UTC
        ).timestamp()
    except ValueError:
        return None


def _default_path(path: str) -> str:
    folder = path.rpartition("/")[0]
    return folder if folder.startswith("/") else "/"


def _path_matches(path: str, cookie: str) -> bool:
    return path == cookie or (
        path.startswith(cookie) and (cookie.endswith("/") or path[len(cookie)] == "/")
    )


def _domain_matches(host: str, domain: str) -> bool:
    return host == domain or host.endswith("." + domain)
