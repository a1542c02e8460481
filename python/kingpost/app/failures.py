"""Which error handler answers for an exception, and the error that it is for the client."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard, TypeVar

from kingpost.binding.signature import EMPTY, Signature, signature_of
from kingpost.errors import HTTPError, InternalServerError
from kingpost.http.request import Request
from kingpost.routing.route import ErrorHandler
from kingpost.schema.annotation import is_below

T = TypeVar("T")

ROOTS = (HTTPError, Exception)
"""Classes that stand for so much that a handler for the status is nearer."""


def as_http_error(error: BaseException) -> HTTPError:
    """The error that a client is told: itself, or 500 without its text."""
    if isinstance(error, HTTPError):
        return error
    internal = InternalServerError()
    internal.__cause__ = error
    return internal


def kinds_of(error: BaseException, status: int) -> Iterator[type[Any] | int]:
    """What a handler may be registered for to answer for `error`, nearest first."""
    classes = type(error).__mro__
    yield from (kind for kind in classes if kind not in ROOTS)
    yield status
    yield from (kind for kind in classes if kind in ROOTS)


def handler_of(
    error: BaseException, chain: Sequence[Mapping[type[Exception] | int, T]]
) -> T | None:
    """The nearest class wins; of two handlers for one class, the blueprint's before the App's."""
    for kind in kinds_of(error, as_http_error(error).status):
        for handlers in chain:
            handler = handlers.get(kind)
            if handler is not None:
                return handler
    return None


def check_error_handler(handler: ErrorHandler) -> Signature:
    """Its signature, of which the first two parameters are the request and the error.

    Raises:
        SignatureError: `binding.error-handler` where it does not take (request, error, …), or takes another error than its own.
    """
    signature = signature_of(handler.function)
    positional = [
        parameter
        for parameter in signature.parameters
        if parameter.kind
        in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    ]
    if len(positional) < 2:
        raise signature.refused(
            "binding.error-handler",
            "an error handler takes the request and the error",
            "write def f(request: Request, error: …)",
        )
    request, error = (parameter.annotation for parameter in positional[:2])
    if is_class(request) and not is_below(Request, request):
        raise signature.refused(
            "binding.error-handler", "the first argument is the request", "write request: Request"
        )
    kind = HTTPError if isinstance(handler.kind, int) else handler.kind
    if is_class(error) and not is_below(kind, error):
        raise signature.refused(
            "binding.error-handler",
            f"it answers for {kind.__name__}, and its second argument is {error.__name__}",
            f"write error: {kind.__name__}",
        )
    return signature


def is_class(annotation: Any) -> TypeGuard[type[Any]]:
    """Whether an annotation names a class; `Any` and `EMPTY` are classes to Python, and say nothing."""
    return isinstance(annotation, type) and annotation not in (Any, EMPTY)
