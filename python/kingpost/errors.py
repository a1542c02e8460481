"""Every exception that Kingpost raises on purpose.

An `HTTPError` is an answer: raise it in a handler and the client gets its status, its code and its detail.

    HTTPError                       any status from 400 to 599
    ├── BadRequest                  400  bad-request
    ├── Unauthorized                401  unauthorized
    ├── Forbidden                   403  forbidden
    ├── NotFound                    404  not-found
    ├── MethodNotAllowed            405  method-not-allowed
    ├── NotAcceptable               406  not-acceptable
    ├── RequestTimeout              408  request-timeout
    ├── Conflict                    409  conflict
    ├── Gone                        410  gone
    ├── PreconditionFailed          412  precondition-failed
    ├── ContentTooLarge             413  content-too-large
    ├── UnsupportedMediaType        415  unsupported-media-type
    ├── ValidationError             422  validation-failed      has `errors`, one for each rule that failed
    ├── PreconditionRequired        428  precondition-required
    ├── TooManyRequests             429  too-many-requests
    ├── InternalServerError         500  internal-server-error
    ├── NotImplementedYet           501  not-implemented
    ├── BadGateway                  502  bad-gateway
    ├── ServiceUnavailable          503  service-unavailable
    └── GatewayTimeout              504  gateway-timeout

A `ConfigurationError` is a mistake in the program, found before the first request: it names the value, the rule, the remedy and the
places in the source.

    ConfigurationError
    ├── RoutingError                paths, methods, names, conflicts
    ├── SignatureError              a handler's or provider's parameters
    ├── SettingsError               environment, `.env`, secrets
    └── TargetError                 what `kingpost dev TARGET` cannot import or does not find

Every code is stable, and `kingpost explain CODE` shows a wrong program and the right one. Codes of your own need no permission: give a
subclass a `code` and clients can tell it apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Never, NotRequired, Protocol, TypedDict

__all__ = [
    "BadGateway",
    "BadRequest",
    "ConfigurationError",
    "Conflict",
    "ContentTooLarge",
    "FieldError",
    "Forbidden",
    "GatewayTimeout",
    "Gone",
    "HTTPError",
    "InternalServerError",
    "MethodNotAllowed",
    "NotAcceptable",
    "NotFound",
    "NotImplementedYet",
    "PreconditionFailed",
    "PreconditionRequired",
    "RequestTimeout",
    "RoutingError",
    "ServiceUnavailable",
    "SettingsError",
    "SignatureError",
    "SourcePlace",
    "TargetError",
    "TooManyRequests",
    "Unauthorized",
    "UnsupportedMediaType",
    "ValidationError",
]

# RFC 9110 section 15 and the IANA registry; not http.HTTPStatus, whose import costs more than this table.
TITLES: Mapping[int, str] = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    411: "Length Required",
    412: "Precondition Failed",
    413: "Content Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    417: "Expectation Failed",
    418: "I'm a Teapot",
    421: "Misdirected Request",
    422: "Unprocessable Content",
    423: "Locked",
    424: "Failed Dependency",
    425: "Too Early",
    426: "Upgrade Required",
    428: "Precondition Required",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    451: "Unavailable For Legal Reasons",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
    507: "Insufficient Storage",
    508: "Loop Detected",
    511: "Network Authentication Required",
}


def title_of(status: int) -> str:
    """The words for a status from 400 to 599; those of its class when the number has none of its own."""
    return TITLES.get(status) or ("Client Error" if status < 500 else "Server Error")


class FieldError(TypedDict):
    """One rule that one input broke.

    Keys:
        location: Where the input stood: the source, then the way to the value, such as `["body", "items", 0, "price"]`.
        code: A stable slug such as `missing` or `not-an-integer`.
        message: One sentence for the person who sent it.
        input: What was sent; absent when nothing was.
    """

    location: Sequence[str | int]
    code: str
    message: str
    input: NotRequired[object]


class HTTPError(Exception):
    """An answer with an error status.

    Args:
        detail: One sentence for the client; it is shown in production too, so put no secret in it.
        status: 400 to 599; the class's own when left out.
        code: A stable slug for machines; the class's own when left out.
        headers: Fields that the answer carries, for instance `Retry-After`.

    Raises:
        TypeError: The detail is no text, such as the status, which is given by its name.
        ValueError: The status is no error status.

    Example:
        >>> raise NotFound("no todo 7")
        Traceback (most recent call last):
        kingpost.errors.NotFound: no todo 7
    """

    status: int = 500
    code: str = "internal-server-error"
    detail: str
    headers: Mapping[str, str]

    def __init__(
        self,
        detail: str = "",
        *misplaced: Never,
        status: int | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        if misplaced or not isinstance(detail, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a checker
            raise misread(type(self), detail, misplaced)
        super().__init__(detail)
        self.detail = detail
        self.headers = {} if headers is None else headers
        if status is not None and status != self.status:
            if not 400 <= status <= 599:
                raise ValueError(
                    f"status={status}: an HTTPError has a status from 400 to 599; return a Response for any other"
                )
            self.status = status
            # The class's code speaks of the class's status.
            self.code = slug_of(status)
        if code is not None:
            self.code = code

    @property
    def title(self) -> str:
        """The words of the status, such as "Not Found"."""
        return title_of(self.status)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.detail!r}, status={self.status}, code={self.code!r})"


def misread(kind: type[HTTPError], first: object, others: Sequence[object]) -> TypeError:
    """What is said to those who are used to `HTTPException(404, "…")`."""
    given = ", ".join(repr(each) for each in (first, *others))
    detail = next((each for each in (first, *others) if isinstance(each, str)), "…")
    remedy = f"{kind.__name__}({detail!r}, status=…)"
    if isinstance(first, int):
        named = next((each for each in HTTPError.__subclasses__() if each.status == first), None)
        remedy = f"{kind.__name__}({detail!r}, status={first})"
        if named is not None and named.__module__ == __name__:
            remedy = f"{named.__name__}({detail!r}), or {remedy}"
    return TypeError(
        f"{kind.__name__}({given}): what stands first, and alone, is one sentence for the client; write {remedy}"
    )


def slug_of(status: int) -> str:
    """The code that stands for a bare error status: `slug_of(418)` is `"im-a-teapot"`."""
    title = TITLES.get(status)
    if title is None:
        return f"status-{status}"
    return title.lower().replace("'", "").replace(" ", "-")


class BadRequest(HTTPError):
    """400: the request is malformed, and sending it again unchanged will not help."""

    status = 400
    code = "bad-request"


class Unauthorized(HTTPError):
    """401: it is not known who asks; give `headers={"WWW-Authenticate": …}` to say how to tell (RFC 9110 section 15.5.2)."""

    status = 401
    code = "unauthorized"


class Forbidden(HTTPError):
    """403: who asks is known, or does not matter, and may not."""

    status = 403
    code = "forbidden"


class NotFound(HTTPError):
    """404: there is nothing here, or nothing that this client may know of."""

    status = 404
    code = "not-found"


class MethodNotAllowed(HTTPError):
    """405: the path exists, the method does not.

    Args:
        detail: As for every HTTPError.
        allowed: The methods that would work; they become the `Allow` field (RFC 9110 section 15.5.6 demands it).
    """

    status = 405
    code = "method-not-allowed"

    def __init__(
        self,
        detail: str = "",
        *,
        allowed: Sequence[str] = (),
        status: int | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        fields = dict(headers or {})
        if allowed:
            fields["Allow"] = ", ".join(allowed)
        super().__init__(detail, status=status, code=code, headers=fields)
        self.allowed = tuple(allowed)


class NotAcceptable(HTTPError):
    """406: nothing that we can make is in the client's `Accept`."""

    status = 406
    code = "not-acceptable"


