"""The same input gets the same answer from every kind of model: status, codes, locations, messages, inputs and their order."""

from __future__ import annotations

import copy
from typing import Annotated, Any

import msgspec
import pytest

from kingpost import App, Body
from kingpost.testing import TestClient
from tests.unit.schema.kinds import GOOD, KINDS, VALUES

Told = list[tuple[list[str | int], str]]


def app_of(name: str) -> App:
    kind = KINDS[name]
    app = App()

    def order(body: Any) -> Any:
        return body

    def payment(body: Any) -> Any:
        return body

    def closed(body: Any) -> Any:
        return body

    def node(body: Any) -> Any:
        return body

    def spans(body: Any) -> Any:
        return body

    def values(body: Any) -> Any:
        return body

    for handler, annotation in (
        (order, kind.order),
        (payment, kind.payment),
        (closed, kind.closed),
        (node, kind.node),
        (spans, list[kind.span]),
        (values, kind.values),
    ):
        handler.__annotations__ = {
            "body": Annotated[annotation, Body()],
            "return": annotation,
        }
        app.post(f"/{handler.__name__}")(handler)
    return app


@pytest.fixture(scope="module")
def clients() -> Any:
    opened = {name: TestClient(app_of(name)) for name in KINDS}
    for client in opened.values():
        client.__enter__()
    yield opened
    for client in opened.values():
        client.__exit__(None, None, None)


def but(**changes: Any) -> dict[str, Any]:
    """The good order with some fields changed; `...` leaves one out; `a__b` is b of a."""
    order = copy.deepcopy(GOOD)
    for name, value in changes.items():
        place: Any = order
        *way, last = name.split("__")
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        if value is ...:
            del place[last]
        else:
            place[int(last) if last.isdigit() else last] = value
    return order


def at(*way: str | int, code: str) -> tuple[list[str | int], str]:
    return (["body", *way], code)


