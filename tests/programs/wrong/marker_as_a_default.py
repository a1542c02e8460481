# refused at start-up: binding.bad-default: the default of name is Form(), which is a marker and no value
from kingpost import App, Form

app = App()


@app.post("/sign")
def sign(name: str = Form()) -> str:
    return name
