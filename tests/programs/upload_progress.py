"""An upload that tells how far it is: on a channel, to whoever watches."""

from __future__ import annotations

from collections.abc import AsyncIterator

from kingpost import App, BodyStream, Event, EventStream, Struct, WebSocket
from kingpost.channels import Channels

app = App(plugins=[Channels()])


class Progress(Struct):
    received: int
    total: int | None
    is_done: bool = False


@app.post("/uploads/{id}", max_body="2 GiB")
async def upload(id: str, body: BodyStream, channels: Channels) -> Progress:
    received = 0
    async for chunk in body:
        received += len(chunk)
        await channels.publish(f"upload:{id}", Progress(received, body.length))
    done = Progress(received, body.length, is_done=True)
    await channels.publish(f"upload:{id}", done)
    return done


@app.get("/uploads/{id}/progress")
async def progress(id: str, channels: Channels) -> EventStream[Progress]:
    async def events() -> AsyncIterator[Event[Progress]]:
        async with channels.subscribe(f"upload:{id}", Progress) as updates:
            async for update in updates:
                yield Event(update)
                if update.is_done:
                    return

    return EventStream(events())


@app.websocket("/uploads/{id}/live")
async def live(ws: WebSocket[str, Progress], id: str, channels: Channels) -> None:
    async with channels.subscribe(f"upload:{id}", Progress) as updates:
        await ws.accept()
        async for update in updates:
            await ws.send(update)
            if update.is_done:
                break
