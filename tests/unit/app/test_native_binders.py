"""The engine's short cut may give up, but never say anything else than the slow way."""

# ruff: noqa: PLR0917 - handlers that users write

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Meta, Struct

from kingpost import App, Request
from kingpost.testing import TestClient


class Todo(Struct):
    title: Annotated[str, Meta(max_length=3)]
    done: bool = False


def read(
    request: Request,
    id: float,
    q: str = "?",
    page: int = 1,
    ratio: float | None = None,
    ids: list[int] | None = None,
    words: tuple[str, ...] = ("none",),
    *,
    exact: bool = False,
) -> str:
    return repr((id, q, page, ratio, ids, words, exact))


def write(todo: Todo) -> str:
    return repr(todo)


def slowly(handler: Callable[..., Any]) -> Callable[..., Any]:
    """The same handler with a default that the engine has no short cut for."""

    def same(request: Request, id: float, q: str = "?", page: int = 1, ratio: float | None = None, ids: list[int] | None = None, words: tuple[str, ...] = ("none",), slow: list[int] = [], *, exact: bool = False) -> Any:  # noqa: B006  # fmt: skip
        return handler(request, id, q, page, ratio, ids, words, exact=exact)

    return same


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = App()
    app.get("/fast/{id}", inline=True)(read)
    app.get("/slow/{id}", inline=True)(slowly(read))
    app.post("/todo", inline=True)(write)
    with TestClient(app) as opened:
        yield opened


ODD = "1 -1 01 +1 1_0 1e3 1E+2 .5 5. nan inf -0 true 0 on no True \u0661 %31 1e999 a&b=c"
TEXT = st.sampled_from(["", " 1", "9" * 20, *ODD.split()]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=4
)
PAIRS = st.lists(
    st.tuples(st.sampled_from(["q", "page", "ratio", "ids", "words", "exact", "other"]), TEXT),
    max_size=4,
)
ANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@ANY
@given(TEXT.filter(lambda text: "/" not in text and text), PAIRS)
def test_both_ways_read_one_query_alike(
    client: TestClient, id: str, pairs: list[tuple[str, str]]
) -> None:
    rest = f"{quote(id, safe='')}?{urlencode(pairs)}"
    fast, slow = client.get(f"/fast/{rest}"), client.get(f"/slow/{rest}")

    assert (fast.status, fast.content) == (slow.status, slow.content)


@ANY
@given(st.lists(st.sampled_from(list("qpage=&+%;1a")), max_size=12).map("".join))
def test_both_ways_read_one_odd_query_alike(client: TestClient, query: str) -> None:
    answers = [client.raw(f"GET /{way}/1?{query} HTTP/1.1\r\nHost: a\r\n\r\n".encode()) for way in ("fast", "slow")]  # fmt: skip

    assert answers[0].content == answers[1].content


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("APPLICATION/JSON", 200),
        ("application/merge-patch+json", 200),
        ("text/plain", 415),
        ("application/jsonp", 415),
        ("", 415),
    ],
)
def test_a_body_is_read_by_its_type(client: TestClient, content_type: str, status: int) -> None:
    answer = client.post("/todo", content=b'{"title":"a"}', headers={"Content-Type": content_type})

    assert answer.status == status


def test_more_than_a_thousand_pairs_are_refused_both_ways(client: TestClient) -> None:
    query = "&".join(["q=1"] + ["x=1"] * 1000)
    answers = [client.get(f"/{way}/1?{query}") for way in ("fast", "slow")]

    assert [(one.status, one.json()["code"]) for one in answers] == [
        (400, "query.too-many-pairs")
    ] * 2
