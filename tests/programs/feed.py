"""A feed that pages follow by server-sent events, and programs by long polling."""

from __future__ import annotations

from kingpost import App, EventStream, Request, Struct
from kingpost.feeds import Feed, Polled


class Goal(Struct):
    team: str
    minute: int


goals = Feed("goals", Goal, keep=500, replay=1)
app = App(plugins=[goals])


@app.get("/goals/live")
async def live(request: Request) -> EventStream[Goal]:
    """A browser that was cut off is sent what it has missed."""
    return goals.stream(request)


@app.get("/goals")
async def since(after: str = "") -> Polled[Goal]:
    """Waits until there is something to tell, for 25 seconds at most."""
    return await goals.poll(after, timeout=25)


@app.post("/goals")
def score(goal: Goal) -> str:
    return goals.add(goal, event="goal")
