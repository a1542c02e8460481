"""The page while the code does not import: `kingpost dev` shows it when there is no older code that could serve."""

from __future__ import annotations

from kingpost.app.pages.report import (
    ExceptionReport,
    FrameReport,
    report_of,
    source_around,
)
from kingpost.app.pages.style import STYLE, TRACEBACK_STYLE
from kingpost.app.pages.traceback import chain_sections, frame_card, text_section
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
        status, lead = "Your app does not start", _refusal(exception)
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
        sections=Html("").join(
            chain_sections(reports, folded=isinstance(exception, ConfigurationError))
        ),
        text=text_section(exception),
    )
    shown = page(title[:200], body, style=STYLE + TRACEBACK_STYLE)
    if refresh_seconds:
        refresh = Html.format('<meta http-equiv="refresh" content="{}">\n<title>', refresh_seconds)
        shown = Html(str(shown).replace("<title>", refresh, 1))
    return shown


def _refusal(error: ConfigurationError) -> Html:
    """The message, the remedy, and the source around every place that it names."""
    rest = error.message.partition("\n")[2]
    parts = [Html.format('<pre class="text wrap">{}</pre>\n', rest)] if rest else []
    if error.remedy:
        parts.append(
            Html.format('<p class="lead">{}{}.</p>\n', error.remedy[:1].upper(), error.remedy[1:])
        )
    parts.append(Html.format("<p><code>kingpost explain {}</code></p>\n", error.code))
    for place in error.places:
        lines = source_around(place.file, place.line)
        frame = FrameReport(
            file=place.file,
            line=place.line,
            function="",
            is_users=True,
            source=lines,
            locals=(),
            hidden_locals=0,
        )
        parts.append(frame_card(frame, is_open=bool(lines)))
    return Html("").join(parts)


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
