"""An atlas of the world: `kingpost dev` in this folder serves it."""

from api import api
from corrections import corrections
from making import make
from pages import pages
from world import AtlasSettings, world

from kingpost import App, NotFound, Request, Response
from kingpost.channels import Channels
from kingpost.http import prefers_html, problem
from kingpost.middleware import Compression, ContentSecurityPolicy, SecurityHeaders
from kingpost.openapi import OpenAPI
from kingpost.staticfiles import BrowserAssets, Static
from kingpost.templates import Template, Templates

app = App(settings=AtlasSettings, middleware=[Compression(), SecurityHeaders()])
app.middleware(ContentSecurityPolicy())
app.install(Channels(), Templates(), OpenAPI(title="Atlas", version="1"))
for part in (Static("/static", "static"), BrowserAssets(), api, corrections, pages):
    app.include(part)
app.lifespan(make)
app.provide(world)


@app.error(NotFound)
def not_found(request: Request, error: NotFound) -> Template | Response[object]:
    """A page with a way on for people, the usual problem+json for programs."""
    if prefers_html(request.headers.get("accept")):
        return Template("missing.html", status=404, detail=error.detail)
    return Response(problem(error), status=404, media_type="application/problem+json")
