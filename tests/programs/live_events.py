"""Server-sent events: typed data, names, ids to come back with; from `async def` and `def`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from kingpost import App, Event, EventStream, Header, Html, NotFound, Request, Struct
from kingpost.http import last_event_id
from kingpost.schema import Private

app = App()


class Price(Struct):
    """What a paper costs; who made it is nobody's business."""

    paper: str
    cents: int
    broker: Annotated[str, Private()] = "ann"


PRICES = [Price("tea", 400), Price("cake", 350), Price("tea", 410), Price("cake", 330)]


@app.get("/prices")
async def prices(request: Request) -> AsyncIterator[Event[Price]]:
    """Those that the browser has not seen."""
    last = last_event_id(request) or ""
    seen = int(last) if last.isdecimal() else 0
    for number, price in enumerate(PRICES[seen:], seen + 1):
        yield Event(price, event="price", id=str(number))
        await asyncio.sleep(0)


@app.get("/prices/{paper}")
def prices_of(
    paper: str, last_event_id: Annotated[str | None, Header()] = None
) -> EventStream[Price]:
    """What is no Event becomes the data of one; what is raised before is an answer."""
    found = [price for price in PRICES if price.paper == paper]
    if not found:
        raise NotFound(f"nobody trades {paper}")
    return EventStream(iter(found), ping=5)


@app.get("/ticker")
def ticker() -> Iterator[Event[Html] | Event[str]]:
    """A `def` does as well."""
    yield Event(comment="opened", retry=1000)
    yield Event(Html.format("<b>{}</b>", "tea & cake"), event="row")
    yield Event("the market\nis closed")
