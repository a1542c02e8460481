# refused at start-up: routing.empty-resource: the resource Quote answers nothing
from kingpost import App

app = App()


@app.resource("/quote")
class Quote:
    def on_get(self) -> str:
        return ""
