# refused at start-up: routing.bad-option: the route option formats='html' is the extension of two formats
from kingpost import App, Html
from kingpost.http.media import Format


def page(places: list[str]) -> Html:
    return Html("<ul></ul>")


app = App()


@app.get("/places", formats=[Format("text/html", "html", page), Format("text/plain", "html", str)])
def places() -> list[str]:
    return []
