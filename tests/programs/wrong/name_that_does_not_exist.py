# refused at start-up: binding.unresolved-name: add has an annotation that names Todo, which does not exist
from __future__ import annotations

from kingpost import App

app = App()


@app.post("/")
def add(todo: Todo) -> str:
    return ""
