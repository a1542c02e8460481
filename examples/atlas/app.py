"""An atlas of the world: `kingpost dev` in this folder serves it."""

from pathlib import Path

from api import api
from corrections import corrections
from database import prepare
from kingpost import App, NotFound, Request, Response
from kingpost.http import prefers_html, problem
from layout import frame, text
from pages import pages
from settings import AtlasSettings

STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")

app = App(settings=AtlasSettings)
app.include(pages)
app.include(api)
app.include(corrections)
prepare()


@app.get("/style.css")
def style() -> Response[str]:
    return Response(
        STYLE, media_type="text/css; charset=utf-8", headers={"cache-control": "max-age=300"}
    )


@app.error(NotFound)
def not_found(request: Request, error: NotFound) -> Response[object]:
    """People get a page with the way on, programs the usual problem+json."""
    if prefers_html(request.headers.get("accept")):
        said = text(error.detail or f"Nothing is at {request.path}.")
        return Response(frame("Not found", said, text("Try the search above.")), status=404)
    return Response(problem(error), status=404, media_type="application/problem+json")