class RequestTimeout(HTTPError):
    """408: the request did not arrive in time."""

    status = 408
    code = "request-timeout"


class Conflict(HTTPError):
    """409: the request contradicts what is there, such as a name that is taken."""

    status = 409
    code = "conflict"


class Gone(HTTPError):
    """410: it was here and will not come back."""

    status = 410
    code = "gone"


class PreconditionFailed(HTTPError):
    """412: an `If-Match` or its like is not met."""

    status = 412
    code = "precondition-failed"


class ContentTooLarge(HTTPError):
    """413: the body is longer than its limit."""

    status = 413
    code = "content-too-large"


class UnsupportedMediaType(HTTPError):
    """415: the body is of a type that this route does not read."""

    status = 415
    code = "unsupported-media-type"


class ValidationError(HTTPError):
    """422: the request was understood, and some of its values break rules.

    Args:
        detail: A sentence above the errors; it counts them when left out.
        errors: Every rule that failed, so that a person mends all at once.

    Example:
        >>> error = ValidationError(errors=[{"location": ["query", "page"], "code": "not-an-integer", "message": "Write digits."}])
        >>> error.status, error.detail
        (422, '1 value was refused')
    """

    status = 422
    code = "validation-failed"

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        status: int | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        if not detail:
            detail = (
                "1 value was refused" if len(errors) == 1 else f"{len(errors)} values were refused"
            )
        super().__init__(detail, status=status, code=code, headers=headers)
        self.errors: Sequence[FieldError] = tuple(errors)


