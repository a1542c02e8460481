"""Server-sent events, as the HTML Standard frames and reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost import Html
from kingpost.http import Event, EventStream, last_event_id
from tests.unit.http.sample import sample

UTF8 = st.text(st.characters(exclude_categories=["Cs"]))


def encoded(event: Event[Any]) -> str:
    return event.encode(lambda data: json.dumps(data).encode()).decode()


def read(stream: str) -> list[tuple[str, str, str]]:
    """Event type, data and last event id, by section 9.2.6 of the standard, line by line."""
    found: list[tuple[str, str, str]] = []
    kind, data, last = "", "", ""
    lines = stream.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for line in lines:
        if not line:
            if data:
                found.append((kind or "message", data[:-1], last))
            kind, data = "", ""
            continue
        field, colon, value = line.partition(":")
        value = value.removeprefix(" ") if colon else ""
        if field == "event":
            kind = value
        elif field == "data":
            data += value + "\n"
        elif field == "id" and "\0" not in value:
            last = value
    return found


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (Event("text"), "data: text\n\n"),
        (Event(""), "data: \n\n"),
        (Event("a\nb\r\nc\rd\n"), "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"),
        (Event(" kept"), "data:  kept\n\n"),
        (Event("a\u2028b\x0bc"), "data: a\u2028b\x0bc\n\n"),
        (Event({"a": [1, "é"]}), 'data: {"a": [1, "\\u00e9"]}\n\n'),
        (Event(None), "data: null\n\n"),
        (Event(0), "data: 0\n\n"),
        (Event(Html("<b>x</b>")), "data: <b>x</b>\n\n"),
        (Event(id="7"), "id: 7\n\n"),
        (Event(id=""), "id: \n\n"),
        (Event(retry=0), "retry: 0\n\n"),
        (Event(comment="two\nlines"), ": two\n: lines\n\n"),
        (
            Event("x", event="paid", id="7", retry=100, comment="c"),
            ": c\nevent: paid\nid: 7\nretry: 100\ndata: x\n\n",
        ),
    ],
)
def test_an_event_is_framed_by_the_standard(event: Event[Any], expected: str) -> None:
    assert encoded(event) == expected


@given(data=UTF8, comment=UTF8)
def test_whatever_is_in_it_no_event_becomes_two(data: str, comment: str) -> None:
    stream = encoded(Event(data, event="e", id="1", comment=comment)) + encoded(Event("next"))

    lines = data.replace("\r\n", "\n").replace("\r", "\n")
    assert read(stream) == [("e", lines, "1"), ("message", "next", "1")]


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"event": "a\nb"}, ValueError, "event='a\\nb' holds '\\n'"),
        ({"event": "a\rdata: x"}, ValueError, "holds '\\r'"),
        ({"id": "1\n"}, ValueError, "id='1\\n' holds"),
        ({"id": "1\0"}, ValueError, "holds '\\x00'"),
        ({"id": 7}, TypeError, "write id=str"),
        ({"event": b"x"}, TypeError, "write event=str"),
        ({"comment": 7}, TypeError, "write comment=str"),
        ({"retry": -1}, ValueError, "is negative"),
        ({"retry": 1.5}, TypeError, "milliseconds"),
        ({"retry": True}, TypeError, "milliseconds"),
    ],
)
def test_what_would_break_the_frame_is_refused_where_it_is_made(
    options: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind) as refused:
        Event("x", **options)

    assert words in str(refused.value)


def test_bytes_and_nothing_are_no_events() -> None:
    with pytest.raises(TypeError, match="decode it"):
        Event(b"x")
    with pytest.raises(ValueError, match="says nothing"):
        Event()


def test_an_event_shows_what_it_says() -> None:
    assert repr(Event("x", id="1")) == "Event('x', id='1')"
    assert repr(Event(retry=5)) == "Event(retry=5)"


@pytest.mark.parametrize("ping", [0, -1, float("inf"), float("nan")])
def test_a_ping_is_a_time(ping: float) -> None:
    with pytest.raises(ValueError, match="a number of seconds above 0"):
        EventStream(iter(["x"]), ping=ping)


@pytest.mark.parametrize("events", ["text", b"bytes", 7, None, Event("x")])
def test_a_stream_is_something_to_iterate_over(events: Any) -> None:
    with pytest.raises(TypeError, match="is no stream of events; call the generator"):
        EventStream(events)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [(None, None), (b"", None), (b"7", "7"), ("é".encode(), "é"), (b"\xff", "ÿ")],
)
def test_the_last_id_is_read_as_browsers_send_it(sent: bytes | None, expected: str | None) -> None:
    headers = [] if sent is None else [("last-event-id", sent.decode("latin-1"))]
    request = sample(headers=headers)

    assert last_event_id(request) == expected
