# refused at start-up: binding.unannotated: show(page) -> str: page has no type, so nothing says where it comes from
from kingpost import App

app = App()


@app.get("/")
def show(page) -> str:
    return ""
