"""The answer to an error that nobody took."""

import pytest

from kingpost import App, errors
from kingpost.app.failing import raised_at
from kingpost.errors import NotFound
from kingpost.testing import TestClient

# Code that stands, as far as tracebacks know, in one of our own files.
OURS = compile("raise NotFound", errors.__file__, "exec")


def test_the_line_that_raised_is_the_innermost() -> None:
    def inner() -> None:
        raise NotFound

    with pytest.raises(NotFound) as caught:
        inner()
    place = raised_at(caught.value)

    assert place is not None
    assert place.line == inner.__code__.co_firstlineno + 1


def test_for_an_error_from_within_kingpost_it_is_the_line_that_called() -> None:
    def inner() -> None:
        exec(OURS, {"NotFound": NotFound})  # noqa: S102 - our own text

    with pytest.raises(NotFound) as caught:
        inner()
    place = raised_at(caught.value)

    assert place is not None
    assert place.line == inner.__code__.co_firstlineno + 1


def test_what_was_refused_before_any_code_of_the_user_has_no_line() -> None:
    with pytest.raises(NotFound) as caught:
        exec(OURS, {"NotFound": NotFound})  # noqa: S102 - our own text
    assert caught.value.__traceback__ is not None
    error = NotFound().with_traceback(caught.value.__traceback__.tb_next)

    assert raised_at(error) is None


def test_an_error_that_was_not_raised_has_no_line() -> None:
    assert raised_at(NotFound()) is None


def test_what_an_error_varies_by_stands_beside_accept() -> None:
    app = App()

    @app.get("/{fields}")
    def home(fields: str) -> str:
        raise NotFound(headers={"Vary": fields})

    with TestClient(app) as client:
        found = {
            fields: client.get(f"/{fields}").headers.get_all("vary")
            for fields in ("Cookie", "Accept", "*")
        }

    # Whether it is a page or a problem depends on Accept, whatever else it depends on.
    assert found == {"Cookie": ["accept", "cookie"], "Accept": ["accept"], "*": ["accept", "*"]}
