"""Errors of a route: those that it declares, and those that come of what it reads."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kingpost.app.failures import ROOTS
from kingpost.app.plan import CompiledRoute
from kingpost.binding.fields import (
    FromFile,
    FromModel,
    FromText,
    FromTexts,
    TheMultipart,
    is_of_form,
)
from kingpost.binding.signature import signature_of
from kingpost.binding.sources import (
    FromBody,
    FromHost,
    FromPath,
    TheBodyStream,
)
from kingpost.errors import (
    BadRequest,
    Conflict,
    ContentTooLarge,
    Forbidden,
    HTTPError,
    NotAcceptable,
    NotFound,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
    ValidationError,
    title_of,
)
from kingpost.http.problem import PROBLEM_JSON
from kingpost.openapi.bodies import MULTIPART
from kingpost.openapi.components import Schema
from kingpost.openapi.readings import Reading
from kingpost.openapi.responses import Answers
from kingpost.openapi.schemas import Schemas
from kingpost.routing.route import ErrorHandler
from kingpost.schema.annotation import bare
from kingpost.schema.rules import Rules

WORDS: Mapping[type[HTTPError], str] = {
    BadRequest: "The request is malformed.",
    Unauthorized: "It is not known who asks.",
    Forbidden: "Who asks may not.",
    NotFound: "There is nothing here.",
    NotAcceptable: "None of the media types that the client takes can be given.",
    Conflict: "The request contradicts what is there.",
    ContentTooLarge: "The body is longer than its limit.",
    UnsupportedMediaType: "The body is of a type that is not read here.",
    ValidationError: "Values break rules; every one of them is told.",
    TooManyRequests: "Slow down.",
    ServiceUnavailable: "Not now.",
}
"""Errors of ours whose response is the same wherever they occur, and what it says."""


HEAD: Mapping[int, str] = {
    414: "The path and the query are longer than the server takes.",
    431: "Header fields, of the request or of a part of its form, are longer than the server takes.",
}
"""What the server answers by itself, before there is a route, so that no error handler is asked; what it says.

