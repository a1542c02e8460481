# refused at start-up: binding.path-type: show(todo: Todo) -> str: todo stands in the path, and no text becomes Todo
from kingpost import App, Struct

app = App()


class Todo(Struct):
    id: int


@app.get("/{todo}")
def show(todo: Todo) -> str:
    return ""
