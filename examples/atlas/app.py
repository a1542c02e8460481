"""An atlas of the world: `kingpost dev` in this folder serves it."""

from api import api
from corrections import corrections
from layout import frame
from pages import pages
from world import HERE, AtlasSettings, prepare

from kingpost import App, Html, NotFound, Request, Response
from kingpost.http import prefers_html, problem

app = App(settings=AtlasSettings)
for blueprint in (pages, api, corrections):
    app.include(blueprint)
prepare()


@app.get("/style.css")
def style() -> Response[str]:
    written = (HERE / "style.css").read_text(encoding="utf-8")
    return Response(written, media_type="text/css; charset=utf-8")


@app.error(NotFound)
def not_found(request: Request, error: NotFound) -> Response[object]:
    """A page with a way on for people, the usual problem+json for programs."""
    if prefers_html(request.headers.get("accept")):
        said = Html.format("<p>{}</p>", error.detail or "There is no page at this address.")
        return Response(frame("Not found", said), status=404)
    return Response(problem(error), status=404, media_type="application/problem+json")