CASES: list[tuple[str, Any, Told]] = [
    # -- good ones
    ("order", GOOD, []),
    ("order", but(note=...), []),
    ("order", but(tags=..., note="x"), []),
    ("order", but(unknown=1, more={"deep": []}), []),
    ("order", but(several=None), []),
    ("order", but(several=5), []),
    ("order", but(span__end=...), []),
    ("order", but(span__end=None), []),
    ("order", but(lines=[]), []),
    ("order", but(price=3), []),
    ("order", but(title="Ab"), []),
    ("order", but(title="Abcdefghij"), []),
    ("order", but(count=1), []),
    ("order", but(count=100), []),
    # -- one wrong field
    ("order", but(title=...), [at("title", code="missing")]),
    ("order", but(title=5), [at("title", code="not-text")]),
    ("order", but(title=None), [at("title", code="not-text")]),
    ("order", but(title="A"), [at("title", code="too-short")]),
    ("order", but(title="Abcdefghijk"), [at("title", code="too-long")]),
    ("order", but(title="abc"), [at("title", code="wrong-pattern")]),
    ("order", but(title="a"), [at("title", code="too-short"), at("title", code="wrong-pattern")]),
    ("order", but(count=0), [at("count", code="too-small")]),
    ("order", but(count=101), [at("count", code="too-large")]),
    ("order", but(count="5"), [at("count", code="not-an-integer")]),
    ("order", but(count=5.0), [at("count", code="not-an-integer")]),
    ("order", but(count=True), [at("count", code="not-an-integer")]),
    ("order", but(count=10**30), [at("count", code="too-large")]),
    ("order", but(step=7), [at("step", code="not-a-multiple")]),
    ("order", but(ratio=0), [at("ratio", code="too-small")]),
    ("order", but(ratio=1), [at("ratio", code="too-large")]),
    ("order", but(ratio="0.5"), [at("ratio", code="not-a-number")]),
    ("order", but(ratio=False), [at("ratio", code="not-a-number")]),
    ("order", but(paid="true"), [at("paid", code="not-a-boolean")]),
    ("order", but(paid=1), [at("paid", code="not-a-boolean")]),
    ("order", but(price="x"), [at("price", code="not-a-decimal")]),
    ("order", but(price="NaN"), [at("price", code="not-a-decimal")]),
    ("order", but(price="Infinity"), [at("price", code="not-a-decimal")]),
    ("order", but(price=[]), [at("price", code="not-a-decimal")]),
    ("order", but(key="x"), [at("key", code="not-a-uuid")]),
    ("order", but(key="urn:uuid:123e4567-e89b-12d3-a456-426614174000"), [at("key", code="not-a-uuid")]),
    ("order", but(at="yesterday"), [at("at", code="not-a-datetime")]),
    ("order", but(at=1_700_000_000), [at("at", code="not-a-datetime")]),
    ("order", but(at="1700000000"), [at("at", code="not-a-datetime")]),
    ("order", but(noon="25:00:00"), [at("noon", code="not-a-time")]),
    ("order", but(noon=3600), [at("noon", code="not-a-time")]),
    ("order", but(lasts="two hours"), [at("lasts", code="not-a-duration")]),
    ("order", but(lasts="02:00:00"), [at("lasts", code="not-a-duration")]),
    ("order", but(lasts=7200), [at("lasts", code="not-a-duration")]),
    ("order", but(colour="green"), [at("colour", code="not-a-choice")]),
    ("order", but(colour="RED"), [at("colour", code="not-a-choice")]),
    ("order", but(level=3), [at("level", code="not-a-choice")]),
    ("order", but(level="1"), [at("level", code="not-a-choice")]),
    ("order", but(size="l"), [at("size", code="not-a-choice")]),
    ("order", but(size=["s"]), [at("size", code="not-a-choice")]),
    ("order", but(labels="a"), [at("labels", code="not-a-list")]),
    ("order", but(labels=["a", "b", "c"]), [at("labels", code="too-long")]),
    ("order", but(labels=["long", 1, "b"]), [at("labels", code="too-long"), at("labels", 0, code="too-long"), at("labels", 1, code="not-text")]),
    ("order", but(lines={}), [at("lines", code="not-a-list")]),
    ("order", but(lines__1__count=0), [at("lines", 1, "count", code="too-small")]),
    ("order", but(lines__0__sku=...), [at("lines", 0, "sku", code="missing")]),
    ("order", but(lines=[1, None]), [at("lines", 0, code="not-an-object"), at("lines", 1, code="not-an-object")]),
    ("order", but(extra=[]), [at("extra", code="not-an-object")]),
    ("order", but(extra={"a": "1"}), [at("extra", "a", code="not-an-integer")]),
    ("order", but(pair=[1]), [at("pair", code="wrong-length")]),
    ("order", but(pair=["x", 1]), [at("pair", 0, code="not-an-integer"), at("pair", 1, code="not-text")]),
    ("order", but(several=[]), [at("several", code="not-a-choice")]),
    ("order", but(several=1.5), [at("several", code="not-a-choice")]),
    ("order", but(note=5), [at("note", code="not-text")]),
    ("order", but(tags=None), [at("tags", code="not-a-list")]),
    ("order", but(span=[]), [at("span", code="not-an-object")]),
    ("order", but(span__start="2026-13-01"), [at("span", "start", code="not-a-date")]),
    ("order", but(span__start=5), [at("span", "start", code="not-a-date")]),
    ("order", but(span__start="1700000000"), [at("span", "start", code="not-a-date")]),
    # -- rules across fields
    ("order", but(span__end="2025-01-01"), [at("span", "end", code="before-start")]),
    ("order", but(span__start="1970-01-01"), [at("span", code="invalid")]),
    # Other fields' errors do not hide it, and an error inside of it does.
    ("order", but(title=5, span__end="2025-01-01"), [at("title", code="not-text"), at("span", "end", code="before-start")]),
    ("order", but(title=5, span__start="x", span__end="2025-01-01"), [at("title", code="not-text"), at("span", "start", code="not-a-date")]),
    ("spans", [{"start": "2026-01-01"}, {"start": "2026-01-02", "end": "2026-01-01"}, {}], [at(1, "end", code="before-start"), at(2, "start", code="missing")]),
    # -- many at once, in the order of the fields
    ("order", {}, [at(name, code="missing") for name in GOOD if name not in ("note", "tags")]),
    (
        "order",
        but(title=1, count=0, paid="x", colour="x", lines__0__count=-1, lines__1__sku=2, span__end="2025-01-01", extra={"a": None}, note=1, tags=[1]),
        [
            at("title", code="not-text"), at("count", code="too-small"), at("paid", code="not-a-boolean"), at("colour", code="not-a-choice"),
            at("lines", 0, "count", code="too-small"), at("lines", 1, "sku", code="not-text"), at("span", "end", code="before-start"),
            at("extra", "a", code="not-an-integer"), at("note", code="not-text"), at("tags", 0, code="not-text"),
        ],
    ),
    ("order", [], [at(code="not-an-object")]),
    ("order", "text", [at(code="not-an-object")]),
    ("order", None, [at(code="not-an-object")]),
    ("order", but(tags=list(range(500))), [at("tags", index, code="not-text") for index in range(100)]),
    # -- unions
    ("payment", {"pays": {"kind": "card", "number": "1"}}, []),
    ("payment", {"pays": {"kind": "cash", "given": 5}, "also": [None, {"kind": "card", "number": "1"}]}, []),
    ("payment", {"pays": {"kind": "card", "number": "1234"}}, [at("pays", "number", code="too-long")]),
    ("payment", {"pays": {"kind": "card", "given": 5}}, [at("pays", "number", code="missing")]),
    ("payment", {"pays": {"kind": "cheque"}}, [at("pays", code="not-a-choice")]),
    ("payment", {"pays": {"number": "1"}}, [at("pays", code="not-a-choice")]),
    ("payment", {"pays": 5}, [at("pays", code="not-a-choice")]),
    ("payment", {"pays": None}, [at("pays", code="not-a-choice")]),
    (
        "payment",
        {"pays": {"kind": "cash", "given": "5"}, "also": [5, {"kind": "card"}, None, {}], "spans": {"a": {"start": "2026-02-01", "end": "2026-01-01"}, "b": 1}},
        [
            at("pays", "given", code="not-an-integer"), at("also", 0, code="not-a-choice"), at("also", 1, "number", code="missing"),
            at("also", 3, code="not-a-choice"), at("spans", "a", "end", code="before-start"), at("spans", "b", code="not-an-object"),
        ],
    ),
    # -- unknown fields, where they are refused
    ("closed", {"name": "x"}, []),
    ("closed", {"name": "x", "other": 1, "more": 2}, [at("other", code="unknown-field"), at("more", code="unknown-field")]),
    ("closed", {"other": 1}, [at("name", code="missing"), at("other", code="unknown-field")]),
    # -- models in themselves
    ("node", {"name": "a", "children": [{"name": "b", "children": [{"name": "c"}]}]}, []),
    ("node", {"name": "a", "children": [{"name": "b", "children": [{"name": 1}, {}]}]}, [at("children", 0, "children", 0, "name", code="not-text"), at("children", 0, "children", 1, "name", code="missing")]),
]  # fmt: skip


