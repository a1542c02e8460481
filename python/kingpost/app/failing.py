"""The answer to an error that no handler of the user took: problem+json for programs, a page for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kingpost._native import Answer
from kingpost.app.encoding import HTML
from kingpost.app.pages import (
    RouteLine,
    error_page,
    may_show_details,
    not_found_page,
    page_policy,
    traceback_page,
)
from kingpost.errors import HTTPError, MethodNotAllowed, NotFound
from kingpost.html import Html
from kingpost.http.accept import prefers_html
from kingpost.http.problem import PROBLEM_JSON, encode_problem, problem, problem_json
from kingpost.http.request import Request
from kingpost.http.response import NOSNIFF
from kingpost.http.vary import varied, vary_in
from kingpost.types import Mode, Place, short_path


class ErrorAnswers:
    """Makes the answers of errors.

    Args:
        mode: in development the answers help to find the mistake, where only this machine can read them.
        routes: gives every route of the App, for the page of an address that none answers.
    """

    def __init__(self, mode: Mode, routes: Callable[[], Sequence[RouteLine]]) -> None:
        self._mode = mode
        self._routes = routes

    def answer(
        self, request: Request, error: HTTPError, *, is_missed: bool, handler: str
    ) -> Answer:
        """The answer to `error`; its cause is the exception that was not meant for the client.

        Args:
            request: what was asked.
            error: what the client is told.
            is_missed: whether no route matched.
            handler: the handler and its place, empty where there is none.
        """
        helps = self._mode == "development" and may_show_details(request.host)
        as_page = prefers_html(request.headers.get("accept"))
        if as_page:
            body = self._page(
                request, error, is_missed=is_missed, handler=handler, helps=helps
            ).encode()
        else:
            body = development_problem(error) if helps else problem_json(error)
        own = [
            (name.lower(), value) for name, value in error.headers.items() if name.lower() != "vary"
        ]
        fields = [("content-type", HTML if as_page else PROBLEM_JSON), ("vary", "accept"), NOSNIFF]
        if as_page:
            fields.append(("content-security-policy", page_policy(framed=not helps)))
        if helps and as_page:
            # The page shows source and values: it must not end in another site's frame or cache.
            fields += [("cache-control", "no-store"), ("x-frame-options", "DENY")]
        names = {name for name, _ in own}
        kept = [field for field in fields if field[0] not in names]
        return varied(Answer(error.status, kept + own, body), vary_in(error.headers))

    def _page(
        self, request: Request, error: HTTPError, *, is_missed: bool, handler: str, helps: bool
    ) -> Html:
        if not helps:
            return error_page(error, request_id=request.id)
        if error.__cause__ is not None and error.status == 500:
            return traceback_page(error.__cause__, request, handler=handler)
        if is_missed and isinstance(error, NotFound | MethodNotAllowed):
            return not_found_page(
                error,
                method=request.method,
                path=request.path,
                routes=self._routes(),
                request_id=request.id,
            )
        return error_page(
            error, request_id=request.id, development=True, raised_at=raised_at(error)
        )


def development_problem(error: HTTPError) -> bytes:
    """The problem, and for a 500 the exception behind it."""
    cause = error.__cause__
    members = problem(error)
    if error.status == 500 and cause is not None:
        members["code"] = getattr(cause, "code", None) or members["code"]
        members["detail"] = said_by(cause)
    return encode_problem(members)


def said_by(error: BaseException) -> str:
    """Its class and its text; the class alone where its text cannot be had."""
    try:
        return f"{type(error).__name__}: {error}"
    except BaseException:  # noqa: BLE001 - the user's code may raise anything, SystemExit too
        return type(error).__name__


def raised_at(error: HTTPError) -> Place | None:
    """The innermost line of the user's code on the way to it; None when it was refused before any ran.

    The `yield` of a provider that was told of it is no such line: it raised nothing.
    """
    from kingpost.app.pages.report import is_at_yield, is_users

    place = None
    traceback = error.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if is_users(file) and not is_at_yield(traceback):
            place = Place(short_path(file), traceback.tb_lineno)
        traceback = traceback.tb_next
    return place
