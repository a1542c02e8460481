# refused at start-up: injection.scope: cache(request: Request) -> Cache: it is made once, at start, and request is there during a request only (the request)
from kingpost import App, Request

app = App()


class Cache:
    pass


@app.provide(scope="app")
def cache(request: Request) -> Cache:
    return Cache()


@app.get("/")
def home(cache: Cache) -> str:
    return "here"
