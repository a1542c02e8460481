"""A plugin of one's own: routes, an object that handlers name, a variable of templates, a command, an error reporter."""

from __future__ import annotations

from collections.abc import Sequence

from kingpost import App, Plugin, Request
from kingpost.templates import Template, Templates


class Guestbook:
    """What the plugin is about."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        self.lines.append(line)


class Guests:
    """The plugin."""

    name = "guests"
    requires: Sequence[str] = ("templates",)

    def __init__(self, path: str = "/guests") -> None:
        self.path = path
        self.book = Guestbook()

    def install(self, app: App, /) -> None:
        def book() -> Guestbook:
            return self.book

        def guest_count(book: Guestbook) -> int:
            return len(book.lines)

        app.provide(scope="app", inline=True)(book)
        app.extensions.template_context(guest_count)
        app.extensions.command(name="greet")(greet)
        app.add_route(self.path, show, name="guests")
        app.add_route(self.path, sign, methods=["POST"], name="sign")


def show(book: Guestbook) -> Template:
    return Template("guests.html", lines=book.lines)


def sign(request: Request, book: Guestbook) -> Template:
    book.write(request.form().get("name", "somebody"))
    return Template("guests.html", status=201, lines=book.lines)


def greet(name: str, book: Guestbook, times: int = 1, *, loud: bool = False) -> None:
    """Say hello, and write it into the book."""
    for _ in range(times):
        line = f"Hello, {name}!"
        book.write(line.upper() if loud else line)
    print("\n".join(book.lines))


FAILED: list[str] = []

app = App()
guests: Plugin = Guests()
# In any order: the guests wait for the templates.
app.install(guests, Templates("templates"))


@app.extensions.error_reporter
def note(error: BaseException, request: Request | None) -> None:
    FAILED.append(f"{'nobody' if request is None else request.path}: {error}")


@app.get("/broken")
def broken() -> int:
    return len(FAILED) + int("nothing")


@app.get("/failed")
def failed() -> list[str]:
    return FAILED
