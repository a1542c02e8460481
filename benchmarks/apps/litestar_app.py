"""Litestar on uvicorn."""

from chain import Clock, Session, User
from litestar import Litestar, MediaType, Router, get, post
from litestar.di import Provide
from litestar.middleware import ASGIMiddleware
from schema import Item


@get("/", media_type=MediaType.TEXT)
async def home() -> str:
    return "Hello, world!"


@get("/items/{id:int}")
async def item(id: int, limit: int, q: str, active: bool) -> dict[str, object]:  # noqa: FBT001 - from the query
    return {"id": id, "limit": limit, "q": q, "active": active}


@post("/items", status_code=200)
async def create(data: Item) -> Item:
    return data


async def make_clock() -> Clock:
    return Clock()


async def make_session(clock: Clock) -> Session:
    return Session(clock)


async def make_user(session: Session) -> User:
    return User(session)


class PassesOn(ASGIMiddleware):
    async def handle(self, scope, receive, send, next_app) -> None:
        await next_app(scope, receive, send)


@get("/items/{id:int}")
async def item_around(
    id: int,
    limit: int,
    q: str,
    active: bool,  # noqa: FBT001 - from the query
    user: User,
) -> dict[str, object]:
    return {"id": id, "limit": limit, "q": q, "active": active and user.session.clock.now == 1}


around = Router(
    "/around",
    route_handlers=[item_around],
    dependencies={
        "clock": Provide(make_clock),
        "session": Provide(make_session),
        "user": Provide(make_user),
    },
    middleware=[PassesOn(), PassesOn(), PassesOn()],
)

app = Litestar([home, item, create, around], openapi_config=None)
