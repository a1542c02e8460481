"""The options of a route: one typed set, the same on every decorator, in tables and on resources."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

from kingpost.errors import HTTPError, RoutingError
from kingpost.limits import LARGEST
from kingpost.routing.refusal import refused

if TYPE_CHECKING:
    from kingpost.http.media import Format, Writer
    from kingpost.routing.around import Middleware
    from kingpost.routing.predicates import Predicate


class FormLimits(TypedDict, total=False):
    """How much one form may hold: the `form_limits` of a route. What is not said stays as the limits have it."""

    fields: int
    """Fields without a file. Over it: 400 `form.too-many-fields`."""
    files: int
    """Files; an empty file input counts. Over it: 400 `form.too-many-files`."""
    field: int | str
    """Bytes of one field, or text such as "2 KiB". Over it: 413 `form.field-too-large`."""
    memory: int | str
    """Bytes of all fields together, which are held in memory; of a urlencoded form those of its body. Over it: 413 `form.too-large`."""
    file: int | str
    """Bytes of one file. Over it: 413 `form.file-too-large`."""
    spool: int | str
    """Bytes of one file that are held in memory; a larger one lies in a temporary file."""


class RouteOptions(TypedDict, total=False):
    """What a route may be told, all of it optional.

    They are the same for decorators (`@app.get("/books", timeout=5)`), `add_route`, a Route of a table, a resource class (where they hold for all of its methods)
    and the views of a Traverse. An option that does not exist, or a value that will not do, is refused where it is written: `routing.unknown-option`,
    `routing.bad-option`.
    """

    name: str
    """What `url_for` calls the route; the function's name if not said."""
    status: int
    """Status of a value that is no Response, 200-599; 200 if not said, 204 where the handler is annotated `-> None`."""
    summary: str
    """One line for lists of routes; the first line of the docstring if not said."""
    description: str
    """Prose; the rest of the docstring if not said."""
    tags: Sequence[str]
    """Words that the OpenAPI document groups routes by."""
    deprecated: bool
    """Still served, but no longer recommended."""
    errors: Sequence[type[HTTPError]]
    """The errors that the route raises on purpose, for the OpenAPI document: HTTPError's descendants."""
    inline: bool
    """A promise that this `def` never blocks; it runs on the event loop, in place."""
    timeout: float
    """Seconds, > 0, after which an `async def` handler is cancelled and 503 is answered; no end if not said. They begin with what runs before the handler,
    providers and hooks; a `def` among those that has begun is waited for, and the body that the client sends is not counted. A `def` handler cannot be
    cancelled, so there it is refused."""
    max_body: int | str
    """Largest request body: bytes, or text such as "2 MiB"; if not said 1 MiB, and more where the route takes files: see the limits."""
    form_limits: FormLimits
    """How many fields and files a form may have, and how large each of them may be; see the limits of forms for what holds if not said."""
    middleware: Sequence[Middleware]
    """What runs around this route, inside of its blueprint's and the App's; the first is the outermost."""
    requires: Callable[..., Any] | Sequence[Callable[..., Any]]
    """What must hold of who asks: functions, injected as hooks are, that run before everything else and before the body is read. One that
    returns False refuses with 403; others raise. `kingpost.routing.permission` makes one."""
    before: Sequence[Callable[..., Any]]
    """What runs before the handler; a value that is not None is the answer."""
    after: Sequence[Callable[..., Any]]
    """What runs after the handler, with the response."""
    hosts: Sequence[str]
    """The hosts that the route answers for; `"{tenant}.example.org"` gives the handler a `tenant`. Any if not said."""
    when: Predicate | Sequence[Predicate]
    """What else must hold for the route to be the one: Accepts, HasHeader, HasQuery, or functions of the request."""
    formats: Sequence[Writer | Format[Any]]
    """What the answer may be, by `Accept` or by the end of the path; the first is what is preferred."""
    openapi: Mapping[str, Any] | Literal[False]
    """False keeps the route out of the OpenAPI document; a dict is merged into its operation (RFC 7396: None takes out)."""


