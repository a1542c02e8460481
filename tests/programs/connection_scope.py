"""A value for each client that stays connected: how many pages it has asked for, and what it has open."""

from __future__ import annotations

from collections.abc import AsyncIterator

from kingpost import App

OPEN: list[str] = []

app = App()


class Cursor:
    """Where a client that reads a long list, page by page, has come to."""

    def __init__(self) -> None:
        self.at = 0

    def page(self, size: int) -> list[int]:
        first, self.at = self.at, self.at + size
        return list(range(first, self.at))


@app.provide(scope="connection")
async def cursor() -> AsyncIterator[Cursor]:
    OPEN.append("cursor")
    yield Cursor()
    OPEN.remove("cursor")


@app.get("/next")
async def following(cursor: Cursor, size: int = 2) -> list[int]:
    return cursor.page(size)


@app.get("/open")
def how_many() -> int:
    return len(OPEN)
