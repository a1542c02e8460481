# refused at start-up: routing.conflict: collide, as both match the same requests (context dict, view edit)
from kingpost import App
from kingpost.routing import Traverse

app = App()
site = Traverse("/site", {"a": {}})


@site.view(dict, name="edit")
def edit(context: dict[str, object]) -> str:
    return str(context)


@site.view(dict, name="edit")
def change(context: dict[str, object]) -> str:
    return str(context)


app.include(site)
