"""The notice that `kingpost dev` puts on pages while the newest code does not run.

The old code keeps serving, and every HTML page that it answers carries a bar which says so. Decided against a page of
its own in place of the answer: then the site would be gone for the one person who needs it to look at, and a form that
is half filled in would be lost with a reload.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from kingpost import _native
from kingpost.server.child import Failure

_STYLE = (
    "all:initial;position:fixed;left:0;right:0;bottom:0;z-index:2147483647;max-height:50vh;overflow:auto;"
    "padding:12px 16px;background:#7a1022;color:#fff;font:14px/1.45 system-ui,sans-serif;"
    "box-shadow:0 -2px 12px rgba(0,0,0,.35)"
)


def bar(failure: Failure) -> bytes:
    """The notice as HTML, to stand at the end of a page.

    No script; a strict Content-Security-Policy of the page takes its looks, not its words.
    """
    return (
        f'\n<div role="alert" data-kingpost="notice" style="{_STYLE}">'
        "<strong>Your last change does not run.</strong> This page comes from the code before it."
        f'<details style="margin-top:6px"><summary style="cursor:pointer">{_escape(failure.summary)}</summary>'
        f'<pre style="font:12px/1.4 ui-monospace,monospace;white-space:pre-wrap">{_escape(failure.report)}</pre>'
        "</details></div>\n"
    ).encode("utf-8", "replace")


def _escape(text: str) -> str:
    for character, entity in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ('"', "&quot;"),
        ("'", "&#39;"),
    ):
        text = text.replace(character, entity)
    return text


class _Never(str):
    """The class of no value."""

    __slots__ = ()


class NoticedDispatch:
    """A dispatch whose HTML answers carry a notice while there is one. For development only: it looks at every answer.

    Everything that it does not change is the wrapped dispatch's own.

    Args:
        dispatch: What is wrapped.
        may_tell: Whether who asks for this host may read source code.
    """

    html_type = _Never
    response_type = _Never
    """No page, and no Response that middleware or hooks have seen, is sent before it was looked at here."""

    def __init__(self, dispatch: object, may_tell: Callable[[str], bool]) -> None:
        self._dispatch: Any = dispatch
        self._may_tell = may_tell
        self.notice: Failure | None = None
        """What to tell; None for nothing. May be set from any thread."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dispatch, name)

    def answer(self, request: Any, plan: int, value: object) -> _native.Answer:
        return self._noticed(request, self._dispatch.answer(request, plan, value))

    def fail(self, request: Any, plan: int | None, error: BaseException) -> object:
        return self._passed(request, self._dispatch.fail(request, plan, error))

    def miss(self, request: Any, allowed: tuple[str, ...] | None) -> object:
        return self._passed(request, self._dispatch.miss(request, allowed))

    def _passed(self, request: Any, answer: object) -> object:
        if isinstance(answer, _native.Answer):
            return self._noticed(request, answer)
        return self._awaited(request, answer)

    async def _awaited(self, request: Any, answer: object) -> _native.Answer:
        return self._noticed(request, await cast("Any", answer))

    def _noticed(self, request: Any, answer: _native.Answer) -> _native.Answer:
        failure = self.notice
        if failure is None or not _is_page(answer) or not self._may_tell(request.host):
            return answer
        body = cast("bytes", answer.body)
        return _native.Answer(answer.status, answer.headers, body + bar(failure))


def _is_page(answer: _native.Answer) -> bool:
    if not isinstance(answer.body, bytes) or not answer.body:
        return False
    fields = {name.lower(): value.lower() for name, value in answer.headers}
    return (
        fields.get("content-type", "").startswith("text/html") and "content-encoding" not in fields
    )