VALUE_CASES: list[tuple[str, str, bytes | str]] = [
    # -- bytes: what is sent for a field as JSON, and what comes back, or the code
    ("blob", '"YQ=="', b'"YQ=="'),
    ("blob", '""', b'""'),
    ("blob", '"//79"', b'"//79"'),
    ("blob", '"YQ"', "not-base64"),
    ("blob", '"a"', "not-base64"),
    ("blob", '"__79"', "not-base64"),
    ("blob", "5", "not-base64"),
    ("blobs", '["//4=","YWI="]', b'["//4=","YWI="]'),
    # -- choices that are numbers
    ("level", "1", b"1"),
    ("level", "true", "not-a-choice"),
    ("level", "1.0", "not-a-choice"),
    ("level", '"1"', "not-a-choice"),
    ("grade", "1", b"1"),
    ("grade", "true", "not-a-choice"),
    ("grade", "1.0", "not-a-choice"),
    ("grade", '"1"', "not-a-choice"),
    ("size", '"two"', b'"two"'),
    ("size", "true", "not-a-choice"),
    ("size", "1.0", "not-a-choice"),
    ("several", "[1,1]", b"[1]"),
    ("several", "[1.0]", "not-a-choice"),
    ("named", '{"a":2}', b'{"a":2}'),
    ("named", '{"a":true}', "not-a-choice"),
    # -- decimals
    ("price", "0.1", b'"0.1"'),
    ("price", "1.10", b'"1.10"'),
    ("price", "10", b'"10"'),
    ("price", "0.1234567890123456789012345", b'"0.1234567890123456789012345"'),
    ("price", "12345678901234567890.123", b'"12345678901234567890.123"'),
    ("price", "1e400", b'"1E+400"'),
    ("price", '"1e400"', b'"1E+400"'),
    ("price", "true", "not-a-decimal"),
    ("prices", '[0.12345678901234567890,"2"]', b'["0.12345678901234567890","2"]'),
    # -- dates and times
    ("lasts", '"PT1H"', b'"PT3600S"'),
    ("lasts", '"P1DT0.5S"', b'"P1DT0.5S"'),
    ("lasts", '"-PT1S"', b'"-PT1S"'),
    ("at", '"2026-03-31T12:00:00.1234567Z"', b'"2026-03-31T12:00:00.123457Z"'),
    ("at", '"2026-03-31T12:00:00+02:00"', b'"2026-03-31T12:00:00+02:00"'),
    ("noon", '"12:00:00.1234567"', b'"12:00:00.123457"'),
]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("field", "sent", "answered"), VALUE_CASES)
def test_every_kind_reads_and_writes_the_value(
    clients: Any, name: str, field: str, sent: str, answered: bytes | str
) -> None:
    document = msgspec.json.encode(VALUES | {field: msgspec.Raw(sent.encode())})

    answer = clients[name].post(
        "/values", content=document, headers={"content-type": "application/json"}
    )

    if isinstance(answered, str):
        assert (answer.status, answer.json()["errors"][0]["code"]) == (422, answered)
    else:
        assert answer.status == 200
        fields = msgspec.json.decode(answer.content, type=dict[str, msgspec.Raw])
        assert bytes(fields[field]) == answered


