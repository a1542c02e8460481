"""HTML that cannot be injected into: a marked string, escaping, and the shell of a page."""

from kingpost.html.document import page
from kingpost.html.markup import Html, escape

__all__ = ["Html", "escape", "page"]
