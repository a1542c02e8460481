"""The page while the code does not import: `kingpost dev` shows it when there is no older code that could serve."""

from __future__ import annotations

from kingpost.app.pages.report import (
    ExceptionReport,
    FrameReport,
    report_of,
)
from kingpost.app.pages.style import STYLE, TRACEBACK_STYLE
from kingpost.app.pages.traceback import chain_sections, refusal, refusal_sections, text_section
from kingpost.errors import ConfigurationError
from kingpost.html import Html, page


def import_failure_page(
    exception: BaseException, *, target: str = "", refresh_seconds: int = 0
) -> Html:
    """The page.

    Args:
        exception: What importing or starting the app raised: a SyntaxError, an ImportError, a ConfigurationError or any other.
        target: What was to be imported, such as "shop.web:app".
        refresh_seconds: Let the browser ask again after so many seconds; 0 for never.
    """
    reports = report_of(exception)
    first = reports[0] = _without_importlib(reports[0])
    where = first.syntax or (first.frames[-1] if first.frames else None)
    if isinstance(exception, ConfigurationError):
        status, lead = "Your app does not start", refusal(exception)
        title = exception.message.partition("\n")[0]
    else:
        status, lead = "Your code does not import", _where(where)
        title = f"{first.type.rpartition('.')[2]}: {first.message.strip().partition(chr(10))[0]}"
    body = Html.format(
        '<main class="wide">\n<p class="status">{status}{target}</p>\n<h1>{title}</h1>\n{lead}'
        '<p class="soft">Mend it and save: the page is served again as soon as the code imports.</p>\n{sections}{text}</main>\n',
        status=status,
        target=f" ({target})" if target else "",
        title=title[:300],
        lead=lead,
        sections=refusal_sections(exception, reports)
        if isinstance(exception, ConfigurationError)
        else Html("").join(chain_sections(reports)),
        text=text_section(exception),
    )
    shown = page(title[:200], body, style=STYLE + TRACEBACK_STYLE)
    if refresh_seconds:
        refresh = Html.format('<meta http-equiv="refresh" content="{}">\n<title>', refresh_seconds)
        shown = Html(str(shown).replace("<title>", refresh, 1))
    return shown


def _where(frame: FrameReport | None) -> Html:
    return (
        Html.format('<p class="where soft">{}:{}</p>\n', frame.file, frame.line)
        if frame is not None
        else Html()
    )


def _without_importlib(report: ExceptionReport) -> ExceptionReport:
    """The calls from the user's first module on: how Python imports is no help."""
    frames = list(report.frames)
    while frames and not frames[0].is_users:
        frames.pop(0)
    frames = [frame for frame in frames if not frame.file.startswith("<frozen importlib")]
    return ExceptionReport(
        report.relation,
        report.type,
        report.message,
        report.notes,
        tuple(frames),
        report.left_out,
        report.syntax,
    )
