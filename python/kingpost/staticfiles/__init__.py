"""Folders of files that a site is made of: `app.include(Static("/static", "static"))`, and `static_url("app.css")`."""

from kingpost.staticfiles.static import Static, static_url

__all__ = ["Static", "static_url"]
