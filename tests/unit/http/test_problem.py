"""Errors as machines read them (RFC 9457)."""

from __future__ import annotations

import json

import pytest

from kingpost import limits
from kingpost.errors import NotFound, ValidationError
from kingpost.http import problem, problem_json
from kingpost.http.problem import bounded_input


def test_a_problem_says_what_the_error_says() -> None:
    assert problem(NotFound("no todo 7")) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "code": "not-found",
        "detail": "no todo 7",
    }


def test_a_problem_without_detail_has_none() -> None:
    assert "detail" not in problem(NotFound())


def test_every_broken_rule_is_listed() -> None:
    error = ValidationError(
        errors=[
            {"location": ("query", "page"), "code": "not-an-integer", "message": "M", "input": "x"},
            {"location": ["body", "items", 0], "code": "missing", "message": "N"},
        ]
    )

    assert json.loads(problem_json(error))["errors"] == [
        {"location": ["query", "page"], "code": "not-an-integer", "message": "M", "input": "x"},
        {"location": ["body", "items", 0], "code": "missing", "message": "N"},
    ]


class Unencodable:
    pass


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (5, 5),
        (None, None),
        (True, True),
        (2.5, 2.5),
        ("x" * limits.DETAIL_INPUT_CHARACTERS, "x" * limits.DETAIL_INPUT_CHARACTERS),
        (
            "x" * (limits.DETAIL_INPUT_CHARACTERS + 1),
            "x" * limits.DETAIL_INPUT_CHARACTERS + "…",
        ),
        ({"a": [1]}, '{"a":[1]}'),
        (b"x", '"eA=="'),
        (Unencodable(), "<Unencodable>"),
    ],
)
def test_what_was_sent_is_repeated_within_bounds(value: object, shown: object) -> None:
    assert bounded_input(value) == shown


def test_numbers_that_json_cannot_hold_do_not_break_the_answer() -> None:
    error = ValidationError(
        errors=[{"location": ["x"], "code": "c", "message": "m", "input": float("inf")}]
    )

    assert json.loads(problem_json(error))["errors"][0]["input"] is None


def test_a_lone_surrogate_does_not_break_the_answer() -> None:
    error = ValidationError(
        "no \ud800",
        errors=[{"location": ["\ud800"], "code": "c", "message": "m", "input": "\ud800"}],
    )

    body = json.loads(problem_json(error))

    assert (body["detail"], body["errors"][0]["location"], body["errors"][0]["input"]) == (
        "no ?",
        ["?"],
        "?",
    )
