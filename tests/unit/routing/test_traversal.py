"""A tree of persistent objects: what is committed in a ZODB is walked, and loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from persistent import Persistent
from persistent.mapping import PersistentMapping
from transaction import TransactionManager
from ZODB import DB
from ZODB.MappingStorage import MappingStorage

from kingpost import App, Request
from kingpost.routing import Traverse
from kingpost.testing import TestClient


class Page(Persistent):
    __parent__: Any = None
    __name__ = ""

    def __init__(self, text: str) -> None:
        self.text = text


class Folder(PersistentMapping):
    __parent__: Any = None
    __name__ = ""

    def __setitem__(self, name: str, item: Any) -> None:
        item.__parent__, item.__name__ = self, name
        super().__setitem__(name, item)


@pytest.fixture
def database() -> Iterator[Any]:
    """A tree of three levels, written through a connection that is closed."""
    database = DB(MappingStorage())
    with database.transaction() as connection:
        connection.root()["site"] = site = Folder()
        site["docs"] = Folder()
        site["docs"]["intro"] = Page("first")
        site["docs"]["other"] = Page("unread")
    # What was written is still in the cache of that connection.
    database.cacheMinimize()
    yield database
    database.close()


def served(database: Any) -> App:
    app = App()

    def open_site(request: Request) -> Any:
        return database.open(TransactionManager()).root()["site"]

    def close(request: Request) -> None:
        request.context._p_jar.close()

    site = Traverse("/site", open_site)

    @site.view(Page, after=[close])
    def show(context: Page, request: Request) -> dict[str, object]:
        sibling = context.__parent__["other"]
        return {
            "text": context.text,
            "url": request.url_for(context),
            "sibling is loaded": sibling._p_changed is not None,
        }

    @site.view(Folder, methods=["POST"], after=[close])
    def add(context: Folder, request: Request) -> str:
        context["new"] = Page(request.text())
        context._p_jar.transaction_manager.commit()
        return request.url_for(context["new"])

    app.include(site)
    return app


def test_what_was_committed_is_walked_and_nothing_beside_it_is_loaded(database: Any) -> None:
    with TestClient(served(database)) as browser:
        answer = browser.get("/site/docs/intro")

        assert answer.json() == {
            "text": "first",
            "url": "/site/docs/intro",
            "sibling is loaded": False,
        }
        assert browser.get("/site/docs/none").status == 404


def test_a_connection_that_is_opened_again_sees_what_was_committed_since(database: Any) -> None:
    with TestClient(served(database)) as browser:
        assert browser.get("/site/docs/intro").json()["text"] == "first"
        with database.transaction() as connection:
            connection.root()["site"]["docs"]["intro"].text = "second"
        assert browser.get("/site/docs/intro").json()["text"] == "second"
        # All of them have used one connection, which was given back each time.
        assert len(database.connectionDebugInfo()) == 1


def test_what_a_view_commits_is_there_for_the_next_request(database: Any) -> None:
    text = {"content-type": "text/plain"}
    with TestClient(served(database)) as browser:
        added = browser.post("/site/docs", content="added", headers=text)
        assert added.text == "/site/docs/new"
        assert browser.get(added.text).json()["text"] == "added"

    with database.transaction() as connection:
        assert connection.root()["site"]["docs"]["new"].text == "added"
