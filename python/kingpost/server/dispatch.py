"""What a server asks of an application. The engine calls these, and nothing else; the App implements them in `kingpost.app.dispatch`."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol

from kingpost._native import Answer
from kingpost.http.request import Request
from kingpost.http.response import Response


class Dispatch(Protocol):
    """The questions that come up between a request and its answer."""

    @property
    def request_type(self) -> type[Request]:
        """The class of the requests that handlers see: a subclass of the engine's own."""
        ...

    @property
    def html_type(self) -> type[str]:
        """The str that is sent as text/html."""
        ...

    @property
    def response_type(self) -> type[Response[Any]]:
        """The class of answers that are sent without asking `answer` where their body is made."""
        ...

    @property
    def guard_all(self) -> bool:
        """Whether `guard` looks at every request, and not only at unsafe ones that carry cookies."""
        ...

    def json_encode(self, value: Any, /) -> bytes:
        """A value as JSON; raises TypeError for one that JSON cannot hold."""
        ...

    def answer(self, request: Request, plan: int, value: Any, /) -> Answer:
        """What a handler's value says, where the plan's own encoder does not take it. May raise: `fail` is asked then."""
        ...

    def fail(
        self, request: Request, plan: int | None, error: BaseException, /
    ) -> Answer | Awaitable[Answer]:
        """The answer to an exception; runs where the handler ran. `plan` is None where no route matched. Never raises."""
        ...

    def miss(
        self, request: Request, allowed: tuple[str, ...] | None, /
    ) -> Answer | Awaitable[Answer]:
        """The answer where no route matched: `allowed` has the methods of the path, None for a path that leads nowhere."""
        ...

    def guest_failed(self, request: Request, error: BaseException, /) -> None:
        """Told of what an application of others has raised, or has done against its interface; it is answered 500. Never raises."""
        ...

    def guard(self, request: Request, /) -> Answer | Awaitable[Answer] | None:
        """A refusal of the request as a whole, before its route is asked; None to let it pass."""
        ...
