# refused by mypy: Argument "status" to "Redirect" has incompatible type "str"; expected "int"
from kingpost import App, Redirect

app = App()


@app.get("/")
def home() -> Redirect:
    return Redirect("/elsewhere", status="301")
