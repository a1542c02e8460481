"""The answer to an error that nobody took."""

from kingpost.app.failing import raised_at
from kingpost.errors import NotFound


def test_the_line_that_raised_is_the_innermost() -> None:
    def inner() -> None:
        raise NotFound

    try:
        inner()
    except NotFound as error:
        place = raised_at(error)

    assert place is not None
    assert place.line == inner.__code__.co_firstlineno + 1


def test_an_error_that_was_not_raised_has_no_line() -> None:
    assert raised_at(NotFound()) is None
