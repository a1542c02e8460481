# refused at start-up: binding.body-on-get: add(todo: Todo) -> str: todo is read from the body, and GET has none
from kingpost import App, Struct

app = App()


class Todo(Struct):
    title: str


@app.get("/todos")
def add(todo: Todo) -> str:
    return ""
