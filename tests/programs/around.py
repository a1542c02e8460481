"""What runs around handlers: middleware, hooks, lifespan, events and work for afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from kingpost import (
    App,
    BackgroundTasks,
    Blueprint,
    CallNext,
    Forbidden,
    NotFound,
    Request,
    Response,
    Struct,
    SyncCallNext,
)

app = App()
staff = Blueprint("staff", prefix="/staff")
log: list[str] = []


class Ordered(Struct):
    """An event is a class."""

    item: str


@app.middleware
async def named(request: Request, call_next: CallNext) -> Response[Any]:
    response = await call_next(request)
    response.headers["x-app"] = "around"
    return response


@app.middleware
def counted(request: Request, call_next: SyncCallNext) -> Response[Any]:
    response = call_next(request)
    response.headers["x-length"] = str(len(response.body or b""))
    return response


@app.before_request
def maintenance(request: Request) -> Response[str] | None:
    if request.path == "/closed":
        return Response("back at noon", status=503)
    return None


@app.after_request
def marked(request: Request, response: Response[Any]) -> None:
    response.headers["x-after"] = request.method


@staff.before_request
async def staff_only(request: Request) -> None:
    if "x-staff" not in request.headers:
        raise Forbidden("staff only")


async def slow_clock(request: Request, call_next: CallNext) -> Response[Any]:
    response = await call_next(request)
    response.headers["x-slow"] = "yes"
    return response


@app.lifespan
async def opened() -> AsyncIterator[None]:
    log.append("opened")
    yield
    log.append("closed")


@app.on(Ordered)
def write_down(event: Ordered) -> None:
    log.append(f"ordered {event.item}")


@app.on(Ordered)
async def tell_the_kitchen(event: Ordered) -> None:
    log.append(f"cook {event.item}")


def send_receipt(item: str, *, copies: int) -> None:
    log.append(f"{copies} receipts for {item}")


@app.post("/orders/{item}", middleware=[slow_clock])
async def order(item: str, background: BackgroundTasks) -> dict[str, str]:
    if item == "moon":
        raise NotFound("not on the menu")
    await app.aemit(Ordered(item=item))
    background.add_task(send_receipt, item, copies=2)
    return {"ordered": item}


@app.get("/closed")
def closed() -> str:
    return "open after all"


@staff.get("/log")
def show_log() -> list[str]:
    return log


app.include(staff)