class PreconditionRequired(HTTPError):
    """428: ask again with `If-Match`, so that nobody's change is lost."""

    status = 428
    code = "precondition-required"


class TooManyRequests(HTTPError):
    """429: slow down; `headers={"Retry-After": "10"}` says for how many seconds."""

    status = 429
    code = "too-many-requests"


class InternalServerError(HTTPError):
    """500: our fault. Any other exception that leaves a handler becomes one, without its text in production."""

    status = 500
    code = "internal-server-error"


class NotImplementedYet(HTTPError):
    """501: the server knows no such method or feature; `NotImplementedError` is Python's own."""

    status = 501
    code = "not-implemented"


class BadGateway(HTTPError):
    """502: a server that we asked gave a broken answer."""

    status = 502
    code = "bad-gateway"


class ServiceUnavailable(HTTPError):
    """503: not now; `headers={"Retry-After": "10"}` says when."""

    status = 503
    code = "service-unavailable"


class GatewayTimeout(HTTPError):
    """504: a server that we asked did not answer in time."""

    status = 504
    code = "gateway-timeout"


class SourcePlace(Protocol):
    """A line of the user's source; `kingpost.types.Place` is one. Its `str()` is shown."""

    @property
    def file(self) -> str:
        """The path as a person would type it."""
        ...

    @property
    def line(self) -> int:
        """Counted from 1."""
        ...


class ConfigurationError(Exception):
    """A mistake in the program that would have hurt later, found at start-up.

    Args:
        message: One sentence that names the value and the rule.
        code: The stable code to give to `kingpost explain`.
        remedy: What to write instead.
        places: The lines of source it speaks of.
    """

    default_code: ClassVar[str] = "configuration"

    def __init__(
        self, message: str, *, code: str = "", remedy: str = "", places: Sequence[SourcePlace] = ()
    ) -> None:
        self.message = message
        self.code = code or self.default_code
        self.remedy = remedy
        self.places = tuple(places)
        super().__init__(message)

    def __str__(self) -> str:
        lines = [self.message]
        if self.remedy:
            lines.append(f"  do:      {self.remedy}")
        lines += [f"  at:      {place}" for place in self.places]
        lines.append(f"  explain: kingpost explain {self.code}")
        return "\n".join(lines)


class RoutingError(ConfigurationError):
    """A path, method or route name that cannot be: malformed, unknown, or claimed twice."""

    default_code = "routing"


class SignatureError(ConfigurationError):
    """A handler's or provider's parameter or return type that cannot be served."""

    default_code = "signature"


class SettingsError(ConfigurationError):
    """Settings that are missing or have values of the wrong type; the message lists all of them."""

    default_code = "settings"


class TargetError(ConfigurationError):
    """The app that a command was asked to run cannot be imported or is not there."""

    default_code = "target"
