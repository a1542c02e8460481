# refused at start-up: injection.plain-type: language() -> str: every parameter of type str would be its
from kingpost import App

app = App()


@app.provide
def language() -> str:
    return "en"
