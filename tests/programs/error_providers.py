"""Error handlers that name what they need, as handlers do: who asks, and where mistakes are written down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator

from kingpost import App, Blueprint, Html, HTTPError, NotFound, Request, Response, Settings, Struct

BOOK: list[str] = []


class SiteSettings(Settings):
    title: str = "A small shop"


class User(Struct):
    name: str


class Journal:
    """Where mistakes are written down; kept when the page was made."""

    def __init__(self) -> None:
        self.lines: list[str] = []


class Shelf:
    def nearest(self, name: str) -> str:
        return "oat milk" if "milk" in name else "tea"


app = App(settings=SiteSettings)
shop = Blueprint("shop", prefix="/shop")


@app.provide(inline=True)
def visitor(request: Request) -> User | None:
    name = request.headers.get("x-user")
    return None if name is None else User(name)


@app.provide
def journal() -> Generator[Journal, None, None]:
    journal = Journal()
    yield journal
    BOOK.extend(journal.lines)


@shop.provide
async def shelf() -> AsyncIterator[Shelf]:
    yield Shelf()


@app.error(404)
def lost(
    request: Request,
    error: HTTPError,
    user: User | None,
    journal: Journal,
    settings: SiteSettings,
) -> Response[Html]:
    journal.lines.append(request.path)
    name = "you" if user is None else user.name
    page = Html.format("<title>{}</title><p>Nothing here for {}</p>", settings.title, name)
    return Response(page, status=404)


@shop.error(NotFound)
async def sold_out(request: Request, error: NotFound, *, shelf: Shelf) -> dict[str, str]:
    return {"gone": error.detail, "instead": shelf.nearest(error.detail)}


@shop.get("/{item}")
def buy(item: str) -> str:
    raise NotFound(item)


@app.get("/book")
def book() -> list[str]:
    return BOOK


app.include(shop)
