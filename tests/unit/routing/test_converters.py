"""Converters, both ways."""

import datetime as dt
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost import App
from kingpost.app.compile import compile_app
from kingpost.errors import RoutingError
from kingpost.routing.converters import BUILT_IN, DateConverter, value_type
from kingpost.testing import TestClient

UUID = uuid.UUID("123e4567-e89b-42d3-a456-426614174000")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("str", "a b", "a b"),
        ("path", "a/b", "a/b"),
        ("int", "007", 7),
        ("int", "-5", -5),
        ("float", "1.50", 1.5),
        ("float", "-2", -2.0),
        ("slug", "a-b_C9", "a-b_C9"),
        ("uuid", str(UUID).upper(), UUID),
        ("date", "2026-03-31", dt.date(2026, 3, 31)),
    ],
)
def test_text_becomes_a_value(name: str, text: str, value: object) -> None:
    assert BUILT_IN[name]().convert(text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("int", ""),
        ("int", "+5"),
        ("int", "1_0"),
        ("int", " 1"),
        ("int", "\u0661"),
        ("int", "9" * 4301),
        ("float", "nan"),
        ("float", "inf"),
        ("float", "1e5"),
        ("float", ".5"),
        ("slug", ""),
        ("slug", "a b"),
        ("slug", "ą"),
        ("uuid", "{123e4567-e89b-42d3-a456-426614174000}"),
        ("uuid", "123e4567e89b42d3a456426614174000"),
        ("date", "2026-02-30"),
        ("date", "20260331"),
        ("date", "2026-W01-1"),
    ],
)
def test_text_that_is_no_value_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says, the answer is 404
        BUILT_IN[name]().convert(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("str", 5),
        ("int", "5"),
        ("int", True),
        ("int", 5.0),
        ("float", "1.5"),
        ("float", True),
        ("slug", 5),
        ("uuid", "123e4567-e89b-42d3-a456-426614174000"),
        ("date", "2026-03-31"),
    ],
)
def test_a_value_of_another_type_is_not_written(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match="expected"):
        BUILT_IN[name]().format(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_not_written(value: float) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says, the answer is 404
        BUILT_IN["float"]().format(value)


def test_a_date_has_the_form_that_the_pattern_gives() -> None:
    months = DateConverter("%Y-%m")

    assert months.convert("2026-03") == dt.date(2026, 3, 1)
    assert months.format(dt.date(2026, 3, 31)) == "2026-03"
    with pytest.raises(ValueError, match="2026-3"):
        months.convert("2026-3")


def test_a_converter_says_what_it_gives() -> None:
    class Silent:
        def convert(self, text, /):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - without annotations on purpose
            return text

        def format(self, value: object, /) -> str:
            return str(value)

    class Unresolved(Silent):
        def convert(self, text: str, /) -> "Nowhere":  # type: ignore[name-defined]  # noqa: F821 - a name that does not exist, on purpose
            return text

    assert [value_type(BUILT_IN[name]()) for name in ("int", "date", "path")] == [
        int,
        dt.date,
        str,
    ]
    assert value_type(Silent()) is Any
    assert value_type(Unresolved()) is Any


@given(st.integers())
def test_every_integer_survives_the_way_through_an_address(number: int) -> None:
    converter = BUILT_IN["int"]()

    assert converter.convert(converter.format(number)) == number


@given(st.dates())
def test_every_date_survives_the_way_through_an_address(day: dt.date) -> None:
    converter = BUILT_IN["date"]()

    assert converter.convert(converter.format(day)) == day


def test_a_date_of_a_form_is_read_and_what_is_none_is_404() -> None:
    app = App()

    @app.get("/x/{d:date(%Y-%m)}")
    def month(d: dt.date) -> str:
        return d.isoformat()

    with TestClient(app) as browser:
        assert browser.get("/x/2026-03").text == "2026-03-01"
        assert [browser.get(f"/x/{text}").status for text in ("13", "2026-13", "2026-3", "%FF", "2026-03-01")] == [404] * 5  # fmt: skip
    assert app.url_for("month", d=dt.date(2026, 3, 31)) == "/x/2026-03"


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        ("/{code:regex([A-Z]{3})}", "ZRH", ["zrh", "ZRHX", "ZRH%0A", "ZRH/x"]),
        ("/{code:regex((a|b)+)}.txt", "abba", ["", "c", "ab" * 200]),
        ("/at/{code:regex(\\d{2}-(?:x|y))}", "12-y", ["1-x", "12-z"]),
    ],
)
def test_a_regular_expression_matches_the_whole_segment(
    pattern: str, right: str, wrong: list[str]
) -> None:
    app = App()

    @app.get(pattern)
    def show(code: str) -> str:
        return code

    before, after = (
        pattern.split("{code", maxsplit=1)[0],
        ".txt" if pattern.endswith(".txt") else "",
    )
    with TestClient(app) as browser:
        assert browser.get(f"{before}{right}{after}").text == right
        assert {browser.get(f"{before}{text}{after}").status for text in wrong} == {404}
    assert app.url_for("show", code=right) == f"{before}{right}{after}"
    with pytest.raises(RoutingError):
        app.url_for("show", code="?")


@pytest.mark.parametrize("pattern", ["/{a:regex}", "/{a:regex([)}", "/{a:regex(*)}"])
def test_what_is_no_regular_expression_is_refused(pattern: str) -> None:
    app = App()

    @app.get(pattern)
    def show(a: str) -> str:
        return a

    with pytest.raises(RoutingError) as refused:
        compile_app(app, mode="test")
    assert refused.value.code == "routing.bad-converter"
