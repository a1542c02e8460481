# refused at start-up: binding.unknown-type: show(id: int | str) -> str: nothing says where id: int | str comes from
from kingpost import App

app = App()


@app.get("/")
def show(id: int | str) -> str:
    return ""
