"""htmx: what it says of a request, and what it is told by an answer (https://htmx.org/reference/#headers).

Rule 1: an answer that depends on who asks says so: `Vary` names what tells a page from its blocks where a handler has looked, so that no cache,
a browser's own least of all, gives a block to somebody who wants the page, or another block.
Rule 2: a browser without JavaScript sends none of these fields, and gets the page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal, Self, TypeAlias, TypeVar
from urllib.parse import unquote

import msgspec

from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.http.url import encode_reference, leaves_site
from kingpost.http.vary import add_vary

R = TypeVar("R", bound=Response[Any])

Swap: TypeAlias = Literal[
    "innerHTML",
    "outerHTML",
    "textContent",
    "innerMorph",
    "outerMorph",
    "beforebegin",
    "afterbegin",
    "beforeend",
    "afterend",
    "delete",
    "none",
]
"""How the answer is put into the page; htmx 4 knows the two that morph."""
Moment: TypeAlias = Literal["received", "swapped", "settled"]
"""When an event is triggered: at once, when the answer is in the page, or when its transitions are over."""

ASKS: Final = (
    "hx-request",
    "hx-request-type",
    "hx-boosted",
    "hx-history-restore-request",
    "hx-target",
)
"""The fields that say what is wanted: a page, or which part of it."""
ASKED: Final = "kingpost.htmx"
"""Kept in `request.cache` where somebody has looked."""
TRIGGERS: Final[Mapping[Moment, str]] = {
    "received": "hx-trigger",
    "swapped": "hx-trigger-after-swap",
    "settled": "hx-trigger-after-settle",
}


class HtmxRequest(msgspec.Struct, frozen=True):
    """What htmx says of a request. A handler that names it gets it, where `Templates` is installed.

    Attributes:
        is_htmx: whether htmx asks.
        is_boosted: whether it does so in the place of a link or form with `hx-boost`, which wants a page.
        is_history_restore: whether it wants a page that its history has lost.
        is_whole: whether it says itself that it takes a page (htmx 4).
        current_url: the address of the browser; None where it is not said.
        prompt: what the person answered to `hx-prompt` (htmx 2).
        target: the id of the element that the answer is for.
        trigger: the id of the element that asks.
        trigger_name: its name (htmx 2).
    """

    is_htmx: bool = False
    is_boosted: bool = False
    is_history_restore: bool = False
    is_whole: bool = False
    current_url: str | None = None
    prompt: str | None = None
    target: str | None = None
    trigger: str | None = None
    trigger_name: str | None = None

    @classmethod
    def of(cls, request: Request) -> HtmxRequest:
        """What a request's fields say; the answer to it gets a `Vary` that names those which tell a page from its parts."""
        request.cache[ASKED] = True
        if request.headers.get("hx-request") != "true":
            return NOT_HTMX
        return cls(
            is_htmx=True,
            is_boosted=request.headers.get("hx-boosted") == "true",
            is_history_restore=request.headers.get("hx-history-restore-request") == "true",
            is_whole=request.headers.get("hx-request-type") == "full",
            current_url=text_of(request, "current-url"),
            prompt=text_of(request, "prompt"),
            target=id_in(text_of(request, "target")),
            trigger=id_in(text_of(request, "trigger") or text_of(request, "source")),
            trigger_name=text_of(request, "trigger-name"),
        )

    @property
    def wants_block(self) -> bool:
        """Whether a part of the page is enough: htmx asks, and not in the place of a link or of its history."""
        return self.is_htmx and not (self.is_boosted or self.is_history_restore or self.is_whole)


NOT_HTMX: Final = HtmxRequest()


def id_in(element: str | None) -> str | None:
    """The id of an element as htmx 4 names it, `button#save`; htmx 2 gives the id alone."""
    return None if element is None else element.rpartition("#")[2]


def text_of(request: Request, name: str) -> str | None:
    """A field of htmx's; what no field can hold it sends percent-encoded, and says so."""
    text: str | None = request.headers.get(f"hx-{name}")
    if text is not None and request.headers.get(f"hx-{name}-uri-autoencoded") == "true":
        return unquote(text)
    return text


def note_in_vary(request: Request, response: Response[Any]) -> None:
    """Tell caches that the answer depends on who asks, where a handler has looked."""
    if ASKED in request.cache:
        add_vary(response.headers, *ASKS)


class Htmx(msgspec.Struct, frozen=True):
    """Tells htmx what to do with an answer; browsers without it do not see this.

    Each method gives itself back, so that calls can be chained; `response` is what to return.

    Args:
        response: what the handler returns.

    Example:
        >>> from kingpost.templates import Htmx, Template
        >>> told = Htmx(Template("todos.html#row")).trigger("saved", id=3).push_url("/todos/3")
        >>> told.response.headers["hx-trigger"], told.response.headers["hx-push-url"]
        ('{"saved": {"id": 3}}', '/todos/3')
    """

    response: Response[Any]

    def trigger(self, event: str, /, *, when: Moment = "received", **detail: object) -> Self:
        """Trigger an event on the element that asked; several may be.

        Args:
            event: its name.
            when: at which moment; htmx 4 knows the first alone.
            detail: what the event's `detail` has, as JSON has it.
        """
        field = TRIGGERS[when]
        events: dict[str, Any] = json.loads(self.response.headers.get(field, "{}"))
        events[event] = detail
        # Header fields are ASCII: what is not is written as \\u escapes.
        self.response.headers[field] = json.dumps(events)
        return self

    def redirect(self, location: str) -> Self:
        """Have the browser load another page of this site.

        Raises:
            ValueError: the location could lead elsewhere.
        """
        return self._url("hx-redirect", location)

    def location(
        self, location: str, *, target: str | None = None, swap: Swap | None = None
    ) -> Self:
        """Have htmx fetch a page of this site and show it, without the browser loading it anew.

        Args:
            location: its address, which goes into the browser's line and history.
            target: where it is put, a CSS selector; the body if not said.
            swap: how it is put in.

        Raises:
            ValueError: the location could lead elsewhere.
        """
        self._url("hx-location", location)
        options = {"target": target, "swap": swap}
        said = {name: value for name, value in options.items() if value is not None}
        if said:
            path = self.response.headers["hx-location"]
            return self._set("hx-location", json.dumps({"path": path, **said}))
        return self

    def refresh(self) -> Self:
        """Have the browser load its page anew."""
        return self._set("hx-refresh", "true")

    def push_url(self, location: str | None) -> Self:
        """Put another address into the browser's line and history; None: leave it as it is.

        Raises:
            ValueError: the location could lead elsewhere.
        """
        return self._url("hx-push-url", location)

    def replace_url(self, location: str | None) -> Self:
        """As `push_url`, in the place of the present address.

        Raises:
            ValueError: the location could lead elsewhere.
        """
        return self._url("hx-replace-url", location)

    def retarget(self, selector: str) -> Self:
        """Put the answer into another element: a CSS selector."""
        return self._set("hx-retarget", selector)

    def reswap(self, how: Swap) -> Self:
        """Put the answer in in another way."""
        return self._set("hx-reswap", how)

    def reselect(self, selector: str) -> Self:
        """Take another part of the answer: a CSS selector."""
        return self._set("hx-reselect", selector)

    def _set(self, field: str, value: str) -> Self:
        self.response.headers[field] = value
        return self

    def _url(self, field: str, location: str | None) -> Self:
        if location is None:
            return self._set(field, "false")
        reason = leaves_site(location)
        if reason:
            raise ValueError(f"htmx cannot be sent to {location!r}: {reason}")
        return self._set(field, encode_reference(location))
