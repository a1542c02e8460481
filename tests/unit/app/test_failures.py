"""Error handlers: which are callable, and which answers for what."""

from typing import Any, Protocol, TypedDict

import pytest

from kingpost import HTTPError, NotFound, Request
from kingpost.app.failures import as_http_error, check_error_handler, handler_of, kinds_of
from kingpost.errors import SignatureError
from kingpost.routing.route import ErrorHandler
from kingpost.types import Place

PLACE = Place("app.py", 1)


def checked(function: Any, kind: Any = NotFound) -> Any:
    return check_error_handler(ErrorHandler(kind, function, PLACE)).returns


def test_a_handler_takes_the_request_and_its_error() -> None:
    def typed(request: Request, error: NotFound) -> str: ...  # type: ignore[empty-body]  # never called
    def wider(request: object, error: Exception) -> dict[str, int]: ...  # type: ignore[empty-body]  # never called
    def loose(request: Any, error: Any) -> None: ...
    def status(request: Request, error: HTTPError) -> str: ...  # type: ignore[empty-body]  # never called

    assert checked(typed) is str
    assert checked(wider) == dict[str, int]
    assert checked(loose) is type(None)
    assert checked(status, 404) is str


class Keyed(TypedDict):
    path: str


class Shaped(Protocol):
    detail: str


def test_other_signatures_are_refused() -> None:
    def none() -> None: ...
    def one(error: NotFound) -> None: ...
    def named(request: Request, *, error: NotFound) -> None: ...
    def swapped(error: NotFound, request: Request) -> None: ...
    def another(request: Request, error: KeyError) -> None: ...
    def keyed(request: Keyed, error: NotFound) -> None: ...
    def shaped(request: Request, error: Shaped) -> None: ...

    for function in (none, one, named, swapped, another, keyed, shaped):
        with pytest.raises(SignatureError) as refused:
            checked(function)
        assert refused.value.code == "binding.error-handler"


def test_a_status_stands_before_the_roots() -> None:
    class Lost(NotFound):
        pass

    assert list(kinds_of(Lost(), 404))[:2] == [Lost, NotFound]
    assert list(kinds_of(Lost(), 404))[-3:] == [404, HTTPError, Exception]
    assert list(kinds_of(KeyError(), 500))[:2] == [KeyError, LookupError]


def test_what_no_client_may_know_is_a_500() -> None:
    error = KeyError("secret")

    assert as_http_error(error).__cause__ is error
    assert as_http_error(error).status == 500
    assert "secret" not in str(as_http_error(error))


def test_nobody_may_answer() -> None:
    assert handler_of(KeyError(), [{}, {}]) is None
