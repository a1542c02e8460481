"""Answers that say more than their content: status, header fields, cookies; and redirects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, Self, TypeAlias, TypeVar, Unpack, overload

from kingpost._native import FileBody
from kingpost.errors import BadRequest
from kingpost.http.cache_control import CacheControl, CacheOptions
from kingpost.http.cookies import same_cookie, set_cookie_field
from kingpost.http.headers import Fields, ResponseHeaders, check_field
from kingpost.http.url import encode_reference, leaves_site
from kingpost.types import SameSite

NOSNIFF: Final = ("x-content-type-options", "nosniff")
READY: Final = (
    ResponseHeaders(),
    *(
        ResponseHeaders([("content-type", media_type), NOSNIFF])
        for media_type in (
            "text/plain; charset=utf-8",
            "text/html; charset=utf-8",
            "application/json",
            "application/octet-stream",
        )
    ),
)
"""The fields of plain answers, which the engine has at hand (crates/py/src/settle.rs counts the same way), behind those of a response without any."""
for _fields in READY:
    # They are everybody's.
    _fields.seal()
READY_TEXT, READY_HTML, READY_JSON, READY_BYTES = range(1, 5)

_new = object.__new__

T_co = TypeVar("T_co", covariant=True)

Chunks: TypeAlias = Iterator[bytes | str] | AsyncIterator[bytes | str]
"""A body in pieces."""

REDIRECT_STATUSES: Final = (301, 302, 303, 307, 308)
_EPOCH = datetime.fromtimestamp(0, UTC)


class Response(Generic[T_co]):
    """An answer with a status and header fields of its own; its content is sent as it would be if the handler returned it alone.

    Args:
        content: What is sent: text, bytes, a model, a generator; nothing when left out.
        status: 200 to 599.
        headers: Fields of the answer.
        media_type: The Content-Type, in place of the one that the content's type would give. Content that is text is sent as UTF-8, and
            `text/csv` says so by itself: `text/csv; charset=utf-8`.

    Attributes:
        content: As given.
        status: As given; may be changed until the response is returned.
        headers: The fields; may be changed until the response is returned. From then on, changing one is a RuntimeError.
        media_type: As given.

    A response that is made once, for many requests, is sent as it was made; one that gives a cookie is made for each request.

    Raises:
        ValueError: The status is no final status, or a field could not be sent safely; the message names the field.

    Example:
        >>> response = Response({"id": 7}, status=201, headers={"Location": "/todos/7"})
        >>> response.headers["location"]
        '/todos/7'
    """

    __slots__ = ("_headers", "_ready", "content", "encoded", "media_type", "status")

    content: T_co
    status: int
    media_type: str | None
    encoded: bytes | Chunks | FileBody | None
    """Whichever of `body`, `chunks` and `file` there is; None before the answer is made."""
    _headers: ResponseHeaders | None
    _ready: int
    """Which of READY the fields are while nobody has asked for them; the engine has them at hand. 0: none."""

    @overload
    def __init__(
        self: Response[None],
        *,
        status: int = ...,
        headers: Fields | None = ...,
        media_type: str | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self,
        content: T_co,
        *,
        status: int = ...,
        headers: Fields | None = ...,
        media_type: str | None = ...,
    ) -> None: ...
    def __init__(
        self,
        content: object = None,
        *,
        status: int = 200,
        headers: Fields | None = None,
        media_type: str | None = None,
    ) -> None:
        if not 200 <= status <= 599:
            raise ValueError(
                f"status={status}: a Response has a final status, 200 to 599 (RFC 9110 section 15)"
            )
        if media_type is not None:
            check_field("content-type", media_type)
        self.content = content  # type: ignore[assignment]  # the overloads say what it is
        self.status = status
        # Made when somebody asks: most responses that carry a status carry no fields.
        self._headers = None if headers is None else ResponseHeaders(headers)
        self.media_type = media_type
        self.encoded = None
        self._ready = 0

    @property
    def body(self) -> bytes | None:
        """The bytes that will be sent, of what `call_next` returned; None of a stream, and before the answer is made.

        Bytes that are put in its place are sent instead; `content-length` follows by itself.
        """
        return self.encoded if isinstance(self.encoded, bytes) else None

    @body.setter
    def body(self, body: bytes) -> None:
        self.encoded = body

    @property
    def chunks(self) -> Chunks | None:
        """The chunks that will be sent, of a stream that `call_next` returned; None of a body that is whole, and before the answer is made.

        An iterator that is put in its place, and passes on what it gives, is sent instead.
        """
        return None if isinstance(self.encoded, bytes | FileBody) else self.encoded

    @chunks.setter
    def chunks(self, chunks: Chunks) -> None:
        self.encoded = chunks

    @property
    def file(self) -> FileBody | None:
        """What lies in a file and will be sent from there; then there is neither `body` nor `chunks`. Iterating over it reads it."""
        return self.encoded if isinstance(self.encoded, FileBody) else None

    @file.setter
    def file(self, file: FileBody) -> None:
        self.encoded = file

    @property
    def headers(self) -> ResponseHeaders:
        """The fields of the answer, case-insensitive and changeable."""
        if self._headers is None:
            self._headers = ResponseHeaders(READY[self._ready])
        return self._headers

    @property
    def has_headers(self) -> bool:
        """Whether a field was set."""
        return bool(self._headers)

    def set_cookie(
        self,
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
    ) -> Self:
        """Give the browser a cookie; one of the same name, domain and path that was set before is replaced.

        Args:
            name: A token; prefixes such as `__Host-` bind the other arguments to what they promise.
            value: Printable ASCII without blanks, quotes, commas, semicolons and backslashes; encode anything else.
            max_age: Seconds, or a timedelta, that the browser keeps it, 400 days at most; 0 or less removes it. Without it and
                `expires`, until the browser is closed.
            expires: A point in time with a time zone; `max_age` wins where both are given.
            path: Where it is sent back; None lets the browser take the folder of the current page.
            domain: None for this host alone; a name for it and all hosts below it.
            http_only: Hidden from scripts.
            secure: Sent over https only (and to localhost).
            same_site: Which cross-site requests carry it.
            partitioned: Kept apart for each top-level site (CHIPS).

        Returns:
            The response itself, so that calls can be chained.

        Raises:
            ValueError: The browser would drop the cookie; the message names it and the rule (RFC 6265bis).
            RuntimeError: The response was sent already: the cookie would go to other visitors too.
        """
        field = set_cookie_field(
            name,
            value,
            max_age=max_age,
            expires=expires,
            path=path,
            domain=domain,
            http_only=http_only,
            secure=secure,
            same_site=same_site,
            partitioned=partitioned,
        )
        # "Servers SHOULD NOT include more than one Set-Cookie header field in the same response with the same cookie-name."
        kept = [
            present
            for present in self.headers.get_all("set-cookie")
            if not same_cookie(present, field)
        ]
        self.headers.pop("set-cookie", None)
        for present in (*kept, field):
            self.headers.add("set-cookie", present)
        return self

    def seal(self) -> None:
        """What is sent is sealed: its fields change no more, and with a cookie in it, it is not sent again. It would go to the next visitor.

        Raises:
            RuntimeError: It was sent already, and gives a cookie.
        """
        if self._headers is None:
            self._headers = READY[self._ready]
            return
        if self._headers.is_sealed:
            for field in self._headers.get_all("set-cookie"):
                name, _, rest = field.partition("=")
                # Making the browser forget one tells nobody anything.
                if not rest.startswith(";"):
                    raise RuntimeError(
                        f"a response with the cookie {name!r} was sent already, to another visitor: "
                        "make a new Response for each request"
                    )
        self._headers.seal()

    @property
    def is_sealed(self) -> bool:
        """Whether it was sent."""
        return self._headers is not None and self._headers.is_sealed

    def cache_control(self, **options: Unpack[CacheOptions]) -> Self:
        """Say how caches may keep the answer, in place of what was said before.

        Args:
            options: As of `CacheControl`, such as `public=True, max_age=3600`.

        Returns:
            The response itself, so that calls can be chained.

        Raises:
            ValueError: As `CacheControl`.
        """
        self.headers["cache-control"] = str(CacheControl(**options))
        return self

    def delete_cookie(
        self,
        name: str,
        *,
        path: str | None = "/",
        domain: str | None = None,
        http_only: bool = True,
        secure: bool = True,
        same_site: SameSite = "lax",
        partitioned: bool = False,
    ) -> Self:
        """Make the browser forget a cookie; the arguments are those that it was set with."""
        return self.set_cookie(
            name,
            "",
            max_age=0,
            expires=_EPOCH,
            path=path,
            domain=domain,
            http_only=http_only,
            secure=secure,
            same_site=same_site,
            partitioned=partitioned,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status}>"


_ANY: Final[type[Response[Any]]] = Response


def plain_response(body: bytes, ready: int, status: int) -> Response[Any]:
    """The response that a plain value is sent as: what `call_next` returns of most handlers.

    Args:
        body: The encoded value.
        ready: The number of its fields in READY.
        status: Final, as of the route.
    """
    made: Response[Any] = _new(_ANY)
    made.content = made.media_type = None
    # This is the class's other door: its own would look at everything once more.
    made._headers = None  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]  # as said above
    made._ready = ready  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]  # as said above
    made.status = status
    made.encoded = body
    return made


def copy_of(response: Response[Any]) -> Response[Any]:
    """What is sent of a response, with fields of its own: middleware may change them, and whoever keeps the response finds it as it was."""
    kind = type(response)
    if kind is not Response and kind is not Redirect:
        # With whatever else a class of its own has.
        made: Response[Any] = copy(response)
    else:
        made = _new(_ANY if kind is Response else Redirect)
        made.content, made.media_type = response.content, response.media_type
        made.status, made.encoded = response.status, response.encoded
        made._ready = response._ready  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]  # as in plain_response
    own = response._headers  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]  # as in plain_response
    made._headers = None if own is None else ResponseHeaders(own)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]  # as in plain_response
    return made


class Redirect(Response[None]):
    """Send the client to another location of this site.

    Args:
        location: A path, query, fragment or relative path; with `external=True` a http or https URL too.
        status: 303 (the default: look there with GET), 302, 301 and 308 (for good), 307 and 308 (repeat the method and body).
        external: The location may be another site. Never say so for a location that a client gave.

    Raises:
        BadRequest: The location could lead to another site (code `redirect.leaves-site`) or is no URL that a browser may follow
            (code `redirect.bad-location`). It is a 400, since such a location comes from a client: `Redirect(request.query["next"])`.
        ValueError: The status is no redirect.

    Example:
        >>> Redirect("/todos").headers["location"]
        '/todos'
    """

    __slots__ = ()

    def __init__(self, location: str, *, status: int = 303, external: bool = False) -> None:
        if status not in REDIRECT_STATUSES:
            raise ValueError(
                f"status={status}: a Redirect has one of {', '.join(map(str, REDIRECT_STATUSES))}"
            )
        reason = leaves_site(location)
        if reason and not (external and _is_web_url(location)):
            if external:
                raise BadRequest(
                    f"cannot redirect to {location!r}: {reason}, and it is no http or https URL",
                    code="redirect.bad-location",
                )
            refused = BadRequest(
                f"cannot redirect to {location!r}: {reason}", code="redirect.leaves-site"
            )
            refused.add_note(
                "another site is allowed by Redirect(…, external=True), for a location that no client gave: "
                "kingpost explain redirect.leaves-site"
            )
            raise refused
        super().__init__(None, status=status, headers=(("location", encode_reference(location)),))

    @property
    def location(self) -> str:
        """Where the client is sent, percent-encoded."""
        return self.headers["location"]


def _is_web_url(location: str) -> bool:
    scheme, separator, rest = location.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        return False
    host = rest.partition("/")[0].partition("?")[0].partition("#")[0]
    return (
        bool(host)
        and "\\" not in location
        and not any(character <= " " or character == "\x7f" for character in location)
    )
