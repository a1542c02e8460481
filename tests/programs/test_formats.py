"""One handler gives what is asked for, and bodies may be of any registered type."""

from __future__ import annotations

import plistlib
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from kingpost.testing import TestClient
from tests.programs.test_programs import program

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(program("formats")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("path", "accept", "media_type", "begins"),
    [
        ("/places", None, "application/json", '[{"name":"Rome","people":2800000}'),
        ("/places", "*/*", "application/json", "[{"),
        ("/places", CHROME, "text/html; charset=utf-8", "<ul><li>Rome</li><li>&lt;Łódź&gt;</li>"),
        ("/places", "text/csv", "text/csv; charset=utf-8", "name,people\r\nRome,2800000\r\n"),
        ("/places", "text/*;q=0.5, text/markdown", "text/markdown; charset=utf-8", "* Rome\n"),
        ("/places", "text/html;q=0, text/*", "text/csv; charset=utf-8", "name"),
        ("/places", "application/json;q=0.5, */*;q=0.1", "application/json", "["),
        ("/places.json", CHROME, "application/json", "[{"),
        ("/places.csv", CHROME, "text/csv; charset=utf-8", "name,people"),
        ("/places.csv", "image/png", "text/csv; charset=utf-8", "name,people"),
        ("/places.html", "application/json", "text/html; charset=utf-8", "<ul>"),
        ("/places.md", None, "text/markdown; charset=utf-8", "* Rome"),
        ("/places/0", None, "application/json", '{"name":"Rome"'),
        ("/places/1.json", "application/msgpack", "application/json", "{"),
    ],
)
def test_what_is_asked_for_is_given(
    client: TestClient, path: str, accept: str | None, media_type: str, begins: str
) -> None:
    answer = client.get(path, headers={} if accept is None else {"accept": accept})

    assert (answer.status, answer.headers["content-type"]) == (200, media_type)
    assert answer.text.startswith(begins)
    assert ("accept" if "." not in path else None) == answer.headers.get("vary")


@pytest.mark.parametrize(
    "path",
    ["/places", "/places.json", "/places.csv", "/places.html", "/places.md", "/places/0.msgpack"],
)
def test_private_fields_leave_in_none_of_them(client: TestClient, path: str) -> None:
    assert b"secret" not in client.get(path).content


@pytest.mark.parametrize("accept", ["application/msgpack", "application/x-plist"])
def test_codecs_write_every_answer_that_is_json(client: TestClient, accept: str) -> None:
    read: Any = msgspec.msgpack.decode if "msgpack" in accept else plistlib.loads
    answer = client.post("/places", json={"name": "Bari", "people": 3}, headers={"accept": accept})
    moved = client.get("/moved", headers={"accept": accept})

    assert (answer.status, answer.headers["content-type"]) == (201, accept)
    assert read(answer.content) == {"name": "Bari", "people": 3}
    assert answer.headers["vary"] == "accept"
    assert (moved.status, moved.headers["x-by"], read(moved.content)) == (203, "hand", {"moved": 1})


@pytest.mark.parametrize(
    ("media_type", "write"),
    [
        ("application/json", msgspec.json.encode),
        ("application/vnd.api+json; charset=utf-8", msgspec.json.encode),
        ("application/msgpack", msgspec.msgpack.encode),
        ("Application/X-Plist;v=1", plistlib.dumps),
    ],
)
def test_bodies_of_all_types_are_read_alike(
    client: TestClient, media_type: str, write: Any
) -> None:
    headers = {"content-type": media_type}
    good = client.post("/places", content=write({"name": "Bari", "people": 3}), headers=headers)
    wrong = client.post("/places", content=write({"name": 1, "more": "x"}), headers=headers)

    assert good.json() == {"name": "Bari", "people": 3}
    assert [(each["location"], each["code"]) for each in wrong.json()["errors"]] == [
        (["body", "name"], "not-text"),
        (["body", "people"], "missing"),
    ]


def test_other_bodies_are_refused_with_what_is_read(client: TestClient) -> None:
    answer = client.post("/places", content=b"name: Bari", headers={"content-type": "text/yaml"})

    assert (answer.status, answer.json()["code"]) == (415, "media.wrong-content-type")
    assert answer.headers["accept"] == "application/json, application/msgpack, application/x-plist"


def test_who_accepts_nothing_of_it_is_told_what_there_is(client: TestClient) -> None:
    answer = client.get("/places", headers={"accept": "image/png"})

    assert (answer.status, answer.json()["code"]) == (406, "not-acceptable")
    assert answer.json()["detail"] == (
        "there is application/json or text/csv or text/html or text/markdown"
    )
    assert answer.headers["vary"] == "accept"


def test_links_to_a_format() -> None:
    assert program("formats").url_for("places.csv") == "/places.csv"
    assert program("formats").url_for("place.msgpack", number=1) == "/places/1.msgpack"