def test_there_are_at_least_sixty_inputs() -> None:
    assert len(CASES) >= 60
    assert max(len(told) for _, _, told in CASES) >= 5


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: msgspec.json.encode(case[1]).decode()[:40])
def test_every_kind_gives_the_answer(clients: Any, name: str, case: tuple[str, Any, Told]) -> None:
    path, document, told = case

    answer = clients[name].post(f"/{path}", json=document)

    found = (
        [(error["location"], error["code"]) for error in answer.json().get("errors", [])]
        if answer.status != 200
        else []
    )
    assert (answer.status, found) == (422 if told else 200, told)


@pytest.mark.parametrize("case", CASES, ids=lambda case: msgspec.json.encode(case[1]).decode()[:40])
def test_all_kinds_give_the_same_answer(clients: Any, case: tuple[str, Any, Told]) -> None:
    path, document, told = case
    answers = {name: clients[name].post(f"/{path}", json=document) for name in KINDS}

    if told:
        assert len({answer.content for answer in answers.values()}) == 1
    else:
        # A TypedDict has no defaults, a dataclass's are left out, and fields of attrs are sorted: values are compared below.
        assert {answer.status for answer in answers.values()} == {200}


BROKEN = [
    (b"", 422, "validation-failed"),
    (b"{", 400, "json.malformed"),
    (b'{"title": NaN}', 400, "json.malformed"),
    (b'{"ratio": Infinity}', 400, "json.malformed"),
    (b'{"ratio": 1e999}', 400, "json.number-too-long"),
    (b'{"count": ' + b"9" * 4301 + b"}", 400, "json.number-too-long"),
    (b'{"note": "\xff"}', 400, "json.malformed"),
    (b'{"x": ' + b"[" * 63 + b"]" * 63 + b"}", 422, "validation-failed"),
    (b'{"x": ' + b"[" * 64 + b"]" * 64 + b"}", 400, "json.too-deep"),
]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("document", "status", "code"), BROKEN, ids=[str(each[0][:24]) for each in BROKEN]
)
def test_what_is_no_json_is_the_same_for_all(
    clients: Any, name: str, document: bytes, status: int, code: str
) -> None:
    answer = clients[name].post(
        "/order", content=document, headers={"content-type": "application/json"}
    )

    assert (answer.status, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("levels", "status"), [(32, 200), (33, 400)])
def test_the_depth_of_a_document_is_bounded(
    clients: Any, name: str, levels: int, status: int
) -> None:
    """A node in a list in a node is two levels: 64 may be, 65 may not."""
    document = (
        b'{"name":"x","children":[' * (levels - 1)
        + b'{"name":"x","children":[]}'
        + b"]}" * (levels - 1)
    )

    answer = clients[name].post(
        "/node", content=document, headers={"content-type": "application/json"}
    )

    assert answer.status == status
