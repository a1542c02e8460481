"""Starlette on uvicorn."""

import asyncio

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route


async def home(request):
    return PlainTextResponse("Hello, world!")


def thread(request):
    return PlainTextResponse("Hello, world!")


async def suspend(request):
    await asyncio.sleep(0)
    return PlainTextResponse("Hello, world!")


async def message(request):
    return JSONResponse({"message": "Hello, world!"})


app = Starlette(
    routes=[
        Route("/", home),
        Route("/thread", thread),
        Route("/suspend", suspend),
        Route("/json", message),
    ]
)
