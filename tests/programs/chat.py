"""A chat: rooms, typed messages, who is there by a provider, and a refusal before the handshake."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from kingpost import App, Header, Meta, Request, Struct, Unauthorized, WebSocket
from kingpost.channels import Channels

app = App(plugins=[Channels()])


class Say(Struct, tag="say"):
    text: Annotated[str, Meta(min_length=1, max_length=200)]


class Leave(Struct, tag="leave"):
    pass


class Said(Struct):
    by: str
    text: str
    kind: Literal["said", "came", "left"] = "said"


class Visitor(Struct):
    name: str


NAMES = {"Bearer 7f3a": "ada", "Bearer 91bc": "bob"}
PRESENT: list[str] = []


@app.provide
async def visitor(authorization: Annotated[str, Header()] = "") -> AsyncIterator[Visitor]:
    """Who asks; noted for as long as the conversation lasts."""
    name = NAMES.get(authorization)
    if name is None:
        raise Unauthorized("say who you are", headers={"WWW-Authenticate": "Bearer"})
    PRESENT.append(name)
    try:
        yield Visitor(name)
    finally:
        PRESENT.remove(name)


@app.websocket("/rooms/{room}")
async def chat(
    ws: WebSocket[Say | Leave, Said], room: str, visitor: Visitor, channels: Channels
) -> None:
    """Talk to all who are in a room."""
    name = f"room:{room}"
    async with channels.join(name, ws):
        await channels.publish(name, Said(visitor.name, "", "came"))
        async for message in ws:
            if isinstance(message, Leave):
                break
            await channels.publish(name, Said(visitor.name, message.text))
    await channels.publish(name, Said(visitor.name, "", "left"))
    await ws.close(4000, "good-bye")


@app.get("/present")
def present(request: Request) -> list[str]:
    return sorted(PRESENT)
