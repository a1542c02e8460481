"""The page of an exception during development: source and values around every call, the chain, the request, and text to copy.

It shows; it runs nothing (CVE-2019-14806 and CVE-2024-34069 were consoles on such a page).
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence

from kingpost.app.pages.error import footer
from kingpost.app.pages.report import (
    ExceptionReport,
    FrameReport,
    SourceLine,
    plain_traceback,
    report_of,
    source_around,
)
from kingpost.app.pages.style import COPY_SCRIPT, STYLE, TRACEBACK_STYLE
from kingpost.app.pages.values import MASK, is_secret_name, masked_text
from kingpost.errors import ConfigurationError
from kingpost.html import Html, page
from kingpost.http import Request

_BODY_CHARACTERS = 1_000
_FIELD_CHARACTERS = 1_000

_COPY = Html(f"<script>{COPY_SCRIPT}</script>\n")
# Lines of source below the place that a refusal names: it names where a function begins, and what is wrong is often in it.
_BELOW = 10


def traceback_page(
    exception: BaseException, request: Request | None = None, *, handler: str = ""
) -> Html:
    """The page.

    Args:
        exception: What left the handler.
        request: What was asked; None outside a request.
        handler: What was called, such as "todos.show in app.py:12".
    """
    reports = report_of(exception)
    first = reports[0]
    if isinstance(exception, ConfigurationError):
        # It says itself what is wrong and where: more than the line of ours that found it.
        title = exception.message.partition("\n")[0][:300]
        told = refusal(exception) + _notes(first)
        sections = refusal_sections(exception, reports)
    else:
        title = _headline(first)
        told = _place(first) + _message_rest(first)
        sections = Html("").join(chain_sections(reports))
    body = Html.format(
        '<main class="wide">\n<p class="status">{type}</p>\n<h1>{title}</h1>\n{told}\n{sections}{request}{text}{footer}</main>\n',
        type=first.type,
        title=title,
        told=told,
        sections=sections,
        request=_request_sections(request, handler) if request is not None else Html(),
        text=text_section(exception),
        footer=_foot(request),
    )
    return page(f"{first.type}: {title}"[:200], body, style=STYLE + TRACEBACK_STYLE)


def refusal(error: ConfigurationError) -> Html:
    """What is below the first line of its message, the remedy, and the source around every place that it names."""
    rest = error.message.partition("\n")[2]
    parts = [Html.format('<pre class="text wrap">{}</pre>\n', rest)] if rest else []
    if error.remedy:
        parts.append(
            Html.format(
                '<p class="lead">{}.</p>\n', _with_code(error.remedy[:1].upper() + error.remedy[1:])
            )
        )
    parts.append(Html.format("<p><code>kingpost explain {}</code></p>\n", error.code))
    for place in error.places:
        lines = source_around(place.file, place.line, below=_BELOW)
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


def _with_code(text: str) -> Html:
    """Text with what stands between backticks as code."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return Html.format("{}", text)
    return Html("").join(
        Html.format("<code>{}</code>", piece) if number % 2 else piece
        for number, piece in enumerate(pieces)
    )


def refusal_sections(error: ConfigurationError, reports: Sequence[ExceptionReport]) -> Html:
    """The calls that led to it: folded away as a whole where none of them is the user's, for then they are no help."""
    sections = Html("").join(chain_sections(reports, folded=bool(error.places)))
    if not sections or any(frame.is_users for report in reports for frame in report.frames):
        return sections
    return Html.format(
        '<details class="calls">\n<summary>The calls that led here</summary>\n{}</details>\n',
        sections,
    )


def chain_sections(reports: Sequence[ExceptionReport], *, folded: bool = False) -> Iterable[Html]:
    """A section for each exception of the chain.

    Args:
        reports: The chain.
        folded: Open no call: something above them tells more.
    """
    for number, report in enumerate(reports):
        if number:
            yield Html.format(
                '<h2>{}: {}</h2>\n<p class="message">{}</p>\n{}',
                report.relation,
                report.type,
                report.message,
                _notes(report),
            )
        yield from _frames(report, folded=folded)


def _headline(report: ExceptionReport) -> str:
    line = report.message.strip().partition("\n")[0]
    return line[:300] or report.type


def _message_rest(report: ExceptionReport) -> Html:
    rest = report.message.strip().partition("\n")[2]
    shown = Html.format('<pre class="text wrap">{}</pre>\n', rest) if rest else Html()
    return shown + _notes(report)


def _notes(report: ExceptionReport) -> Html:
    return Html("").join(Html.format('<div class="note">{}</div>\n', note) for note in report.notes)


def _place(report: ExceptionReport) -> Html:
    frame = report.syntax or _frame_of_interest(report.frames)
    if frame is None:
        return Html()
    within = Html.format(" in <code>{}</code>", frame.function) if frame.function else Html()
    return Html.format('<p class="where soft">{}:{}{}</p>\n', frame.file, frame.line, within)


def _frame_of_interest(frames: Sequence[FrameReport]) -> FrameReport | None:
    """The user's innermost frame; the innermost one when none is the user's."""
    return next(
        (frame for frame in reversed(frames) if frame.is_users), frames[-1] if frames else None
    )


