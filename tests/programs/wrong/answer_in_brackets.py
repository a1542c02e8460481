# refused at start-up: binding.bad-annotation: names() -> [str]: [str] is no type
from kingpost import App

app = App()


@app.get("/names")
def names() -> [str]:
    return ["ann"]
