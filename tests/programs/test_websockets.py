"""The programs that talk: echo, chat, an upload that is watched, and the clock of an article."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator

import pytest

from kingpost.testing import AsyncTestClient, SocketRefused, TestClient
from tests.programs.test_programs import program

ADA, BOB = {"authorization": "Bearer 7f3a"}, {"authorization": "Bearer 91bc"}


def test_texts_bytes_and_json_are_echoed() -> None:
    with TestClient(program("echo")) as browser:
        with browser.websocket("/echo") as ws:
            ws.send("hello ✓")
            assert ws.receive() == "hello ✓"
        with browser.websocket("/bytes") as ws:
            ws.send(b"abc")
            assert ws.receive() == b"cba"
        with browser.websocket("/points") as ws:
            ws.send([{"x": 1, "y": 2}, {"x": 3, "y": 4}])
            ws.send([])
            assert [ws.receive(), ws.receive()] == [{"x": 3, "y": 4}, None]


def test_a_wrong_message_is_answered_and_the_handler_does_not_see_it() -> None:
    with TestClient(program("echo")) as browser, browser.websocket("/points") as ws:
        ws.send([{"x": "1", "y": 2}])
        ws.send("[")
        ws.send(b"[]")
        told = [ws.receive(), ws.receive(), ws.receive()]
        ws.send([])
        assert ws.receive() is None

    assert [each["code"] for each in told] == [
        "validation-failed",
        "json.malformed",
        "websocket.wrong-kind",
    ]
    assert told[0]["errors"] == [
        {
            "location": ["message", 0, "x"],
            "code": "not-an-integer",
            "message": "must be a whole number in digits",
            "input": "1",
        }
    ]


def test_a_blueprint_counts_from_where_the_query_says() -> None:
    with TestClient(program("echo")) as browser:
        with browser.websocket("/lines/a", subprotocols=["v3", "v2"], params={"start": 3}) as ws:
            assert ws.subprotocol == "v2"
            ws.send("abc")
            ws.send(b"abcd")
            assert [ws.receive(), ws.receive()] == [{"sum": 6}, {"sum": 10}]
        with pytest.raises(SocketRefused) as refused, browser.websocket("/lines/nowhere"):
            pass

    assert (refused.value.response.status, refused.value.response.json()["detail"]) == (
        404,
        "no line is called nowhere",
    )


def test_a_resource_answers_those_who_ask_and_those_who_stay() -> None:
    with TestClient(program("echo")) as browser:
        assert browser.get("/clock").text == "noon"
        with browser.websocket("/clock") as ws:
            ws.send("and now?")
            assert list(ws) == ["noon", "still noon"]
            assert ws.closed == (1000, "")


def test_those_in_a_room_hear_each_other() -> None:
    with TestClient(program("chat")) as browser:
        with (
            browser.websocket("/rooms/a", headers=ADA) as ada,
            browser.websocket("/rooms/a", headers=BOB) as bob,
            browser.websocket("/rooms/b", headers=BOB) as elsewhere,
        ):
            ada.send({"type": "say", "text": "hello"})
            heard = [ada.receive() for _ in range(3)]
            ada.send({"type": "say", "text": ""})
            refused = ada.receive()
            present = browser.get("/present").json()
            ada.send({"type": "leave"})
            assert list(ada) == []
            left = [bob.receive() for _ in range(3)]
            assert elsewhere.receive() == {"by": "bob", "text": "", "kind": "came"}
        afterwards = browser.get("/present").json()

    assert [(each["kind"], each["by"]) for each in heard] == [
        ("came", "ada"),
        ("came", "bob"),
        ("said", "ada"),
    ]
    assert refused["errors"][0]["code"] == "too-short"
    assert left[1:] == [
        {"by": "ada", "text": "hello", "kind": "said"},
        {"by": "ada", "text": "", "kind": "left"},
    ]
    assert (present, afterwards) == (["ada", "bob", "bob"], [])


def test_a_stranger_is_refused_before_the_handshake() -> None:
    with TestClient(program("chat")) as browser:
        with pytest.raises(SocketRefused) as refused, browser.websocket("/rooms/a"):
            pass

    answer = refused.value.response
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("follows", ["events", "websocket"])
def test_an_upload_is_watched(follows: str) -> None:
    pieces = [b"a" * 1000, b"b" * 500]

    async def test() -> list[str]:
        async with AsyncTestClient(program("upload_progress")) as browser:
            is_watched = asyncio.Event()

            async def body() -> AsyncIterator[bytes]:
                await is_watched.wait()
                for piece in pieces:
                    yield piece

            upload = asyncio.ensure_future(browser.post("/uploads/7", content=body()))
            if follows == "events":
                async with browser.stream("GET", "/uploads/7/progress") as events:
                    is_watched.set()
                    seen = (await events.read()).decode().splitlines()
            else:
                async with browser.websocket("/uploads/7/live") as ws:
                    is_watched.set()
                    seen = [f"data: {message['received']}" async for message in ws]
            assert (await upload).json() == {"received": 1500, "total": None, "is_done": True}
            return [line for line in seen if line.startswith("data:")]

    seen = asyncio.run(test())

    assert len(seen) >= 2
    assert "1500" in seen[-1]


def test_the_clock_of_the_sanic_sample_talks() -> None:
    with TestClient(program("article_sanic")) as browser:
        with browser.websocket("/websocket", params={"at_most": 0}) as ws:
            told = [datetime.datetime.fromisoformat(ws.receive()) for _ in range(3)]

    assert told == sorted(told)
