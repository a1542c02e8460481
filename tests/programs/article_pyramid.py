"""The article's Pyramid sample: the whole map of the application in one table."""

from kingpost import App, Request, Response, Route


def hello_world(request: Request) -> Response[str]:
    return Response("Hello, world!", headers={"x-path": request.path})


app = App(routes=[Route("/", hello_world, name="hello")])
