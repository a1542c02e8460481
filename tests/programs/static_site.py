"""A folder of files, once beside the pages of a site and once as a single-page application."""

from __future__ import annotations

from datetime import timedelta

from kingpost import App, Html
from kingpost.http import CacheControl
from kingpost.staticfiles import Static, static_url

app = App()
app.include(
    Static("/static", "site", cache=CacheControl(public=True, max_age=timedelta(minutes=5)))
)
app.include(Static("/app", "site", name="app", fallback="index.html", immutable=["assets/*"]))


@app.get("/")
def home() -> Html:
    return Html.format('<link rel="stylesheet" href="{}">', static_url("app.css"))
