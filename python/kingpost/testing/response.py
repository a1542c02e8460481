"""What a test gets back for a request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kingpost.server.reply import ReplyHead
from kingpost.testing.cookies import CookieJar


class ReplyHeaders(Mapping[str, str]):
    """The header fields of an answer: names compare without case.

    A repeated field has its first value here, and all of them in `get_all`.
    """

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def __getitem__(self, name: str, /) -> str:
        lower = name.lower()
        for known, value in self._fields:
            if known == lower:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for name, _ in self._fields))

    def __len__(self) -> int:
        return len({name for name, _ in self._fields})

    def __contains__(self, name: object, /) -> bool:
        return isinstance(name, str) and any(known == name.lower() for known, _ in self._fields)

    def get_all(self, name: str, /) -> list[str]:
        """Every value of a field in the order sent; empty for none."""
        lower = name.lower()
        return [value for known, value in self._fields if known == lower]

    def pairs(self) -> list[tuple[str, str]]:
        """Every field in the order sent, names in lower case."""
        return list(self._fields)

    def __repr__(self) -> str:
        return f"ReplyHeaders({self._fields!r})"


class ReplyStart:
    """Status and header fields of an answer: what is known before its body."""

    def __init__(
        self, head: ReplyHead, url: str, jar: CookieJar, history: tuple[TestResponse, ...] = ()
    ) -> None:
        self.status = head.status
        """100 to 599."""
        self.reason = head.reason
        """The phrase after the status; "" where there is none."""
        self.headers = ReplyHeaders(head.fields)
        """The header fields."""
        self.url = url
        """Path and query that were asked for."""
        self.cookies: Mapping[str, str] = _cookies_of(self.headers)
        """The cookies that this answer sets: names and values. What the client keeps is `client.cookies`."""
        self.jar = jar
        """The client's cookies."""
        self.history = history
        """The redirects that led here, oldest first."""

    @property
    def request_id(self) -> str:
        """The id that the request has in logs; "" where the server sends none."""
        return self.headers.get("x-request-id", "")

    @property
    def media_type(self) -> str:
        """The type of the body without its parameters, in lower case; "" where it is not said."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_redirect(self) -> bool:
        """Whether the answer sends the client to another address."""
        return self.status in (301, 302, 303, 307, 308) and "location" in self.headers

    def encoding(self) -> str:
        """The name of the text encoding that the answer declares; UTF-8 where it declares none."""
        for parameter in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "charset" and value:
                return value.strip().strip('"')
        return "utf-8"


class TestResponse(ReplyStart):
    """A complete answer.

    Example:
        >>> response = client.get("/todos/7")
        >>> assert response.status == 200
        >>> assert response.json() == {"id": 7, "title": "learn to juggle"}
    """

    __test__ = False  # not a class of tests, whatever its name says to pytest

    def __init__(
        self,
        head: ReplyHead,
        content: bytes,
        url: str,
        jar: CookieJar,
        history: tuple[TestResponse, ...] = (),
    ) -> None:
        super().__init__(head, url, jar, history)
        self.content = content
        """The body as bytes."""

    @property
    def text(self) -> str:
        """The body as text, in the encoding that the answer declares.

        Raises:
            UnicodeDecodeError: it is not text in that encoding.
        """
        return self.content.decode(self.encoding())

    def json(self) -> Any:
        """The body, parsed as JSON.

        Raises:
            ValueError: it is not JSON; the message shows how it begins.
        """
        try:
            return json.loads(self.content)
        except ValueError as error:
            begin = self.content[:80].decode("utf-8", "replace")
            raise ValueError(
                f"the answer {self.status} to {self.url} is not JSON ({error}); it begins {begin!r}"
            ) from None

    def __repr__(self) -> str:
        return f"<TestResponse {self.status} {self.media_type or 'without a body type'}, {len(self.content)} bytes>"


def _cookies_of(headers: ReplyHeaders) -> dict[str, str]:
    found: dict[str, str] = {}
    for field in headers.get_all("set-cookie"):
        name, _, value = field.partition(";")[0].partition("=")
        found[name.strip()] = value.strip()
    return found
