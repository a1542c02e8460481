# refused by mypy: has incompatible type
from typing import TypedDict

from kingpost import App
from kingpost.schema import check

app = App()


class Span(TypedDict):
    start: int


@check(Span)
def positive(number: int) -> None:
    if number < 0:
        raise ValueError("must not be negative")
