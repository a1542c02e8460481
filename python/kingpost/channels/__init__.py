"""Channels: what is published under a name reaches all who listen to it, in every worker, on WebSockets and in Python.

```python
from kingpost import App, Struct, WebSocket
from kingpost.channels import Channels


class Said(Struct):
    text: str


app = App(plugins=[Channels()])


@app.websocket("/rooms/{room}")
async def chat(ws: WebSocket[Said, Said], room: str, channels: Channels) -> None:
    async with channels.join(room, ws):
        async for said in ws:
            await channels.publish(room, said)
```
"""

from __future__ import annotations

from kingpost.channels.memory import MemoryStore
from kingpost.channels.plugin import Channels
from kingpost.channels.store import ChannelStore, Deliver
from kingpost.channels.subscription import ChannelError, Subscription

__all__ = ["ChannelError", "ChannelStore", "Channels", "Deliver", "MemoryStore", "Subscription"]
