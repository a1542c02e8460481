"""The error tree: statuses, codes, and messages that name value, rule and remedy."""

from __future__ import annotations

import copy
import pickle
from typing import Any, NamedTuple

import pytest

from kingpost import errors
from kingpost.errors import (
    ConfigurationError,
    HTTPError,
    MethodNotAllowed,
    NotFound,
    RoutingError,
    SettingsError,
    ValidationError,
    title_of,
)

HTTP_ERRORS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, HTTPError) and kind is not HTTPError
]


class Line(NamedTuple):
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def test_an_error_carries_status_code_detail_and_headers() -> None:
    error = NotFound("no todo 7", headers={"X-Hint": "8"})

    assert (error.status, error.code, error.detail, error.title) == (
        404,
        "not-found",
        "no todo 7",
        "Not Found",
    )
    assert dict(error.headers) == {"X-Hint": "8"}
    assert str(error) == "no todo 7"


@pytest.mark.parametrize("kind", HTTP_ERRORS)
def test_every_class_stands_in_the_drawn_tree_with_its_status_and_code(
    kind: type[HTTPError],
) -> None:
    line = next(
        line for line in (errors.__doc__ or "").splitlines() if f" {kind.__name__} " in line
    )

    assert f" {kind.status}  {kind.code}" in line


def test_no_two_classes_share_a_code() -> None:
    codes = [kind.code for kind in HTTP_ERRORS]

    assert len(codes) == len(set(codes))


def test_a_status_of_its_own_brings_its_own_code() -> None:
    error = HTTPError("short and stout", status=418)

    assert (error.status, error.code, error.title) == (418, "im-a-teapot", "I'm a Teapot")


def test_a_given_code_wins_over_the_one_of_the_status() -> None:
    error = HTTPError(status=418, code="tea.only")

    assert error.code == "tea.only"


def test_the_class_keeps_its_code_when_its_own_status_is_repeated() -> None:
    assert NotFound(status=404).code == "not-found"


@pytest.mark.parametrize("status", [200, 304, 399, 600, 0, -1])
def test_a_status_that_is_no_error_is_refused(status: int) -> None:
    with pytest.raises(
        ValueError, match=f"status={status}: an HTTPError has a status from 400 to 599"
    ):
        HTTPError(status=status)


@pytest.mark.parametrize("status", [400, 599])
def test_the_first_and_last_error_status_are_taken(status: int) -> None:
    assert HTTPError(status=status).status == status


def test_a_subclass_may_have_a_code_of_its_own() -> None:
    class MissingProduct(NotFound):
        code = "missing-product"

    assert (MissingProduct().status, MissingProduct().code) == (404, "missing-product")


def test_a_status_without_words_gets_those_of_its_class() -> None:
    assert (title_of(499), title_of(599)) == ("Client Error", "Server Error")
    assert HTTPError(status=499).code == "status-499"


def test_method_not_allowed_names_the_methods_that_would_work() -> None:
    error = MethodNotAllowed(allowed=["GET", "HEAD"])

    assert error.allowed == ("GET", "HEAD")
    assert dict(error.headers) == {"Allow": "GET, HEAD"}


def test_method_not_allowed_without_methods_has_no_allow() -> None:
    assert dict(MethodNotAllowed().headers) == {}


def test_a_validation_error_counts_what_it_refuses() -> None:
    one = ValidationError(errors=[{"location": ["query", "a"], "code": "x", "message": "X."}])
    none = ValidationError()

    assert (one.detail, none.detail) == ("1 value was refused", "0 values were refused")
    assert ValidationError("look again").detail == "look again"


@pytest.mark.parametrize("error", [NotFound("x"), HTTPError("x", status=418, code="c")])
def test_errors_survive_copying_and_pickling(error: HTTPError) -> None:
    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - our own bytes
        assert (type(again), again.detail, again.status, again.code) == (
            type(error),
            error.detail,
            error.status,
            error.code,
        )


def test_the_repr_tells_everything_that_matters() -> None:
    assert repr(NotFound("x")) == "NotFound('x', status=404, code='not-found')"


def test_a_configuration_error_names_remedy_places_and_the_command_that_explains_it() -> None:
    error = RoutingError(
        "GET / is claimed twice",
        code="routing.conflict",
        remedy="rename one",
        places=[Line("app.py", 12), Line("admin.py", 40)],
    )

    assert str(error) == (
        "GET / is claimed twice\n"
        "  do:      rename one\n"
        "  at:      app.py:12\n"
        "  at:      admin.py:40\n"
        "  explain: kingpost explain routing.conflict"
    )


def test_a_configuration_error_without_a_code_has_that_of_its_class() -> None:
    assert (ConfigurationError("x").code, SettingsError("x").code) == ("configuration", "settings")


@pytest.mark.parametrize(
    ("kind", "given", "remedy"),
    [
        (HTTPError, (404,), "write NotFound('…'), or HTTPError('…', status=404)"),
        (
            HTTPError,
            (404, "no pie"),
            "write NotFound('no pie'), or HTTPError('no pie', status=404)",
        ),
        (HTTPError, (418,), "write HTTPError('…', status=418)"),
        (HTTPError, ("no pie", 404), "write HTTPError('no pie', status=…)"),
        (NotFound, ({"pie": 1},), "write NotFound('…', status=…)"),
    ],
)
def test_a_status_that_stands_where_the_sentence_does_is_refused(
    kind: Any, given: tuple[object, ...], remedy: str
) -> None:
    shown = ", ".join(map(repr, given))

    with pytest.raises(TypeError) as refused:
        kind(*given)

    assert str(refused.value) == (
        f"{kind.__name__}({shown}): what stands first, and alone, is one sentence for the client; {remedy}"
    )
