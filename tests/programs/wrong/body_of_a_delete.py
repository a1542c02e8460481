# refused at start-up: binding.body-on-get: add(todo: Todo) -> str: todo is read from the body, and DELETE has none
from kingpost import App, Struct

app = App()


class Todo(Struct):
    title: str


@app.delete("/todos")
def add(todo: Todo) -> str:
    return ""
