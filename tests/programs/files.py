"""Files, downloads, and what caches and browsers are told about them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from kingpost import App, FileResponse, Html, NotFound, Request, Response

REPORTS = Path(__file__).parent

app = App()


@app.get("/source")
def source() -> FileResponse:
    return FileResponse(__file__)


@app.get("/download")
def download() -> FileResponse:
    return FileResponse(__file__, download="Über files.py", media_type="text/x-python")


@app.get("/reports/{year:int}")
def report(year: int) -> FileResponse:
    try:
        response = FileResponse(REPORTS / f"{year}.csv")
    except FileNotFoundError:
        raise NotFound(f"no report of {year}") from None
    return response.cache_control(private=True, max_age=timedelta(hours=1))


@app.get("/price")
async def price() -> Response[dict[str, int]]:
    return Response({"anvil": 7}).cache_control(public=True, max_age=60, stale_if_error=3600)


@app.get("/page")
async def page(request: Request) -> Html:
    request.early_hints("</static/app.css>; rel=preload; as=style")
    return Html("<link rel=stylesheet href=/static/app.css>")
