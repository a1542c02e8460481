"""An event that a coroutine waits for, an emitter that wants to know of failures, and middleware that says where it stands."""

from __future__ import annotations

import asyncio

from kingpost import App, CallNext, Conflict, Request, Response, Struct

app = App()


class OrderEvent(Struct):
    order: int


class OrderPaid(OrderEvent):
    pass


async def named(request: Request, call_next: CallNext) -> Response[object]:
    response = await call_next(request)
    response.headers.add("x-way", "named")
    return response


@app.middleware(under=named)
async def timed(request: Request, call_next: CallNext) -> Response[object]:
    response = await call_next(request)
    response.headers.add("x-way", "timed")
    return response


app.middleware(named)


@app.on(OrderPaid)
def book(event: OrderPaid) -> None:
    if event.order == 13:
        raise Conflict("13 is no lucky number")


async def next_order() -> int:
    async with asyncio.timeout(10):
        event = await app.on(OrderEvent)
    return event.order


@app.post("/orders/{order:int}")
async def pay(order: int) -> dict[str, int]:
    waiting = asyncio.create_task(next_order())
    await asyncio.sleep(0)
    await app.aemit(OrderPaid(order), strict=True)
    return {"paid": await waiting}
