# refused at start-up: binding.bad-marker: id is marked Path(), and the path has no {id}
from typing import Annotated

from kingpost import App, Path

app = App()


@app.get("/todos/{todo}")
def show(todo: int, id: Annotated[int, Path()]) -> str:
    return ""
