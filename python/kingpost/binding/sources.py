"""Where a parameter comes from: one class for each source.

Each reads its value from a request, adds to the errors what is wrong with it, and offers the engine a short cut (`binder`), which may
take less than `read` takes but never anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import msgspec

from kingpost import _native
from kingpost.binding.body import TypedBody
from kingpost.errors import FieldError, NotFound
from kingpost.http.request import Request
from kingpost.http.stream import BodyStream
from kingpost.http.websocket import Messages, WebSocket
from kingpost.schema.problems import Location, Refused, field_error
from kingpost.schema.text import BrokenRules, Scalar

REQUIRED: Final = _native.REQUIRED

Errors = list[FieldError]
Binder = tuple[Any, ...]


class Source(Protocol):
    """What every source can do."""

    @property
    def words(self) -> str:
        """What `kingpost routes explain` says of it."""
        ...

    def read(self, request: Request, errors: Errors) -> Any:
        """The value; with errors added to `errors`, anything.

        Raises:
            HTTPError: where nothing else of the request matters any more: 404, 400, 415.
        """
        ...

    def binder(self, keyword: str | None) -> Binder | None:
        """The engine's short cut; None where there is none."""
        ...


def read_text(convert: Callable[[str], object], text: str, at: Location, errors: Errors) -> Any:
    try:
        return convert(text)
    except Refused as refused:
        errors.extend(
            field_error(at, code, message, given=text) for code, message in refused.problems
        )
        return None


class Unhurried(msgspec.Struct, frozen=True):
    """A source that the engine has no short cut for."""

    def binder(self, keyword: str | None) -> Binder | None:
        return None


class FromPath(msgspec.Struct, frozen=True):
    """A parameter of the path. What does not convert is no page of this site: 404."""

    name: str
    convert: Callable[[str], object]
    native: str | Callable[[str], object]
    kind: str

    @property
    def words(self) -> str:
        return f"path {{{self.name}}}: {self.kind}"

    def read(self, request: Request, errors: Errors) -> Any:
        text = request.path_params[self.name]
        try:
            return self.convert(text)
        except BrokenRules as broken:
            errors.extend(
                field_error(("path", self.name), *problem, given=text)
                for problem in broken.problems
            )
            return None
        except (ValueError, ArithmeticError):
            raise NotFound(f"{text[:100]!r} is not {self.kind}") from None

    def binder(self, keyword: str | None) -> Binder | None:
        return ("path", self.name, self.native, keyword)


class FromHost(Unhurried, frozen=True):
    """A parameter of the host. What does not convert is no host of this site: 404."""

    name: str
    scalar: Scalar
    default: Any

    @property
    def words(self) -> str:
        default = "" if self.default is REQUIRED else f", {self.default!r} where it has none"
        return f"host {{{self.name}}}: {self.scalar.words}{default}"

    def read(self, request: Request, errors: Errors) -> Any:
        text = request.path_params.get(self.name)
        if text is None:
            return self.default
        try:
            return self.scalar.convert(text)
        except (ValueError, ArithmeticError, Refused):
            raise NotFound(f"{text[:100]!r} is not {self.scalar.words}") from None


class FromBody(msgspec.Struct, frozen=True):
    """The body, as one value."""

    body: TypedBody
    default: Any

    @property
    def words(self) -> str:
        default = "" if self.default is REQUIRED else f", {self.default!r} if empty"
        return f"body: {self.body.words} as {self.body.formats}{default}"

    def read(self, request: Request, errors: Errors) -> Any:
        if not request.body:
            if self.default is REQUIRED:
                errors.append(field_error(("body",), "missing"))
            return self.default
        value, broken = self.body.read(request)
        errors.extend(broken)
        return value

    def binder(self, keyword: str | None) -> Binder | None:
        return ("body", self.body.native, keyword)


class TheRequest(msgspec.Struct, frozen=True):
    """The request itself."""

    words: str = "the request"

    def read(self, request: Request, errors: Errors) -> Any:
        return request

    def binder(self, keyword: str | None) -> Binder | None:
        return ("request", keyword)


class TheWebSocket(Unhurried, frozen=True):
    """The WebSocket that the request asks for."""

    messages: Messages
    spoken: Sequence[str]
    """The subprotocols of the route, what it prefers first."""

    @property
    def words(self) -> str:
        return f"the WebSocket: {self.messages.words}"

    def read(self, request: Request, errors: Errors) -> Any:
        socket = request.websocket
        if socket is None:
            raise RuntimeError("the route is a WebSocket's, and the request asks for none")
        talk: WebSocket[Any, Any] = WebSocket(request, socket, self.messages, self.spoken)
        # Who answers for an exception has to know whether the handshake was answered.
        socket.talk = talk
        return talk


class TheContext(Unhurried, frozen=True):
    """The object that traversal has found."""

    words: str

    def read(self, request: Request, errors: Errors) -> Any:
        return request.context


class TheBodyStream(Unhurried, frozen=True):
    """The unread body, chunk by chunk."""

    words: str = "body: unread, as a stream"

    def read(self, request: Request, errors: Errors) -> Any:
        unread = request.unread
        if unread is None:
            raise RuntimeError("the route streams its body, and the engine has read it")
        return BodyStream(unread)


class Constant(msgspec.Struct, frozen=True):
    """Something of the App that is there before the first request, such as its settings."""

    value: Any
    words: str

    def read(self, request: Request, errors: Errors) -> Any:
        return self.value

    def binder(self, keyword: str | None) -> Binder | None:
        return ("constant", self.value, keyword)


class Made(Unhurried, frozen=True):
    """A source that is not read from the request: the route's program has it."""

    def read(self, request: Request, errors: Errors) -> Any:
        raise RuntimeError(f"{type(self).__name__} is given by the route's program, not read")


class FromProvider(Made, frozen=True):
    """What a provider makes, for this request or for the whole life of the App."""

    node: Any
    """The provider with its own arguments: `kingpost.injection.graph.Node`."""
    name: str

    @property
    def words(self) -> str:
        return f"made by {self.name}()"


class TheBackground(Made, frozen=True):
    """What is to be done after the answer."""

    words: str = "work for after the answer"


class TheResponse(Made, frozen=True):
    """The response, for what runs after the handler."""

    words: str = "the response"


class TheError(Made, frozen=True):
    """The exception, for an error handler."""

    words: str = "the error"
