"""`Request`: what the client asked, with the conveniences of Python on top of the engine's class.

Everything is a plain call, the same in `def` and `async def`: the body is complete before the handler runs. What has to be parsed is parsed
when it is first asked for, and once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from kingpost import limits
from kingpost._native import Request as NativeRequest
from kingpost.errors import BadRequest, ContentTooLarge, UnsupportedMediaType
from kingpost.http.cookies import parse_cookies
from kingpost.http.headers import check_field
from kingpost.http.media import json
from kingpost.http.media_type import FORM_TYPES, MediaType
from kingpost.http.multidict import MultiDict
from kingpost.http.stream import Chunks
from kingpost.http.uploads import UNSAID, FormBounds, FormData, collected
from kingpost.http.urlencoded import parse_pairs

if TYPE_CHECKING:
    from kingpost.http.certificate import ClientCertificate

T = TypeVar("T")

_SEEN = "seen"
_ROUTE, _PARAMS, _WALK = "route", "path_params", "walk"
_STREAM, _FAILURE = "stream", "failure"

# bytes.decode knows codecs that take quadratic time (idna, punycode) or are no text; these are what forms and tools send.
_CHARSETS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "latin-1",
    "windows-1252": "cp1252",
}


class Seen(NamedTuple):
    """Who asks for what, where somebody who is trusted knows more than the connection says: a proxy in front."""

    client: str | None
    scheme: str
    host: str


class Request(NativeRequest):
    """What the client asked. The engine makes it.

    Attributes:
        method: As sent, such as "GET".
        path: The path, percent-decoded.
        headers: The fields; names compare without case.
        client: The peer's address, None on a Unix socket; behind trusted proxies the visitor's (`kingpost.middleware.TrustedProxies`).
        scheme: "http" or "https"; behind trusted proxies the one that the visitor uses.
        client_certificate: What the client has shown by TLS, where the server was started with `--tls-client-ca`; else None.
        host: The checked Host; behind trusted proxies that say so, the one that the visitor asked for.
        body: The bytes of the body.
        id: 16 hexadecimal digits that are in the log and in the answer's `x-request-id`.
        path_params: The parts of the path, and of the host, that the route's patterns name, as text.
        is_disconnected: Whether the client has left.
    """

    __slots__ = ()

    @property
    def client(self) -> str | None:
        seen: Seen | None = self.cache.get(_SEEN)
        return super().client if seen is None else seen.client

    @property
    def scheme(self) -> str:
        seen: Seen | None = self.cache.get(_SEEN)
        if seen is not None:
            return seen.scheme
        caller = self.caller
        scheme: str = super().scheme if caller is None else caller.scheme
        return scheme

    @property
    def http_version(self) -> str:
        caller = self.caller
        version: str = super().http_version if caller is None else caller.http_version
        return version

    @property
    def root_path(self) -> str:
        """What stands before the App's own paths, where another server has it below a path of its own: "" or such as "/shop"."""
        caller = self.caller
        return "" if caller is None else str(caller.root_path)

    @property
    def host(self) -> str:
        seen: Seen | None = self.cache.get(_SEEN)
        return super().host if seen is None else seen.host

    @property
    def client_certificate(self) -> ClientCertificate | None:
        """Who the client is by TLS; None where it was not asked, or had no certificate, and behind a proxy that ends TLS."""
        der = self.client_certificate_der
        if der is None:
            return None
        from kingpost.http.certificate import ClientCertificate

        return ClientCertificate(der)

    def __see__(self, seen: Seen) -> None:
        """Have `client`, `scheme` and `host` say this from now on."""
        self.cache[_SEEN] = seen

    def __seen__(self) -> Seen | None:
        """What proxies tell of the client; None where nobody that is believed has told anything."""
        seen: Seen | None = self.cache.get(_SEEN)
        return seen

    @property
    def path_params(self) -> dict[str, str]:
        params: dict[str, str] | None = self.cache.get(_PARAMS)
        return super().path_params if params is None else dict(params)

    @property
    def route_index(self) -> int | None:
        index: int | None = self.cache.get(_ROUTE)
        return super().route_index if index is None else index

    @property
    def context(self) -> Any:
        """The object that traversal has found; None where the route is none of a Traverse."""
        return getattr(self.cache.get(_WALK), "context", None)

    @property
    def lineage(self) -> tuple[Any, ...]:
        """The objects that traversal went through, the root first and the context last; empty where the route is none of a Traverse."""
        lineage: tuple[Any, ...] = getattr(self.cache.get(_WALK), "lineage", ())
        return lineage

    def __walk__(self, walk: object) -> None:
        """Traversal has found something."""
        self.cache[_WALK] = walk

    def __lead__(self, route: int, params: Mapping[str, str]) -> None:
        """The request means one of several routes that the engine could not tell apart."""
        self.cache[_ROUTE], self.cache[_PARAMS] = route, params

    @property
    def unread(self) -> Chunks | None:
        """Where the body of a route comes from that reads it as a stream; None where it is complete."""
        chunks: Chunks | None = self.cache.get(_STREAM)
        return self.stream if chunks is None else chunks

    def __receive__(self, chunks: Chunks) -> None:
        """Have the unread body come from here: somebody stands in its way."""
        self.cache[_STREAM] = chunks

    @property
    def failure(self) -> Exception | None:
        """For middleware, behind `call_next`: the exception that the answer tells of, where nobody meant it for the client; else None.

        It is no HTTPError, and its answer is a 500 or above, whoever worded it.
        """
        return self.cache.get(_FAILURE)

    def __fail__(self, error: Exception | None) -> None:
        """An exception has become an answer; None: it was dealt with."""
        self.cache[_FAILURE] = error

    @property
    def query(self) -> MultiDict:
        """The query string: `query["page"]` is the first value, `query.get_all("tag")` every one.

        Raises:
            BadRequest: It has more than 1,000 pairs (code `query.too-many-pairs`).
        """
        return self._once(
            "query",
            lambda: MultiDict(
                parse_pairs(self.query_string, limit=limits.QUERY_PAIRS, what="query")
            ),
        )

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies by name, as they were sent."""
        return self._once("cookies", lambda: parse_cookies(self.headers.get_all("cookie")))

    @property
    def content_type(self) -> MediaType | None:
        """The parsed Content-Type; None when it is absent or malformed."""
        return MediaType.parse(self.headers.get("content-type"))

    def text(self) -> str:
        """The body as text, in the charset that the Content-Type names, UTF-8 without one.

        Raises:
            BadRequest: The bytes are not of that charset (code `text.malformed`).
            UnsupportedMediaType: The charset is none of UTF-8, US-ASCII, ISO-8859-1, Windows-1252 (code `text.unknown-charset`).
        """
        media_type = self.content_type
        charset = (
            "utf-8" if media_type is None else media_type.parameters.get("charset", "utf-8").lower()
        )
        codec = _CHARSETS.get(charset)
        if codec is None:
            raise UnsupportedMediaType(
                f"charset {charset[:40]!r} is not read; send UTF-8", code="text.unknown-charset"
            )
        try:
            return self.body.decode(codec)
        except UnicodeDecodeError as error:
            raise BadRequest(
                f"the body is no {charset}: byte {error.start} {error.reason}",
                code="text.malformed",
            ) from None

    def json(self) -> Any:
        """The body as JSON: dict, list, str, int, float, bool or None.

        Raises:
            UnsupportedMediaType: The Content-Type is not JSON. Without this check a page of another site could send it with a simple form.
            BadRequest: It is empty, malformed or beyond the limits (codes `json.…`).
        """
        media_type = self.content_type
        if media_type is None or not media_type.is_json:
            raise UnsupportedMediaType(
                f"the body is {_named(self.headers.get('content-type'))}; send it with content-type: application/json",
                code="json.wrong-content-type",
            )
        return self._once("json", lambda: json.decode(self.body))

    def form(self) -> MultiDict:
        """The text fields of an HTML form, plain or multipart.

        Raises:
            UnsupportedMediaType: The body is no form (code `form.wrong-content-type`).
            ContentTooLarge: It has more than 512 KiB (code `form.too-large`), or than the route's `form_limits` allow.
            BadRequest: It is malformed, or has more than 1,000 fields (code `form.too-many-fields`), or than the route's `form_limits` allow.
        """
        return self.form_data().fields

    def form_data(self) -> FormData:
        """The fields and files of an HTML form.

        Where no parameter asks for it, files stay in memory, and each has 512 KiB at most, if the route's `form_limits` do not say
        another size.

        Raises:
            HTTPError: As `form`.
        """
        return self._once("form", self._parse_form)

    def url_for(
        self, name: object, view: str = "", /, *, absolute: bool = False, **params: object
    ) -> str:
        """The URL of the route called `name`; a leading dot means the blueprint that this request came through.

        Of an object in a tree that is traversed it is the URL of one of its views: `request.url_for(folder, "edit")`.

        Args:
            name: The route's name below its blueprint's, such as "todos.show"; or an object with `__parent__` and `__name__`.
            view: Of an object: the name of the view, empty for the default one.
            absolute: Put the scheme and host of this request in front.
            params: The path's parameters; further ones become the query string.

        Raises:
            RoutingError: There is no such route, a parameter is missing or has the wrong type.
        """
        if isinstance(name, str):
            url: str = self.dispatch.url_for(self, name, absolute=absolute, params=params)
        else:
            url = self.dispatch.url_of(self, name, view, absolute=absolute, params=params)
        return url

    def early_hints(self, *links: str) -> None:
        """Tell the browser at once what the page will need (103 Early Hints, RFC 8297), while the answer is still made.

        It may be called several times before the answer; afterwards, and for clients of HTTP/1.0, it does nothing.

        Args:
            links: Values of `Link`, such as `"</app.css>; rel=preload; as=style"`.

        Raises:
            ValueError: One of them could not be sent safely.
        """
        self.send_early_hints([check_field("link", link)[1] for link in links])

    def _parse_form(self) -> FormData:
        check_form_type(self)
        field = self.headers.get("content-type") or ""
        bounds = self._form_bounds()
        if is_multipart(self):
            return collected(self.body, field, bounds.file_within(limits.FORM_BYTES))
        return FormData(plain_fields(self.body, bounds), [])

    def _form_bounds(self) -> FormBounds:
        """What the route that answers says about forms."""
        bounds_of: Callable[[Request], FormBounds] | None = getattr(
            self.dispatch, "form_bounds", None
        )
        return UNSAID if bounds_of is None else bounds_of(self)

    def keep_form(self, form: FormData) -> None:
        """Remember a form that was read while it came."""
        self.cache["form"] = form

    def _once(self, key: str, make: Callable[[], T]) -> T:
        cache = self.cache
        try:
            value: T = cache[key]
        except KeyError:
            value = cache[key] = make()
        return value

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path!r}>"


def check_form_type(request: Request) -> None:
    """Refuses a body that is no form.

    Raises:
        UnsupportedMediaType: `form.wrong-content-type`.
    """
    media_type = request.content_type
    if media_type is None or media_type.essence not in FORM_TYPES:
        raise UnsupportedMediaType(
            f"the body is {_named(request.headers.get('content-type'))}; send it with content-type: {' or '.join(FORM_TYPES)}",
            code="form.wrong-content-type",
            headers={"Accept": ", ".join(FORM_TYPES)},
        )


def is_multipart(request: Request) -> bool:
    media_type = request.content_type
    return media_type is not None and media_type.essence == FORM_TYPES[1]


def plain_fields(body: bytes, bounds: FormBounds) -> MultiDict:
    """The fields of a urlencoded body.

    Raises:
        ContentTooLarge: `form.too-large` or `form.field-too-large`.
        BadRequest: `form.too-many-fields`.
    """
    size = bounds.in_memory
    if len(body) > size:
        words = f"{size // limits.KIB} KiB" if size % limits.KIB == 0 else f"{size} bytes"
        raise ContentTooLarge(f"the form has more than {words}", code="form.too-large")
    most = limits.FORM_FIELDS if bounds.fields is None else bounds.fields
    pairs = parse_pairs(body, limit=most, what="form")
    if bounds.field is not None:
        for name, value in pairs:
            if len(value.encode()) > bounds.field:
                raise ContentTooLarge(
                    f"the field {name[:100]!r} has more than {bounds.field} bytes",
                    code="form.field-too-large",
                )
    return MultiDict(pairs)


def _named(content_type: str | None) -> str:
    return f"of type {content_type[:80]!r}" if content_type else "without a content-type"
