"""An API that describes itself: a document for programs, and a page for people, both at /docs."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from kingpost import (
    App,
    Blueprint,
    Conflict,
    Depends,
    Header,
    Meta,
    NotFound,
    Query,
    Redirect,
    Response,
    Struct,
    Unauthorized,
    UploadFile,
)
from kingpost.openapi import OpenAPI
from kingpost.schema import Only, Private


class Size(enum.Enum):
    """How much fits in."""

    SMALL = "small"
    LARGE = "large"


class Card(Struct, tag="card", tag_field="kind"):
    number: Annotated[str, Meta(pattern="^[0-9]{4,19}$", examples=["4111111111111111"])]


class Transfer(Struct, tag="transfer", tag_field="kind"):
    iban: str


class NewOrder(Struct):
    """What somebody wants to have."""

    item: Annotated[str, Meta(min_length=1, max_length=80, description="What the catalogue says.")]
    payment: Card | Transfer
    count: Annotated[int, Meta(ge=1, le=99)] = 1
    size: Size = Size.SMALL
    note: str | None = None


class Order(NewOrder, kw_only=True):
    id: int
    day: date
    margin: Annotated[float, Private()] = 0.3


class Page(Struct):
    number: Annotated[int, Meta(ge=1)] = 1
    size: Annotated[int, Meta(ge=1, le=100)] = 20


class SoldOut(Conflict):
    """The item is sold out; another day it may be there."""

    code = "sold-out"


CUSTOMERS = {"ada", "ben"}


def customer(
    authorization: Annotated[str, Header()] = "", x_trace: Annotated[str, Header()] = ""
) -> str:
    """Who asks.

    Args:
        authorization: sent by whoever logged in.
        x_trace: comes back in the log.
    """
    token = authorization.removeprefix("Bearer ")
    if token not in CUSTOMERS:
        raise Unauthorized("say who you are")
    return token


Customer = Annotated[str, Depends(customer)]

app = App()
orders = Blueprint("orders", prefix="/orders")
ORDERS: dict[int, Order] = {}


@orders.get("/", errors=[Unauthorized])
def every(
    who: Customer,
    page: Annotated[Page, Query(flat=True)],
    tag: Annotated[list[str], Query(separator=",")] = [],  # noqa: B006 - it is copied
    *,
    sort: Literal["day", "item"] = "day",
) -> list[Annotated[Order, Only("id", "item", "day")]]:
    """List the orders of a customer.

    Newest first, unless `sort` says otherwise.

    Args:
        tag: only orders that have all of these.
        sort: what comes first.
    """
    return list(ORDERS.values())


@orders.post("/", status=201, errors=[Unauthorized, SoldOut])
def place(who: Customer, order: NewOrder) -> Order:
    """Place an order.

    Returns:
        The order as it was taken.
    """
    if order.item == "anvil":
        raise SoldOut("no anvils today")
    number = len(ORDERS) + 1
    ORDERS[number] = Order(
        item=order.item, payment=order.payment, count=order.count, id=number, day=date(2026, 1, 31)
    )
    return ORDERS[number]


@orders.get("/{id:int}", errors=[NotFound])
def show(id: int) -> Order:
    """One order."""
    if id not in ORDERS:
        raise NotFound(f"no order {id}")
    return ORDERS[id]


@orders.delete("/{id:int}")
def cancel(id: int) -> None:
    """Cancel an order."""
    ORDERS.pop(id, None)


@orders.post("/{id:int}/receipt", tags=["receipts"])
def receipt(
    id: int, file: UploadFile, comment: Annotated[str, Meta(max_length=200)] = ""
) -> Response[None]:
    """Keep a receipt."""
    return Response(status=200)


@orders.get("/export", openapi={"responses": {"200": {"description": "One order a line."}}})
def export() -> Iterator[Order]:
    """Every order, as JSON lines."""
    yield from ORDERS.values()


@orders.get("/newest", deprecated=True)
def newest() -> Redirect:
    """Where the newest order is."""
    return Redirect(f"/orders/{len(ORDERS)}")


@app.get("/health", openapi=False)
def health() -> str:
    return "well"


app.include(orders)
app.install(OpenAPI(title="Orders", version="1.4", description="Orders of a small shop."))


@app.extensions.openapi
def say_who_to_ask(document: dict[str, Any]) -> None:
    document["info"]["contact"] = {"email": "api@example.org"}
