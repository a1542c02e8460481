"""Names and URLs: one blueprint twice, relative names, links where there is no request."""

from __future__ import annotations

import datetime as dt

from kingpost import App, Blueprint, Html, Include, Redirect, Request, Route, current_app

todos = Blueprint("todos", prefix="/todos")


@todos.get("/")
def index(request: Request) -> Html:
    return Html.format('<a href="{}">one</a>', request.url_for(".show", id=1))


@todos.get("/{id}")
def show(id: int, request: Request) -> dict[str, str]:
    return {
        "self": request.url_for(".show", id=id),
        "list": request.url_for(".index", page=2, tag=["a", "b"]),
        "absolute": request.url_for(".show", id=id, absolute=True),
        "from_model": link_to(id),
    }


def link_to(id: int) -> str:
    """What a model does, which has neither a request nor the App."""
    return current_app().url_for("mine.show", id=id)


def home(request: Request) -> Redirect:
    return Redirect(request.url_for("mine.index"))


def day(day: dt.date) -> str:
    return day.isoformat()


app = App(
    routes=[Route("/", home), Include("/archive", [Route("/{day:date}", day)], name="archive")],
    hosts=["example.org"],
)
app.include(todos, prefix="/my", name="mine")
app.include(todos, prefix="/your", name="yours")
