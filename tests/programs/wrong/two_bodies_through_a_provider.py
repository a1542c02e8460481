# refused at start-up: binding.two-bodies: add(todo: Todo, author: Author) -> str: todo and sent would both be the body
from kingpost import App, Struct

app = App()


class Todo(Struct):
    title: str


class Sent(Struct):
    name: str


class Author:
    def __init__(self, name: str) -> None:
        self.name = name


@app.provide
def author(sent: Sent) -> Author:
    return Author(sent.name)


@app.post("/todos")
def add(todo: Todo, author: Author) -> str:
    return todo.title + author.name
