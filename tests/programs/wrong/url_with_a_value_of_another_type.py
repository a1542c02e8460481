# refused at start-up: routing.url-value: 'show' cannot be built with id='three': expected int, got str
from kingpost import App

app = App()


@app.get("/{id}")
def show(id: int) -> str:
    return ""


print(app.url_for("show", id="three"))
