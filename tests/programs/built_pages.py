"""Pages built in Python with htpy: what has `__html__` is taken wherever an answer is made."""

from __future__ import annotations

from collections.abc import Iterator

from htpy import (
    Element,
    Fragment,
    Node,
    body,
    form,
    fragment,
    head,
    html,
    li,
    p,
    textarea,
    title,
    ul,
)

from kingpost import App, Html, NotFound, Request, Response

app = App()
TODOS = ["milk", "<b>bread</b>"]


def frame(name: str, *content: Node) -> Element:
    return html(lang="en")[head[title[name]], body[content]]


@app.get("/")
def index(request: Request) -> Element:
    return frame(
        "Todos",
        ul[(li[todo] for todo in TODOS)],
        form(action=request.url_for("add"), method="post")[textarea(name="todo")],
    )


@app.post("/todos")
async def add(request: Request) -> Response[Element]:
    TODOS.append(request.form()["todo"])
    return Response(li[TODOS[-1]], status=201)


@app.get("/rows")
def rows() -> Fragment:
    return fragment[(li[todo] for todo in TODOS)]


@app.get("/slowly")
def slowly() -> Iterator[Element]:
    for todo in TODOS:
        yield li[todo]


@app.get("/mixed")
def mixed() -> Html:
    return Html.format("<ol>{}</ol>", li[TODOS[1]])


@app.get("/todos/{number:int}")
def show(number: int) -> Element | Html:
    if number >= len(TODOS):
        raise NotFound(f"no todo {number}")
    return li[TODOS[number]] if number else Html("<li>first</li>")


@app.error(NotFound)
def missing(request: Request, error: NotFound) -> Response[Element]:
    return Response(frame("Not found", p[error.detail]), status=404)
