"""Folders of files that a site is made of: `app.include(Static("/static", "static"))`, and `static_url("app.css")`."""

from kingpost.staticfiles.browser import BrowserAssets
from kingpost.staticfiles.static import Static, static_url

__all__ = ["BrowserAssets", "Static", "static_url"]
