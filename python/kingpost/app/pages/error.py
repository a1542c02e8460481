"""The page of an HTTPError, for people. It says what the error says and nothing more, so it is the page of production too."""

from __future__ import annotations

from collections.abc import Iterable

from kingpost.app.pages.style import STYLE
from kingpost.errors import FieldError, HTTPError, ValidationError
from kingpost.html import Html, page
from kingpost.http.problem import bounded_input
from kingpost.types import Place

_SENTENCES = {
    400: "The request could not be understood.",
    401: "Please sign in to see this.",
    403: "You may not see or do this.",
    404: "There is nothing at this address. It may have moved, or the link has a mistake.",
    405: "This address does not take this kind of request.",
    406: "This address has nothing of the kind that was asked for.",
    408: "The request took too long to arrive. Please try again.",
    409: "This contradicts what is already there.",
    410: "This was here once and is gone for good.",
    413: "What was sent is too large.",
    415: "This kind of content is not accepted here.",
    422: "Some of the values need another look.",
    429: "That was too much at once. Please wait a moment and try again.",
    500: "Something went wrong on our side. It was noted, and it is not your fault.",
    503: "This is not available right now. Please try again in a moment.",
}


def error_page(
    error: HTTPError,
    *,
    request_id: str = "",
    development: bool = False,
    raised_at: Place | None = None,
) -> Html:
    """A page with status, title and detail; for a ValidationError with every value that was refused.

    Args:
        error: What is told.
        request_id: Shown, so that a person can name it when asking for help.
        development: Add the code, how to have it explained, and where it was raised.
        raised_at: The line that raised it; shown in development only.
    """
    sentence = error.detail or _SENTENCES.get(error.status, "")
    body = Html.format(
        '<main>\n<p class="status">{status}</p>\n<h1>{title}</h1>\n{lead}{table}{development}{footer}</main>',
        status=error.status,
        title=error.title,
        lead=Html.format('<p class="lead">{}</p>\n', _as_sentence(sentence))
        if sentence
        else Html(),
        table=_refused_values(error.errors)
        if isinstance(error, ValidationError) and error.errors
        else Html(),
        development=for_developers(error, raised_at) if development else Html(),
        footer=footer(request_id),
    )
    return page(f"{error.status} {error.title}", body, style=STYLE)


def footer(request_id: str) -> Html:
    """The foot of a page: the way out, and the request's number."""
    number = Html.format(" &middot; request <code>{}</code>", request_id) if request_id else Html()
    return Html.format('<footer><a href="/">Start page</a>{}</footer>\n', number)


def for_developers(error: HTTPError, raised_at: Place | None = None) -> Html:
    """What helps during development: the code, the command that explains it, the line that raised it."""
    where = (
        Html.format("<tr><th>Raised at</th><td><code>{}</code></td></tr>\n", raised_at)
        if raised_at
        else Html()
    )
    return Html.format(
        '<h2>For the developer</h2>\n<div class="card"><table><tbody>\n'
        "<tr><th>Code</th><td><code>{code}</code></td></tr>\n"
        "<tr><th>Explained by</th><td><code>kingpost explain {code}</code></td></tr>\n{where}"
        "</tbody></table></div>\n"
        '<p class="soft">This part is shown in development only.</p>\n',
        code=error.code,
        where=where,
    )


def _as_sentence(text: str) -> str:
    # Details are written for problem+json: "no todo 7". On a page the same words begin with a capital.
    return text[:1].upper() + text[1:]


def _refused_values(errors: Iterable[FieldError]) -> Html:
    rows = Html("\n").join(
        Html.format(
            "<tr><td><strong>{}</strong></td><td>{}{}</td><td><code>{}</code></td></tr>",
            location_text(entry["location"]),
            _as_sentence(entry["message"]),
            Html.format('<p class="sent">Sent: <code>{}</code></p>', bounded_input(entry["input"]))
            if "input" in entry
            else Html(),
            entry["code"],
        )
        for entry in errors
    )
    return Html.format(
        '<div class="card"><table><thead><tr><th>Where</th><th>What to do</th><th>Code</th></tr></thead>\n<tbody>\n{}\n</tbody></table></div>\n',
        rows,
    )


def location_text(location: Iterable[str | int]) -> str:
    """A location as a person reads it: `["body", "items", 0, "price"]` is "items, 1, price"."""
    parts = list(location)
    # The source alone (`["body"]`) is all there is to say; before a name it says nothing to the person who filled in a form.
    shown = parts[1:] or parts
    return ", ".join(str(part + 1) if isinstance(part, int) else part for part in shown)
