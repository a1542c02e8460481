"""What is sent is counted, and may be kept by caches for a while."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

from kingpost import App, Request
from kingpost.middleware import ConditionalGet, HttpCache, Sent, WhenSent

traffic: Counter[int] = Counter()
cut_off: list[str] = []


async def count(sent: Sent) -> None:
    traffic[sent.status] += sent.bytes
    if not sent.is_complete:
        cut_off.append(sent.request.path)


def edition(request: Request) -> str:
    return "7"


app = App(middleware=[WhenSent(count)])


@app.get("/prices", middleware=[HttpCache(public=True, max_age=60), ConditionalGet(etag=edition)])
async def prices() -> dict[str, int]:
    return {"tea": 4}


@app.get("/lines")
async def lines() -> AsyncIterator[str]:
    for number in range(1000):
        yield f"{number}\n" * 1000
