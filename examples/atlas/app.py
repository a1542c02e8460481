"""An atlas of the world: `kingpost dev` in this folder serves it."""

from pathlib import Path

from api import api
from corrections import corrections
from database import AtlasSettings, prepare
from pages import frame, pages, text
from world import CollectionConverter

from kingpost import App, NotFound, Request, Response
from kingpost.http import prefers_html, problem

STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")

app = App(settings=AtlasSettings, converters={"collection": CollectionConverter})
app.include(pages)
app.include(api)
app.include(corrections)
prepare()


@app.get("/style.css")
def style() -> Response[str]:
    return Response(STYLE, media_type="text/css; charset=utf-8")


@app.error(NotFound)
def not_found(request: Request, error: NotFound) -> Response[object]:
    """A page with a way on for people, the usual problem+json for programs."""
    if prefers_html(request.headers.get("accept")):
        said = text(error.detail or "There is no page at this address.")
        return Response(frame("Not found", said, text("Try the search above.")), status=404)
    return Response(problem(error), status=404, media_type="application/problem+json")
