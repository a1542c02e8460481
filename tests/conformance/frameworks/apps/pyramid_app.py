"""Pyramid: the pages of its quick tour."""

import os
from collections.abc import Iterator
from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPFound, HTTPNoContent
from pyramid.response import FileResponse, Response


def home(request: Any) -> Response:
    return Response("<h1>Hello World!</h1>")


def fail(request: Any) -> Response:
    raise LookupError("the page fails")


def failed(error: Exception, request: Any) -> Response:
    return Response("it has failed", status=500)


def leave(request: Any) -> Response:
    return HTTPFound(location="/")


def cookie(request: Any) -> Response:
    answer = Response("set", content_type="text/plain", charset="utf-8")
    answer.set_cookie("one", "1", httponly=True)
    answer.set_cookie("two", "ab")
    return answer


def seen(request: Any) -> Any:
    return {"cookies": dict(request.cookies), "tags": request.headers.get("X-Tag")}


def form(request: Any) -> Any:
    return {"name": request.POST["name"], "all": request.POST.getall("n")}


def upload(request: Any) -> Any:
    file = request.POST["file"]
    return {"name": file.filename, "size": len(file.file.read())}


def json(request: Any) -> Any:
    return request.json_body


def size(request: Any) -> Response:
    return Response(str(len(request.body)))


def stream(request: Any) -> Response:
    def pieces() -> Iterator[bytes]:
        for number in range(5):
            yield f"{number}\n".encode() * 1000

    return Response(app_iter=pieces(), content_type="text/plain", charset="utf-8")


def query(request: Any) -> Any:
    return {"x": request.GET.getall("x"), "y": request.GET.get("y")}


def item(request: Any) -> Any:
    return {"number": int(request.matchdict["number"])}


def text(request: Any) -> Any:
    return {"text": request.matchdict["text"], "path": request.path}


def empty(request: Any) -> Response:
    return HTTPNoContent()


def file(request: Any) -> Response:
    return FileResponse(os.environ["GRID_FILE"], request=request, content_type="text/plain")


def make() -> Any:
    """The application, made by a function as its documentation has it."""
    with Configurator() as config:
        pages = {
            "/": home,
            "/fail": fail,
            "/redirect": leave,
            "/cookie": cookie,
            "/stream": stream,
            "/empty": empty,
            "/file": file,
            "/size": size,
        }
        data = {
            "/seen": seen,
            "/form": form,
            "/upload": upload,
            "/json": json,
            "/query": query,
            r"/item/{number:\d+}": item,
            "/text/{text}": text,
        }
        for number, (pattern, view) in enumerate([*pages.items(), *data.items()]):
            config.add_route(f"page{number}", pattern)
            renderer = "json" if pattern in data else None
            config.add_view(view, route_name=f"page{number}", renderer=renderer)
        # What nobody catches is the server's to answer, and each has its own words.
        config.add_exception_view(failed, context=Exception)
        return config.make_wsgi_app()
