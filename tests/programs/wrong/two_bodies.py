# refused at start-up: binding.two-bodies: add(todo: Todo, author: Author) -> str: todo and author would both be the body
from kingpost import App, Struct

app = App()


class Todo(Struct):
    title: str


class Author(Struct):
    name: str


@app.post("/todos")
def add(todo: Todo, author: Author) -> str:
    return ""
