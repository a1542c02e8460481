# refused at start-up: binding.context: show(context: int) -> str: context is int, and the view is for dict
from kingpost import App
from kingpost.routing import Traverse

app = App()
site = Traverse("/site", {"a": {}})


@site.view(dict)
def show(context: int) -> str:
    return str(context)


app.include(site)
