"""Japronto (Python 3.6). A plain `async def` without await is what its fast path is made for."""

import asyncio
import json
import sys

from japronto import Application
from ticker import Ticker

TICKER = Ticker()
encode = json.JSONEncoder(separators=(",", ":")).encode


async def home(request):
    return request.Response(text="Hello, world!")


def sync(request):
    return request.Response(text="Hello, world!")


async def message(request):
    body = encode({"message": "Hello, world!"})
    return request.Response(text=body, mime_type="application/json")


async def suspend(request):
    await asyncio.sleep(0)
    return request.Response(text="Hello, world!")


async def lag(request):
    return request.Response(text=TICKER.report(asyncio.get_event_loop()))


app = Application()
app.router.add_route("/", home)
app.router.add_route("/sync", sync)
app.router.add_route("/json", message)
app.router.add_route("/suspend", suspend)
app.router.add_route("/lag", lag)

if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(sys.argv[1]), worker_num=1)
