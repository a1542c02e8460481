# refused at start-up: binding.format: page(places: list[str]) -> Html: a format is made by a def
from kingpost import App, Html
from kingpost.http.media import Format, Json

app = App()


async def page(places: list[str]) -> Html:
    return Html("<ul></ul>")


@app.get("/places", formats=[Json(), Format("text/html", "html", page)])
def places() -> list[str]:
    return []
