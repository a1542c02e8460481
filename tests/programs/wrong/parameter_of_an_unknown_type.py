# refused at start-up: binding.unknown-type: show(engine: Engine) -> str: nothing says where engine: Engine comes from
from kingpost import App

app = App()


class Engine:
    pass


@app.get("/")
def show(engine: Engine) -> str:
    return ""
