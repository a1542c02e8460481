"""Who may do what: by the `__acl__` of a tree, by a function, for a whole blueprint."""

from __future__ import annotations

from kingpost import App, Blueprint, Request, Unauthorized
from kingpost.routing import Principals, Traverse, permission


class Folder:
    __acl__ = (
        ("allow", "everybody", "view"),
        ("allow", "group:editors", ("edit", "delete")),
    )

    def __init__(self, title: str, **items: Folder) -> None:
        self.title = title
        self.items = items

    def __getitem__(self, name: str) -> Folder:
        return self.items[name]


class Draft(Folder):
    def __init__(self, title: str, author: str) -> None:
        super().__init__(title)
        self.author = author

    def __acl__(self) -> list[tuple[str, str, str]]:  # type: ignore[override]  # a method in place of a constant
        return [("allow", self.author, "all"), ("deny", "everybody", "all")]


app = App()
site = Traverse("/site", Folder("home", plan=Draft("plan", "ann"), news=Folder("news")))


@app.provide(inline=True)
def principals(request: Request) -> Principals:
    return Principals(name for name in request.headers.get("x-user", "").split(",") if name)


@site.view(Folder, requires=permission("view"))
def show(context: Folder) -> str:
    return context.title


@site.view(Folder, name="edit", methods=["POST"], requires=permission("edit"))
async def edit(context: Folder, request: Request) -> str:
    context.title = request.text()
    return context.title


def is_staff(principals: Principals) -> bool:
    return "group:staff" in principals


async def is_known(principals: Principals) -> None:
    if not principals:
        raise Unauthorized("say who you are")


back_office = Blueprint("office", prefix="/office", requires=is_known)


@back_office.get("/", requires=[is_staff])
def office() -> str:
    return "the back office"


app.include(site)
app.include(back_office)