A part of a form is refused later, by the route's error handlers: what they make of 431 is not told.
"""


REFUSING = (FromBody, FromText, FromTexts, FromModel, FromFile)
"""Sources that tell of a broken rule with 422. `Form[T]` is none: its handler is told."""


class Problem:
    """An error, as machines read it (RFC 9457)."""


class ValidationProblem:
    """An error with every rule that was broken."""


MEMBERS: Schema = {
    "type": {"type": "string", "format": "uri-reference"},
    "title": {"type": "string", "description": "The words of the status."},
    "status": {"type": "integer", "minimum": 400, "maximum": 599},
    "code": {
        "type": "string",
        "description": "Tells errors of one status apart, and stays the same.",
    },
    "detail": {"type": "string", "description": "What is wrong with this very request."},
}
ERRORS: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "location": {
                "type": "array",
                "items": {"type": ["string", "integer"]},
                "description": "Where the value stood: body, query, path, header, cookie or form, then the way to it.",
            },
            "code": {"type": "string"},
            "message": {"type": "string"},
            "input": {"description": "What was sent, shortened."},
        },
        "required": ["location", "code", "message"],
    },
}
REQUIRED_MEMBERS = ["type", "title", "status", "code"]


def problem_schema(schemas: Schemas, status: int) -> Schema:
    """The schema of the problem of a status."""
    kind = ValidationProblem if status == 422 else Problem
    members = MEMBERS | ({"errors": ERRORS} if status == 422 else {})
    return schemas.put(
        kind,
        {
            "description": kind.__doc__,
            "type": "object",
            "properties": members,
            "required": REQUIRED_MEMBERS,
        },
    )


def failures_of(
    route: CompiledRoute, readings: Sequence[Reading], schemas: Schemas
) -> dict[str, Schema]:
    """The error responses of a route, by their status."""
    declared = list(route.entry.options.get("errors", ()))
    by_status: dict[int, list[type[HTTPError]]] = {}
    for error in dict.fromkeys([*declared, *implied(route, readings)]):
        by_status.setdefault(error.status, []).append(error)
    return {
        str(status): response(route, errors, declared, schemas)
        for status, errors in sorted(by_status.items())
    }


def implied(route: CompiledRoute, readings: Sequence[Reading]) -> Iterator[type[HTTPError]]:
    """The errors that come of what a route reads, whatever its handler does."""
    sources = [each.source for each in readings]
    form = any(is_of_form(each) or isinstance(each, TheMultipart) for each in sources)
    body = form or any(isinstance(each, FromBody) for each in sources)
    query = any(
        isinstance(each, FromText | FromTexts | FromModel) and each.place == "query"
        for each in sources
    )
    if body or query:
        yield BadRequest
    if may_miss(route, readings):
        yield NotFound
    if route.conditions.weighed or (route.formats is not None and route.formats.is_strict):
        yield NotAcceptable
    if body or any(isinstance(each, TheBodyStream) for each in sources):
        yield ContentTooLarge
    if body:
        yield UnsupportedMediaType
    if may_be_refused(readings):
        yield ValidationError
    if "timeout" in route.entry.options:
        yield ServiceUnavailable


def failures_of_head(operation: Schema, schemas: Schemas) -> dict[str, Schema]:
    """The responses of a server that finds too long what an operation takes in its URL or in header fields.

    The schema of no parameter says how long all of them may be together: so every operation that has one has these.
    """
    places = {each["in"] for each in operation.get("parameters", [])}
    found: list[int] = []
    if places & {"path", "query"}:
        found.append(414)
    kinds = operation.get("requestBody", {}).get("content", {})
    if places & {"header", "cookie"} or "security" in operation or MULTIPART in kinds:
        found.append(431)
    return {str(status): plain_response(status, HEAD[status], schemas) for status in found}


def may_miss(route: CompiledRoute, readings: Sequence[Reading]) -> bool:
    """Whether a path, or a host, may have the right shape and lead nowhere, since its text does not convert."""
    paths = {
        each.source.name: each.source for each in readings if isinstance(each.source, FromPath)
    }
    for each in route.pattern.parameters:
        source = paths.get(each.name)
        if each.converter not in (None, "str", "path"):
            return True
        if source is not None and source.native != "str" and source.kind not in ("text", "str", ""):
            return True
    return any(
        isinstance(each.source, FromHost) and not each.source.scalar.is_text for each in readings
    )


def may_be_refused(readings: Sequence[Reading]) -> bool:
    """Whether a value may break a rule that is told with 422."""
    for each in readings:
        if isinstance(each.source, FromPath):
            if bare(each.annotation).rules != Rules():
                return True
        elif isinstance(each.source, REFUSING):
            return True
    return False


def response(
    route: CompiledRoute,
    errors: Sequence[type[HTTPError]],
    declared: Sequence[type[HTTPError]],
    schemas: Schemas,
) -> Schema:
    """One response for all errors of a status."""
    status = errors[0].status
    made: Schema = {"description": " ".join(dict.fromkeys(map(words_of, errors)))}
    content: Schema = {}
    for error in errors:
        handler = handler_of(route, error)
        if handler is not None:
            content |= handled(handler, status, schemas)
            continue
        own = content.setdefault(PROBLEM_JSON, {"schema": problem_schema(schemas, status)})
        if error in declared and error not in WORDS:
            own.setdefault("examples", {})[error.code] = {"value": example_of(error)}
    if content:
        made["content"] = content
    return made


def example_of(error: type[HTTPError]) -> Schema:
    members: Schema = {
        "type": "about:blank",
        "title": title_of(error.status),
        "status": error.status,
        "code": error.code,
    }
    return members | ({"errors": []} if error.status == 422 else {})


def words_of(error: type[HTTPError]) -> str:
    """What an error says of itself: the first paragraph of its docstring; of ours, the words of the status."""
    if error in WORDS:
        return WORDS[error]
    doc = vars(error).get("__doc__")
    if error.__module__ == HTTPError.__module__ or not doc:
        return f"{title_of(error.status)}."
    return " ".join(inspect.cleandoc(doc).partition("\n\n")[0].split())


def shared_responses(schemas: Schemas) -> dict[str, Schema]:
    """The responses that many operations have, by their names."""
    errors = {
        error.__name__: plain_response(error.status, words, schemas)
        for error, words in WORDS.items()
    }
    heads = {
        title_of(status).replace(" ", ""): plain_response(status, words, schemas)
        for status, words in HEAD.items()
    }
    return errors | heads


def plain_response(status: int, words: str, schemas: Schemas) -> Schema:
    return {
        "description": words,
        "content": {PROBLEM_JSON: {"schema": problem_schema(schemas, status)}},
    }


def handler_of(route: CompiledRoute, error: type[HTTPError]) -> ErrorHandler | None:
    """The error handler that answers for an error."""
    classes = error.__mro__
    kinds: list[Any] = [
        *(kind for kind in classes if kind not in ROOTS),
        error.status,
        *(kind for kind in classes if kind in ROOTS),
    ]
    for kind in kinds:
        for handlers in route.error_handlers:
            handler: ErrorHandler | None = handlers.get(kind)
            if handler is not None:
                return handler
    return None


def handled(handler: ErrorHandler, status: int, schemas: Schemas) -> Schema:
    """The content that an error handler answers with."""
    found = Answers(schemas, status)
    found.of(signature_of(handler.function).returns)
    contents: list[dict[str, Any]] = list(found.content.values())
    return contents[0] if contents else {}
