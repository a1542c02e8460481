"""The pages that Kingpost itself shows to people: errors in production, and everything that helps during development.

No template engine, no external asset, no code execution. Everything that comes from a request, a value or a source file is escaped.
"""

from kingpost.app.pages.error import error_page
from kingpost.app.pages.import_failure import import_failure_page
from kingpost.app.pages.not_found import RouteLine, not_found_page
from kingpost.app.pages.traceback import may_show_details, traceback_page

__all__ = [
    "RouteLine",
    "error_page",
    "import_failure_page",
    "may_show_details",
    "not_found_page",
    "traceback_page",
]
