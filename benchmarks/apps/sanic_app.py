"""Sanic on its own server, input read by hand."""

import sys

from sanic import HTTPResponse, Sanic
from sanic.response import json, text
from schema import decode_item, encode

app = Sanic("bench")


@app.get("/")
async def home(request):
    return text("Hello, world!")


@app.get("/json")
async def message(request):
    return json({"message": "Hello, world!"})


@app.get("/items/<id:int>")
async def item(request, id):
    args = request.args
    found = {
        "id": id,
        "limit": int(args.get("limit")),
        "q": args.get("q"),
        "active": args.get("active") == "true",
    }
    return HTTPResponse(encode(found), content_type="application/json")


@app.post("/items")
async def create(request):
    body = encode(decode_item(request.body))
    return HTTPResponse(body, content_type="application/json")


if __name__ == "__main__":
    app.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        single_process=True,
        access_log=False,
        motd=False,
        debug=False,
    )
