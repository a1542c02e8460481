"""Versions of an API: in the path, in a header, in `Accept`; groups of groups, and one blueprint twice."""

from __future__ import annotations

from kingpost import App, Blueprint, CallNext, Request, Response

app = App()


async def tell(request: Request, call_next: CallNext) -> Response[object]:
    response = await call_next(request)
    response.headers["x-through"] = f"api {response.headers.get('x-through', '')}".strip()
    return response


async def tell_first(request: Request, call_next: CallNext) -> Response[object]:
    response = await call_next(request)
    response.headers["x-through"] = "v1"
    return response


todos = Blueprint("todos", prefix="/todos")


@todos.get("/{id}")
def show(id: int, request: Request) -> str:
    return request.url_for(".show", id=id)


# /api/v1/todos/{id}: a group of groups, each with a prefix, the inner one with a version and middleware of its own.
api = Blueprint("api", prefix="/api", middleware=[tell])
first = Blueprint("first", version="1", middleware=[tell_first])
first.include(todos)
api.include(first)

# /api/mine/todos/{id} and /api/your/todos/{id}: the same blueprint twice.
api.include(todos, prefix="/mine", name="mine")
api.include(todos, prefix="/your", name="yours")
app.include(api)


# /prices: the version is asked for in a header; who asks for none gets the first.
prices = Blueprint("prices", prefix="/prices")


@prices.get("")
def all_prices() -> str:
    return "in francs"


newer = Blueprint("newer", prefix="/prices", version="2", versioned_by="header")


@newer.get("")
def all_prices_newer() -> str:
    return "in euros"


app.include(prices)
app.include(newer)

# /rates: the version is asked for in Accept; who asks for another hears 406.
old_rates = Blueprint("old", prefix="/rates", version="1", versioned_by="accept")
new_rates = Blueprint("new", prefix="/rates", version="2", versioned_by="accept")


@old_rates.get("")
def rates() -> list[int]:
    return [1]


@new_rates.get("")
def new() -> dict[str, int]:
    return {"usd": 1}


app.include(old_rates)
app.include(new_rates)
