"""`__acl__`: the nearest list that has an entry decides."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kingpost import App, BodyStream, Request
from kingpost.routing.acl import Principals, permission, permits
from kingpost.testing import TestClient


def having(*acl: Any) -> SimpleNamespace:
    return SimpleNamespace(__acl__=acl)


ALLOW_ALL, DENY_ALL = ("allow", "everybody", "all"), ("deny", "everybody", "all")


CASES: list[tuple[list[Any], set[str], bool]] = [
    ([], {"ann"}, False),
    ([object()], {"ann"}, False),
    ([having()], {"ann"}, False),
    ([having(("allow", "ann", "edit"))], {"ann"}, True),
    ([having(("allow", "ann", "edit"))], {"bob"}, False),
    ([having(("allow", "ann", "view"))], {"ann"}, False),
    ([having(("allow", "ann", ["view", "edit"]))], {"ann"}, True),
    ([having(("allow", "ann", "all"))], {"ann"}, True),
    ([having(ALLOW_ALL)], set(), True),
    ([having(("deny", "ann", "edit"), ALLOW_ALL)], {"ann"}, False),
    ([having(("deny", "ann", "edit"), ALLOW_ALL)], {"bob"}, True),
    ([having(ALLOW_ALL), having(DENY_ALL)], {"ann"}, False),
    ([having(DENY_ALL), having(("allow", "ann", "edit"))], {"ann"}, True),
    ([having(ALLOW_ALL), object(), having(("deny", "bob", "edit"))], {"ann"}, True),
]


@pytest.mark.parametrize(("lineage", "principals", "allowed"), CASES)
def test_the_nearest_entry_decides(lineage: list[Any], principals: set[str], allowed: bool) -> None:
    assert permits(lineage, principals, "edit") is allowed


def test_one_text_is_refused_where_names_are_expected() -> None:
    with pytest.raises(TypeError, match=r"write Principals\(\['ann'\]\)"):
        Principals("ann")

    assert not Principals()


def test_an_acl_may_be_made_when_it_is_asked_for() -> None:
    class Draft:
        author = "ann"

        def __acl__(self) -> list[tuple[str, str, str]]:
            return [("allow", self.author, "edit")]

    assert permits([having(DENY_ALL), Draft()], {"ann"}, "edit")


@pytest.mark.parametrize("entry", [("allow", "ann"), ("permit", "ann", "edit"), "all", None])
def test_what_is_no_entry_is_told(entry: Any) -> None:
    with pytest.raises(TypeError, match="an entry is"):
        permits([having(entry)], {"ann"}, "edit")


def test_who_may_not_is_told_before_the_body_is_read() -> None:
    app, read = App(), list[str]()

    @app.provide
    def nobody() -> Principals:
        return Principals()

    @app.before_request
    def look() -> None:
        read.append("hook")

    @app.post("/", requires=permission("edit"))
    async def take(body: BodyStream) -> str:
        read.append("body")
        return ""

    with TestClient(app) as client:
        assert client.post("/", content=b"x" * 1000).status == 401

    assert read == []


@pytest.mark.parametrize(("said", "status"), [(False, 403), (True, 200), (None, 200), ("no", 200)])
@pytest.mark.parametrize("is_async", [True, False])
def test_a_function_refuses_by_false_and_never_answers(
    said: object, status: int, is_async: bool
) -> None:
    app = App()

    def asked(request: Request) -> object:
        return said

    async def asked_later(request: Request) -> object:
        return said

    @app.get("/", requires=asked_later if is_async else asked)
    def home() -> str:
        return "here"

    with TestClient(app) as client:
        answer = client.get("/")

    assert (answer.status, answer.text == "here") == (status, status == 200)
