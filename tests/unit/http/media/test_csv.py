"""Rows for spreadsheets."""

from __future__ import annotations

from typing import Any

import pytest

from kingpost.http.media import Csv


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([], ""),
        ([{}], "\r\n"),
        ([{"a": 1, "b": "x"}, {"a": None, "b": "y, z"}], 'a,b\r\n1,x\r\n,"y, z"\r\n'),
        ([{"a": 1}, {"b": 2}], "a,b\r\n1,\r\n,2\r\n"),
        ([{"a": 'say "x"\n'}], 'a\r\n"say ""x""\n"\r\n'),
        ([{"a": [1, {"b": None}]}], 'a\r\n"[1,{""b"":null}]"\r\n'),
        ([{"a": True, "b": -1.5}], "a,b\r\ntrue,-1.5\r\n"),
        ([{"a": "=1+1"}], "a\r\n=1+1\r\n"),
    ],
)
def test_rows(rows: Any, text: str) -> None:
    assert Csv().encode(rows).decode() == text


def test_columns_are_in_their_order_also_of_nothing() -> None:
    codec = Csv(columns=["b", "a"])

    assert codec.encode([]) == b"b,a\r\n"
    assert codec.encode([{"a": 1, "b": 2, "c": 3}]) == b"b,a\r\n2,1\r\n"


@pytest.mark.parametrize("text", ["=1+1", "+48", "-x", "@x", "\tx"])
def test_nothing_runs_in_a_spreadsheet(text: str) -> None:
    assert Csv(spreadsheet=True).encode([{text: text, "n": -5}]).decode().count(f"'{text}") == 2


def test_numbers_stay_numbers_in_a_spreadsheet() -> None:
    assert Csv(spreadsheet=True).encode([{"n": -5}]) == b"n\r\n-5\r\n"


@pytest.mark.parametrize("value", [{}, "x", 5, None, ["x"], [{"a": 1}, [1]]])
def test_other_values_have_no_rows(value: Any) -> None:
    with pytest.raises(TypeError, match="CSV"):
        Csv().encode(value)
