# refused at start-up: binding.middleware: around(request: Request) -> Response[str]: middleware takes the request and the rest of it
from kingpost import App, Request, Response

app = App()


@app.middleware
def around(request: Request) -> Response[str]:
    return Response("here")


@app.get("/")
def home() -> str:
    return "here"
