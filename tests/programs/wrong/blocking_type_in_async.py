# refused at start-up: injection.blocks: home(session: Session) -> str: session blocks its thread while it is used, and an async def runs on the event loop
from kingpost import App

app = App()


class Session:
    pass


class AsyncSession:
    pass


@app.provide(async_type=AsyncSession)
def session() -> Session:
    return Session()


@app.get("/")
async def home(session: Session) -> str:
    return "here"
