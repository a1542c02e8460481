"""Templates: pages and blocks of pages as answers, and htmx.

from kingpost.templates import Template, Templates

app.install(Templates())

@app.get("/")
def home() -> Template:
    return Template("home.html", name="world")
"""

from kingpost.templates.engine import Engine, EngineOptions, Link, Look, MakeEngine, Reference
from kingpost.templates.htmx import Htmx, HtmxRequest
from kingpost.templates.plugin import Templates
from kingpost.templates.template import Template

__all__ = [
    "Engine",
    "EngineOptions",
    "Htmx",
    "HtmxRequest",
    "Link",
    "Look",
    "MakeEngine",
    "Reference",
    "Template",
    "Templates",
]
