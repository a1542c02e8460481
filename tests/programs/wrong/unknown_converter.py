# refused at start-up: routing.unknown-converter: no converter is called 'integer'; there are str, int, float, slug, uuid, date, path
from kingpost import App

app = App()


@app.get("/{id:integer}")
def home(id: int) -> str:
    return ""
