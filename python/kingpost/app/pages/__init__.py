"""The pages that Kingpost itself shows to people: errors in production, and everything that helps during development.

No template engine, no external asset, no code execution. Everything that comes from a request, a value or a source file is escaped.
"""

from __future__ import annotations

from kingpost.app.pages.details import may_show_details
from kingpost.app.pages.error import error_page
from kingpost.app.pages.not_found import RouteLine, not_found_page
from kingpost.app.pages.policy import page_policy
from kingpost.html import Html
from kingpost.http import Request

__all__ = [
    "RouteLine",
    "error_page",
    "import_failure_page",
    "may_show_details",
    "not_found_page",
    "page_policy",
    "traceback_page",
]


# Taking a traceback apart needs modules that cost ten milliseconds to import; production never shows one.
def traceback_page(
    exception: BaseException, request: Request | None = None, *, handler: str = ""
) -> Html:
    """The page of an exception during development: source, values, the chain, the request, text to copy.

    Args:
        exception: What left the handler.
        request: What was asked; None outside a request.
        handler: What was called, such as "todos.show in app.py:12".
    """
    from kingpost.app.pages import traceback

    return traceback.traceback_page(exception, request, handler=handler)


def import_failure_page(
    exception: BaseException, *, target: str = "", refresh_seconds: int = 0
) -> Html:
    """The page while the code does not import and there is no older code that could serve.

    Args:
        exception: What importing or starting the app raised.
        target: What was to be imported, such as "shop.web:app".
        refresh_seconds: Let the browser ask again after so many seconds; 0 for never.
    """
    from kingpost.app.pages import import_failure

    return import_failure.import_failure_page(
        exception, target=target, refresh_seconds=refresh_seconds
    )
