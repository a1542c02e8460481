"""The article's Japronto sample: a function that takes the request, and a call that adds it."""

from kingpost import App, Request, Response


def hello(request: Request) -> Response[str]:
    return Response("Hello world!")


app = App()
app.add_route("/", hello)