def _frames(report: ExceptionReport, *, folded: bool) -> Iterable[Html]:
    opened = None if folded else report.syntax or _frame_of_interest(report.frames)
    if report.syntax is not None:
        yield frame_card(report.syntax, is_open=True)
    # The innermost call first: a reader on a page starts at the top.
    for index, frame in enumerate(reversed(report.frames)):
        if report.left_out and index == len(report.frames) // 2:
            yield Html.format('<p class="soft">… {} more calls …</p>\n', report.left_out)
        yield frame_card(frame, is_open=frame is opened)


def frame_card(frame: FrameReport, *, is_open: bool) -> Html:
    """A foldable card with the source around a call and the values of its variables."""
    return Html.format(
        '<details class="card frame {owner}"{open}>\n<summary><span class="function">{function}</span>'
        '<span class="file">{file}:{line}</span></summary>\n{source}{locals}</details>\n',
        owner="yours" if frame.is_users else "theirs",
        open=Html(" open") if is_open else Html(),
        function=frame.function or "source",
        file=frame.file,
        line=frame.line,
        source=source_block(frame.source),
        locals=_locals(frame, is_open=is_open and frame.function != "<module>"),
    )


def source_block(lines: Sequence[SourceLine]) -> Html:
    """The lines with their numbers, the one that ran and the part of it marked."""
    if not lines:
        return Html('<p class="soft unread">The source of this call cannot be read.</p>\n')
    rows = Html("").join(
        Html.format(
            '<span class="row{here}"><span class="number">{number}</span>{text}</span>',
            here=" here" if line.is_here else "",
            number=line.number,
            text=_marked(line),
        )
        for line in lines
    )
    return Html.format('<pre class="source" tabindex="0">{}</pre>\n', rows)


def _marked(line: SourceLine) -> Html:
    start, end = line.mark
    if start >= end:
        return Html.format("{}", line.text)
    # A parser may stop right behind the last character: there must be something to mark.
    return Html.format(
        "{}<mark>{}</mark>{}", line.text[:start], line.text[start:end] or " ", line.text[end:]
    )


def _locals(frame: FrameReport, *, is_open: bool) -> Html:
    if not frame.locals:
        return Html()
    more = (
        Html.format('<tr><td class="soft" colspan="2">and {} more</td></tr>\n', frame.hidden_locals)
        if frame.hidden_locals
        else Html()
    )
    return Html.format(
        '<details class="locals"{}>\n<summary>Variables</summary>\n{}</details>\n',
        Html(" open") if is_open else Html(),
        _table(frame.locals, more),
    )


def _table(rows: Iterable[tuple[str, str]], more: Html | None = None) -> Html:
    lines = Html("\n").join(
        Html.format("<tr><th>{}</th><td>{}</td></tr>", name, _value(value)) for name, value in rows
    )
    return Html.format(
        '<table class="values"><tbody>\n{}\n{}</tbody></table>\n', lines, more or Html()
    )


def _value(text: str) -> Html:
    return (
        Html.format('<span class="masked">hidden</span>')
        if text == MASK
        else Html.format("<code>{}</code>", text)
    )


def _request_sections(request: Request, handler: str) -> Html:
    query = request.query_string.decode("latin-1")
    target = request.path + (f"?{masked_text(query[:_FIELD_CHARACTERS])}" if query else "")
    about = [
        ("request", f"{request.method} {target}"),
        ("handler", handler),
        ("client", request.client or ""),
        ("id", request.id),
    ]
    sections = [_section("Request", [row for row in about if row[1]])]
    fields = [(name, _field(name, value)) for name, value in request.headers.items()]
    sections.append(_section("Header fields", fields[:100]))
    body = _body(request)
    if body:
        sections.append(Html.format('<h2>Body</h2>\n<pre class="text">{}</pre>\n', body))
    return Html("").join(sections)


def _section(title: str, rows: Sequence[tuple[str, str]]) -> Html:
    return (
        Html.format('<h2>{}</h2>\n<div class="card">{}</div>\n', title, _table(rows))
        if rows
        else Html()
    )


def _field(name: str, value: str) -> str:
    return MASK if is_secret_name(name) else masked_text(value[:_FIELD_CHARACTERS])


def _body(request: Request) -> str:
    """The beginning of a body of text; one that streams or is binary is not shown."""
    content_type = request.content_type
    if content_type is None or request.stream is not None:
        return ""
    if not (
        content_type.type == "text"
        or content_type.is_json
        or content_type.essence == "application/x-www-form-urlencoded"
    ):
        return ""
    text = request.body[: _BODY_CHARACTERS * 4].decode("utf-8", "replace")
    cut = text[:_BODY_CHARACTERS]
    return masked_text(cut) + ("…" if len(request.body) > len(cut.encode()) else "")


def text_section(exception: BaseException) -> Html:
    """The traceback as text, to be copied; it holds no values of variables."""
    text = plain_traceback(exception)
    versions = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    return Html.format(
        '<div class="bar"><h2>As text</h2><button id="copy" type="button">Copy</button></div>\n'
        '<pre class="text" id="text" tabindex="0">{}\n{}</pre>\n{}',
        text,
        versions,
        _COPY,
    )


def _foot(request: Request | None) -> Html:
    return Html.format(
        '<p class="soft">This page is shown in development only.</p>\n{}',
        footer(request.id if request is not None else ""),
    )
