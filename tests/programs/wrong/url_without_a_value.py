# refused at start-up: routing.url-parameters: 'show' is /{id}, and is asked for without id
from kingpost import App

app = App()


@app.get("/{id}")
def show(id: int) -> str:
    return ""


print(app.url_for("show"))