class WebSocketOptions(TypedDict, total=False):
    """What a WebSocket route may be told, all of it optional: what of RouteOptions is about who may come, and not about an answer."""

    name: str
    """What `url_for` calls the route; the function's name if not said."""
    summary: str
    """One line for lists of routes; the first line of the docstring if not said."""
    description: str
    """Prose; the rest of the docstring if not said."""
    tags: Sequence[str]
    """Words to group routes by."""
    deprecated: bool
    """Still served, but no longer recommended."""
    errors: Sequence[type[HTTPError]]
    """The errors that refuse the handshake on purpose: HTTPError's descendants."""
    middleware: Sequence[Middleware]
    """What runs around the whole conversation, inside of its blueprint's and the App's; the first is the outermost."""
    requires: Callable[..., Any] | Sequence[Callable[..., Any]]
    """What must hold of who asks: functions, injected as hooks are, that run before the handshake is answered."""
    before: Sequence[Callable[..., Any]]
    """What runs before the handler; a value that is not None is the answer, and refuses the handshake."""
    after: Sequence[Callable[..., Any]]
    """What runs when the conversation is over."""
    hosts: Sequence[str]
    """The hosts that the route answers for; `"{tenant}.example.org"` gives the handler a `tenant`. Any if not said."""
    when: Predicate | Sequence[Predicate]
    """What else must hold for the route to be the one: HasHeader, HasQuery, or functions of the request."""
    subprotocols: Sequence[str]
    """What the messages may be, what is preferred first: the handshake is answered with the first that the client offers too, or with none.
    `ws.subprotocol` says which."""


UNITS = {
    "": 1,
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
}
SIZE = re.compile(r"([0-9]{1,15})\s*([KMG]i?B|B)?", re.ASCII | re.IGNORECASE)
NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
MEDIA_TYPE = re.compile(rf"{NAME}/{NAME}(?:\s*;[^\r\n]*)?", re.ASCII)
EXTENSION = re.compile(r"(?:[a-z0-9]+(?:[.-][a-z0-9]+)*)?", re.ASCII)
KINDS: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "status": (int,),
    "summary": (str,),
    "description": (str,),
    "tags": (list, tuple),
    "deprecated": (bool,),
    "errors": (list, tuple),
    "inline": (bool,),
    "timeout": (int, float),
    "max_body": (int, str),
    "form_limits": (Mapping,),
    "middleware": (list, tuple),
    "requires": (object,),
    "before": (list, tuple),
    "after": (list, tuple),
    "hosts": (list, tuple),
    "when": (object,),
    "formats": (list, tuple),
    "openapi": (bool, Mapping),
    "subprotocols": (list, tuple),
}
FORM_LIMITS: Mapping[str, tuple[type, ...]] = {
    "fields": (int,),
    "files": (int,),
    "field": (int, str),
    "memory": (int, str),
    "file": (int, str),
    "spool": (int, str),
}
LISTS = ("middleware", "before", "after")


def check_options(options: Mapping[str, object]) -> RouteOptions:
    """The options, known and of their types.

    Raises:
        RoutingError: `routing.unknown-option` or `routing.bad-option`.
    """
    for option, value in options.items():
        if option not in KINDS:
            raise unknown_option(option)
        check_kind(option, value)
    if "subprotocols" in options:
        raise refused(
            "routing.bad-option",
            "the route option subprotocols= is for WebSockets only",
            "register the function with @app.websocket(path, subprotocols=[…])",
        )
    return checked_values(options)


def checked_values(options: Mapping[str, object]) -> RouteOptions:
    checked = cast("RouteOptions", dict(options))
    check_values(checked)
    return checked


def check_websocket_options(options: Mapping[str, object]) -> RouteOptions:
    """The options of a WebSocket route, known and of their types.

    Raises:
        RoutingError: as `check_options`, and `routing.bad-option` for one that is about an answer.
    """
    for option, value in options.items():
        if option not in KINDS:
            raise unknown_option(option)
        if option not in WebSocketOptions.__annotations__:
            names = ", ".join(WebSocketOptions.__annotations__)
            raise refused(
                "routing.bad-option",
                f"the route option {option}= is not for a WebSocket, which has no body and no answer",
                f"its options are {names}",
            )
        check_kind(option, value)
    for each in cast("Sequence[object]", options.get("subprotocols", ())):
        if not isinstance(each, str) or not re.fullmatch(NAME, each):
            raise bad_option("subprotocols", each, 'must be a list of names such as "chat.v1"')
    return checked_values(options)


def unknown_option(option: str) -> RoutingError:
    near = difflib.get_close_matches(option, KINDS, 1)
    remedy = f"write {near[0]!r}" if near else f"the options are {', '.join(KINDS)}"
    return refused("routing.unknown-option", f"no route option is called {option!r}", remedy)


def check_kind(option: str, value: object) -> None:
    kinds = KINDS[option]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        words = " or ".join(kind.__name__ for kind in kinds)
        raise bad_option(option, value, f"must be of type {words}")


