"""Errors that are answered in the application's own words: by class, by status, for one blueprint."""

from __future__ import annotations

from kingpost import (
    App,
    Blueprint,
    Conflict,
    HTTPError,
    NotFound,
    Request,
    Response,
    ValidationError,
)

app = App()
shop = Blueprint("shop", prefix="/shop")


class OutOfStock(Conflict):
    code = "out-of-stock"


class PaymentFailed(Exception):
    """No HTTPError: what went wrong in our own code."""


@app.error(NotFound)
async def not_found(request: Request, error: NotFound) -> Response[dict[str, str]]:
    return Response({"missing": request.path, "detail": error.detail}, status=404)


@app.error(PaymentFailed)
def payment_failed(request: Request, error: PaymentFailed) -> Response[str]:
    return Response(f"not paid: {error}", status=402)


@app.error(409)
def conflict(request: Request, error: HTTPError) -> dict[str, str]:
    return {"conflict": error.code}


@shop.error(ValidationError)
def invalid_order(request: Request, error: ValidationError) -> dict[str, int]:
    return {"mistakes": len(error.errors)}


@shop.get("/{item}")
async def buy(item: str, count: int = 1) -> str:
    if item == "gold":
        raise OutOfStock("no gold today")
    if item == "debt":
        raise PaymentFailed(item)
    if item == "unicorn":
        raise NotFound("they are shy")
    return f"{count} {item}"


app.include(shop)


@app.get("/elsewhere")
def elsewhere(count: int) -> int:
    return count
