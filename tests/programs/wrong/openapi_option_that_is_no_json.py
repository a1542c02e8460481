# refused at start-up: openapi.not-json: the route option openapi= of / holds what JSON cannot
from kingpost import App
from kingpost.openapi import OpenAPI

app = App()
app.install(OpenAPI())


@app.get("/", openapi={"x-since": object()})
def home() -> str:
    return ""
