"""Two trees of objects beside ordinary routes: one in memory, one whose items are loaded when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator

from kingpost import App, Request
from kingpost.routing import Traverse

# ---- a tree of the kind that Pyramid's tutorials have


class Item:
    __parent__: Folder | None = None
    __name__ = ""

    def __init__(self, title: str) -> None:
        self.title = title


class Folder(Item):
    __acl__ = (("allow", "everybody", "view"),)

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._items: dict[str, Item] = {}

    def __getitem__(self, name: str) -> Item:
        return self._items[name]

    def __setitem__(self, name: str, item: Item) -> None:
        item.__parent__, item.__name__ = self, name
        self._items[name] = item

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)


class Page(Item):
    pass


class Root(Folder):
    pass


root = Root("home")
root["docs"] = docs = Folder("docs")
docs["intro"] = Page("intro")
docs["a/b.. ü"] = Page("odd")
docs["edit"] = Page("a page called edit")

site = Traverse("/site", root)


@site.view(Item)
def show(context: Item, request: Request) -> dict[str, str]:
    return {"title": context.title, "url": request.url_for(context, "edit")}


@site.view(Folder)
def listing(folder: Folder) -> list[str]:
    return list(folder)


@site.view(Item, name="edit")
async def edit(context: Item) -> str:
    return f"edit {context.title}"


@site.view(Folder, methods=["POST"])
def add(context: Folder, request: Request) -> str:
    name = request.text()
    context[name] = Page(name)
    return request.url_for(context[name])


# ---- a tree of persistent objects: an item is loaded when it is asked for, and may not be there


class Persistent:
    def __init__(self, parent: Persistent | None, name: str, depth: int) -> None:
        self.__parent__ = parent
        self.__name__ = name
        self.depth = depth

    def __getitem__(self, name: str) -> Persistent:
        if name == "broken":
            raise OSError("the storage is gone")
        if self.depth == 3 or not name.isdigit():
            raise KeyError(name)
        return Persistent(self, name, self.depth + 1)


def open_database(request: Request) -> Persistent:
    return Persistent(None, "", 0)


database = Traverse("/db", open_database)


@database.view(Persistent)
def describe(context: Persistent, request: Request) -> str:
    return f"{context.depth} {request.url_for(context)}"


app = App()
app.include(site)
app.include(database)


@app.get("/site/news")
def news() -> str:
    return "no object, but a route"
