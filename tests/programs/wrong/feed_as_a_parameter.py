# refused at start-up: injection.not-installed: follow(news: Feed[str], request: Request) -> EventStream[str]: news is Feed[str], a plugin, and no provider makes one
from kingpost import App, EventStream, Request
from kingpost.feeds import Feed

app = App()


@app.get("/news")
async def follow(news: Feed[str], request: Request) -> EventStream[str]:
    return news.stream(request)