def check_values(options: RouteOptions) -> None:
    name, status = options.get("name", "name"), options.get("status", 200)
    if not re.fullmatch(r"[\w-]+", name):
        raise bad_option("name", name, "must be made of letters, digits, '_' and '-'")
    if not 200 <= status <= 599:
        raise bad_option("status", status, "must be from 200 to 599")
    for tag in options.get("tags", ()):
        check_tag(tag)
    check_functions(options)
    for error in options.get("errors", ()):
        check_error(error)
    if cast("object", options.get("openapi")) is True:
        raise bad_option("openapi", value=True, rule="is False to hide the route, or a dict")
    check_formats(options.get("formats"))
    check_conditions(options)
    timeout = options.get("timeout", 1.0)
    if not 0 < timeout < float("inf"):
        raise bad_option("timeout", timeout, "is a number of seconds above 0")
    body_limit(options, default=0)
    form_sizes(options)


def check_functions(options: RouteOptions) -> None:
    for each in several(options.get("requires", ())):
        if not callable(each):
            raise bad_option("requires", each, "must be a function, or a list of functions")
    for option in LISTS:
        for function in cast("Sequence[object]", options.get(option, ())):
            if not callable(function):
                raise bad_option(option, function, "must be a list of functions")


def several(given: Any) -> tuple[Any, ...]:
    """One thing, or a list of them."""
    return tuple(cast("Sequence[Any]", given)) if isinstance(given, list | tuple) else (given,)


def check_formats(formats: Sequence[object] | None) -> None:
    """Refuses what writes no media type, and two of one media type or of one extension."""
    if formats is None:
        return
    if not formats:
        raise bad_option("formats", formats, "must name one, at least")
    for attribute, rule in (("media_type", MEDIA_TYPE), ("extension", EXTENSION)):
        seen: set[str] = set()
        for each in formats:
            text = getattr(each, attribute, None)
            writes = callable(getattr(each, "encode", None) or getattr(each, "write", None))
            is_one = writes and not isinstance(each, type)
            if not is_one or not isinstance(text, str) or not rule.fullmatch(text):
                raise bad_option("formats", each, "is no Format, and no codec such as Csv()")
            key = text.partition(";")[0].strip().lower()
            if key and key in seen:
                raise bad_option("formats", key, f"is the {attribute} of two formats")
            seen.add(key)


def check_conditions(options: RouteOptions) -> None:
    """Refuses hosts and predicates that are none; the few routes that have them wait for what reads them."""
    if "hosts" in options:
        from kingpost.routing.hosts import check_hosts

        check_hosts(options["hosts"])
    if "when" in options:
        from kingpost.routing.predicates import check_predicates

        check_predicates(options["when"])


def check_tag(tag: object) -> None:
    if not isinstance(tag, str):
        raise bad_option("tags", tag, "must be a list of str")


def check_error(error: Any) -> None:
    if not isinstance(error, type) or not issubclass(error, HTTPError):
        raise bad_option("errors", repr(error), "must be a list of HTTPError classes")  # pyright: ignore[reportUnknownArgumentType] - it is shown


def body_limit(options: RouteOptions, *, default: int) -> int:
    """`max_body` in bytes.

    Raises:
        RoutingError: `routing.bad-option` where it is no size.
    """
    return size_of("max_body", options.get("max_body", default))


def form_sizes(options: RouteOptions) -> dict[str, int]:
    """`form_limits` in numbers.

    Raises:
        RoutingError: `routing.bad-option` where there is no such limit, or it is no number of its kind.
    """
    given = cast("Mapping[str, object]", options.get("form_limits", {}))
    for name, value in given.items():
        if name not in FORM_LIMITS:
            names = ", ".join(FORM_LIMITS)
            raise bad_option("form_limits", dict(given), f"has {name!r}, and may have {names}")
        kinds = FORM_LIMITS[name]
        if not isinstance(value, kinds) or isinstance(value, bool):
            words = " or ".join(kind.__name__ for kind in kinds)
            raise bad_option(f"form_limits[{name!r}]", value, f"must be of type {words}")
    return {
        name: size_of(f"form_limits[{name!r}]", cast("int | str", value))
        for name, value in given.items()
    }


def size_of(option: str, value: int | str) -> int:
    if isinstance(value, int):
        if value < 0:
            raise bad_option(option, value, "cannot be negative")
        size = value
    else:
        match = SIZE.fullmatch(value.strip())
        if match is None:
            raise bad_option(option, value, 'is a number of bytes, or text such as "2 MiB"')
        size = int(match[1]) * UNITS[(match[2] or "").upper()]
    if size > LARGEST:
        raise bad_option(option, value, f"is more than {LARGEST}, the largest size there is")
    return size


def bad_option(option: str, value: object, rule: str) -> RoutingError:
    return refused("routing.bad-option", f"the route option {option}={value!r} {rule}")
