# refused by mypy: Argument 1 to "Template" has incompatible type "int"; expected "str"
from kingpost import App
from kingpost.templates import Template

app = App()


@app.get("/")
def index() -> Template:
    return Template(7)
