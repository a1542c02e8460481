"""BlackSheep: the pages of its documentation."""

from collections.abc import AsyncIterator
from typing import Any

from blacksheep import (
    Application,
    Content,
    Cookie,
    Request,
    Response,
    StreamedContent,
    WebSocket,
    get,
    post,
    redirect,
    ws,
)
from blacksheep.server.responses import html, json, no_content
from blacksheep.server.responses import text as plain

app = Application()


@get("/")
async def home() -> Response:
    return html("<h1>Hello, World!</h1>")


@get("/fail")
async def fail() -> None:
    raise LookupError("the page fails")


@get("/redirect")
async def leave() -> Response:
    return redirect("/")


@get("/cookie")
async def cookie() -> Response:
    answer = Response(200, content=Content(b"text/plain", b"set"))
    answer.set_cookie(Cookie("one", "1", http_only=True))
    return answer


@get("/seen")
async def seen(request: Request) -> Response:
    tags = [value.decode() for value in request.get_headers(b"x-tag")]
    return json({"cookies": request.cookies, "tags": tags})


@post("/form")
async def form(request: Request) -> Response:
    return json(await request.form())


@post("/json")
async def sent(request: Request) -> Response:
    return json(await request.json())


@post("/size")
async def size(request: Request) -> Response:
    return plain(str(len(await request.read() or b"")))


@get("/stream")
async def stream() -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(5):
            yield f"{number}\n".encode() * 1000

    return Response(200, content=StreamedContent(b"text/plain", pieces))


@get("/query")
async def query(request: Request) -> Response:
    found: Any = request.query
    return json(found)


@get("/item/{number}")
async def item(number: int) -> Response:
    return json({"number": number})


@get("/text/{text}")
async def text(text: str, request: Request) -> Response:
    return json({"text": text, "path": request.url.path.decode()})


@get("/empty")
async def empty() -> Response:
    return no_content()


@ws("/echo")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    while (message := await websocket.receive_text()) != "bye":
        await websocket.send_text(message.upper())
    await websocket.close(4000)
