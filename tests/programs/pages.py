"""Pages from templates: inheritance, macros, a block alone, variables that every page has, an error page."""

from __future__ import annotations

from dataclasses import dataclass

from kingpost import App, Html, NotFound, Redirect, Request
from kingpost.templates import Htmx, HtmxRequest, Template, Templates


@dataclass
class Todo:
    id: int
    title: str
    done: bool = False


class Todos:
    """What a database would be."""

    def __init__(self) -> None:
        self.all = [Todo(1, "milk"), Todo(2, "<b>bread</b>", done=True)]


TODOS = Todos()

app = App()


def shout(text: str) -> str:
    return text.upper()


app.install(Templates("templates", filters={"shout": shout}))


@app.provide
def todos() -> Todos:
    return TODOS


@app.extensions.template_context
def open_todos(todos: Todos) -> int:
    return sum(not todo.done for todo in todos.all)


@app.get("/")
def index(todos: Todos) -> Template:
    return Template("index.html", todos=todos.all)


@app.get("/about")
async def about() -> Template:
    return Template("about.html", about=Html("<em>Todos</em>, written down."))


@app.post("/todos")
def add(request: Request, todos: Todos) -> Redirect | Template:
    title = request.form().get("title", "")
    if not title:
        return Template("index.html", status=422, todos=todos.all)
    todos.all.append(Todo(len(todos.all) + 1, title))
    return Redirect(request.url_for("index"))


@app.post("/todos/{id:int}/toggle")
def toggle(id: int, request: Request, htmx: HtmxRequest, todos: Todos) -> Redirect | Template:
    for todo in todos.all:
        if todo.id == id:
            todo.done = not todo.done
            if not htmx.wants_block:
                return Redirect(request.url_for("index"))
            page = Template("index.html#row", todo=todo)
            Htmx(page).trigger("toggled", id=id)
            return page
    raise NotFound(f"no todo {id}")


@app.error(NotFound)
def missing(request: Request, error: NotFound) -> Template:
    return Template("missing.html", status=404)
