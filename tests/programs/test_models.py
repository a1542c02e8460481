"""Programs about models do what their readers expect: input, unknown fields, and what leaves."""

from __future__ import annotations

from typing import Any

import pytest

from kingpost.testing import TestClient
from tests.programs.test_programs import program

KINDS = ("struct", "dataclass", "typed-dict", "attrs", "pydantic")
BOOKING = {
    "name": "Ada",
    "seats": 2,
    "payer": {"kind": "guest", "email": "ada@example.org"},
    "start": "2026-03-01",
    "end": "2026-03-04",
}


def test_five_kinds_of_models_give_one_answer() -> None:
    wrong = BOOKING | {
        "name": "A",
        "seats": "2",
        "payer": {"kind": "member", "number": "7"},
        "end": 5,
    }
    late = BOOKING | {"seats": 9, "end": "2026-02-01"}
    with TestClient(program("models_five_kinds")) as browser:
        good = [browser.post(f"/{kind}", json=BOOKING).json() for kind in KINDS]
        refused = [browser.post(f"/{kind}", json=wrong) for kind in KINDS]
        out_of_order = [browser.post(f"/{kind}", json=late | {"seats": 2}) for kind in KINDS]

    assert good == [BOOKING] * 5
    assert {answer.status for answer in refused} == {422}
    assert len({answer.content for answer in refused}) == 1
    assert [(error["location"], error["code"]) for error in refused[0].json()["errors"]] == [
        (["body", "name"], "too-short"),
        (["body", "seats"], "not-an-integer"),
        (["body", "payer", "number"], "not-an-integer"),
        (["body", "end"], "not-a-date"),
    ]
    assert len({answer.content for answer in out_of_order}) == 1
    assert out_of_order[0].json()["errors"] == [
        {
            "location": ["body", "end"],
            "code": "before-start",
            "message": "must not be before start",
            "input": "2026-02-01",
        }
    ]


def test_kinds_are_mixed_in_one_another() -> None:
    document = {
        "first": BOOKING,
        "others": [BOOKING, None],
        "guest": {"kind": "guest", "email": "x"},
        "member": {"kind": "member", "number": 7},
    }
    wrong = document | {
        "first": BOOKING | {"end": "2026-01-01"},
        "others": [{"name": "Ada"}],
        "guest": {"kind": "member"},
        "member": 1,
    }
    with TestClient(program("models_five_kinds")) as browser:
        good = browser.post("/mixed", json=document)
        refused = browser.post("/mixed", json=wrong)

    assert good.json() == document
    assert [(error["location"], error["code"]) for error in refused.json()["errors"]] == [
        (["body", "first", "end"], "before-start"),
        (["body", "others", 0, "seats"], "missing"),
        (["body", "others", 0, "payer"], "missing"),
        (["body", "others", 0, "start"], "missing"),
        (["body", "guest", "kind"], "not-a-choice"),
        (["body", "guest", "email"], "missing"),
        (["body", "member"], "not-an-object"),
    ]


@pytest.mark.parametrize("path", [*KINDS, "refused-here"])
def test_unknown_fields_are_refused_where_a_class_or_a_route_says_so(path: str) -> None:
    with TestClient(program("unknown_fields")) as browser:
        good = browser.post(f"/{path}", json={"name": "x"})
        refused = browser.post(f"/{path}", json={"b": 2, "name": "x", "a": 1})

    assert good.status == 200
    assert [(error["location"], error["code"]) for error in refused.json()["errors"]] == [
        (["body", "b"], "unknown-field"),
        (["body", "a"], "unknown-field"),
    ]


def test_unknown_fields_are_ignored_elsewhere() -> None:
    with TestClient(program("unknown_fields")) as browser:
        ignored = browser.post("/ignored", json={"name": "x", "a": 1})
        outside = browser.post("/inside", json={"items": [{"name": "x"}], "a": 1})
        inside = browser.post("/inside", json={"items": [{"name": "x", "a": 1}]})

    assert (ignored.text, outside.json(), inside.status) == ("x", 1, 422)


PATHS = [
    "struct",
    "subclass",
    "row",
    "dataclass",
    "typed-dict",
    "attrs",
    "pydantic",
    "list",
    "union",
    "anything",
    "response",
    "unannotated",
    "lines",
    "without",
    "only",
    "only-pydantic",
    "partial",
    "partial-pydantic",
]


@pytest.mark.parametrize("path", PATHS)
def test_what_is_private_never_leaves(path: str) -> None:
    with TestClient(program("output_filter")) as browser:
        answer = browser.get(f"/{path}")

    assert answer.status in (200, 201)
    for word in ("secret", "password", "token", "pin", "doorCode", "door_code"):
        assert word not in answer.text


ADA: dict[str, Any] = {"id": 1, "fullName": "Ada", "address": {"city": "Paris"}, "tags": []}


FOUND: list[tuple[str, Any]] = [
    ("struct", ADA),
    ("subclass", ADA | {"id": 2, "fullName": "Grace"}),
    ("row", ADA | {"id": 3, "fullName": "Alan"}),
    ("dataclass", {"id": 1, "user": ADA | {"id": 2, "fullName": "Grace"}}),
    ("typed-dict", {"id": 1}),
    ("attrs", {"id": 1}),
    ("pydantic", {"id": 1, "friends": [{"id": 2, "friends": [{"id": 3, "friends": []}]}]}),
    ("list", [ADA, ADA | {"id": 2, "fullName": "Grace"}]),
    ("union", {"id": 1}),
    ("response", {"id": 1, "user": ADA}),
    ("unannotated", ADA | {"id": 2, "fullName": "Grace", "level": 9}),
    ("without", {"id": 1, "fullName": "Ada", "address": {}}),
    ("only", [{"id": 1, "fullName": "Ada"}]),
    ("only-pydantic", {"friends": [{"id": 2}]}),
    ("partial-pydantic", {"id": 1}),
]


@pytest.mark.parametrize(("path", "told"), FOUND)
def test_what_leaves_is_what_the_annotation_says(path: str, told: Any) -> None:
    with TestClient(program("output_filter")) as browser:
        assert browser.get(f"/{path}").json() == told


def test_fields_with_their_defaults_are_left_out_on_demand() -> None:
    with TestClient(program("output_filter")) as browser:
        partial = browser.get("/partial").json()

    # msgspec cannot tell whether a made default is one, unless it is an empty list, dict or set.
    assert partial == {"id": 1, "fullName": "Ada", "address": {"city": "Paris"}}


def test_values_deep_in_values_without_an_annotation() -> None:
    with TestClient(program("output_filter")) as browser:
        told = browser.get("/anything").json()

    assert told["users"] == [ADA, {"id": 1}, {"data": {"id": 1, "user": None}}]
    assert told["model"]["friends"][0]["friends"][0] == {"id": 3, "friends": []}
