# refused at start-up: binding.body-default: todo is the body, and its default would be one object for all requests
from kingpost import App, Struct

app = App()


class Todo(Struct):
    title: str


@app.post("/todos")
def add(todo: Todo = Todo("milk")) -> str:
    return ""
