# refused at start-up: binding.default-in-path: show(id: int = 1) -> str: id stands in the path, so it is always given
from kingpost import App

app = App()


@app.get("/{id}")
def show(id: int = 1) -> str:
    return ""
