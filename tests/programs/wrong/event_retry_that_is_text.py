# refused by mypy: No overload variant of "Event" matches argument types "str", "str"
from kingpost import App, Event, EventStream

app = App()


@app.get("/news")
def news() -> EventStream[str]:
    return EventStream(iter([Event("doors are open", retry="5s")]))
