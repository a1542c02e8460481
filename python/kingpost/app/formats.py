"""One handler, several media types: which one a client gets is chosen before the handler runs, by `Accept` or by the end of the path.

Rule 1: a route with `formats=` gives these, the first where the client wants several alike; below its path each has one of its own,
`/places.csv`, which gives that one whatever is accepted.
Rule 2: any other route whose answer is JSON gives what is registered with `app.extensions.codec` as well.
Rule 3: a client that accepts nothing of it is told so (406), where it can be known before the handler has done anything.
Rule 4: where the one that is wanted most has no form for a value, the client gets what it wants next; 406 where it wants nothing else.
Rule 5: what has said itself what it is stays that: a Response with a media type, an error; and, where nothing but codecs is registered,
text, pages, bytes and streams.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, Final, get_origin

import msgspec

from kingpost._native import Answer
from kingpost.app.answers import Answers, OutOfRange
from kingpost.app.calls import Call, Started
from kingpost.app.encoding import JSON, PLAIN, STREAMS, Encoding
from kingpost.binding.plan import Argument, Binding
from kingpost.binding.signature import EMPTY, Signature, signature_of
from kingpost.binding.sources import TheRequest
from kingpost.errors import NotAcceptable
from kingpost.http.accept import best_match
from kingpost.http.media.codec import Codec, Format, Writer
from kingpost.http.media.json import Json
from kingpost.http.media_type import MediaType
from kingpost.http.request import Request
from kingpost.http.response import NOSNIFF, Response, copy_of
from kingpost.http.vary import add_vary
from kingpost.routing.refusal import refused
from kingpost.routing.route import Constant
from kingpost.routing.table import Entry
from kingpost.schema.annotation import bare, class_of

REQUEST: Final = "kingpost_request_of_formats"
"""What the request is called that a handler with formats is given beside its own arguments."""
NEVER: Final = (type(None), Answer, Started, Iterator, AsyncIterator)
"""What is nobody's to write: nothing, what is an answer already, and what is sent piece by piece."""


VARY: Final = ("vary", "accept")


class Offer(msgspec.Struct, frozen=True):
    """One media type that a route gives.

    Attributes:
        essence: type/subtype.
        media_type: as it is sent.
        write: makes, of what a handler returned, the content of a response, or a response.
        is_page: whether `write` is a Format's: what it gives is not described by the handler's annotation.
    """

    essence: str
    media_type: str
    write: Callable[[Any], Any]
    is_page: bool = False


class Formats:
    """What a route may give.

    Args:
        offers: the first is the one that is preferred.
        answers: of the route.
        is_said: whether the route itself names them.
        is_asked: whether the path says which one is meant.
        is_known: whether every answer is one of them, by the handler's annotation.
    """

    def __init__(
        self,
        offers: Sequence[Offer],
        answers: Answers,
        *,
        is_said: bool,
        is_asked: bool,
        is_known: bool,
    ) -> None:
        self.offers = tuple(offers)
        self._status = answers.status
        self.is_said = is_said
        self._is_asked = is_asked
        self._varies = len(self.offers) > 1
        self.is_strict = is_known and not is_asked
        self._essences = [each.essence for each in self.offers]
        self.words = " or ".join(self._essences)

    def encoding(self, encoding: Encoding) -> Encoding:
        """How the values of the handler are sent, which have become responses by then."""
        words = f"{self.words}, as the client accepts it" if self._varies else self.words
        return msgspec.structs.replace(encoding, native="answer", words=words)

    def of_handler(self, call: Call, binding: Binding) -> tuple[Call, Binding]:
        """A handler whose answers are written, and its arguments."""
        wrapped = self._on_loop if call.kind == "async" else self._in_place
        argument = Argument(REQUEST, REQUEST, TheRequest())
        return (
            Call(wrapped(call.handler), call.kind, call.words),
            Binding(binding.signature, (*binding.arguments, argument)),
        )

    def _on_loop(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handler)
        async def call(*args: Any, **named: Any) -> Any:
            request = named.pop(REQUEST)
            offer = self.chosen(request)
            return self.written(request, await handler(*args, **named), offer)

        return call

    def _in_place(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handler)
        def call(*args: Any, **named: Any) -> Any:
            request = named.pop(REQUEST)
            offer = self.chosen(request)
            return self.written(request, handler(*args, **named), offer)

        return call

    def chosen(self, request: Request) -> Offer | None:
        """What the client wants most; None for nothing of it.

        Raises:
            NotAcceptable: it is nothing of it, and the answer could be nothing else.
        """
        if self._is_asked:
            return self.offers[0]
        best = best_match(request.headers.get("accept"), self._essences)
        if best is not None:
            return self.offers[self._essences.index(best)]
        if self.is_strict:
            raise self._unwanted()
        return None

    def written(self, request: Request, value: Any, offer: Offer | None) -> Any:
        """What a handler returned, as the client wants it.

        Args:
            request: the client's.
            value: what the handler returned.
            offer: what was chosen before it ran; None for nothing.

        Raises:
            NotAcceptable: it does not want any of it, or nothing that has a form for the value.
        """
        response: Response[Any] | None = as_response(value)
        content = value
        if response is not None:
            if class_of(response) is not Response or says_what_it_is(response):
                return response
            content = response.content
        if not self._is_ours(content):
            return value
        if offer is None:
            raise self._unwanted()
        try:
            made = offer.write(content)
        except OutOfRange as error:
            offer, made = self._next(request, content, offer, error)
        if response is None and isinstance(made, bytes):
            # Nearly every value: an answer as it leaves, where nobody has said anything else.
            vary = (VARY,) if self._varies else ()
            return Answer(self._status, [("content-type", offer.media_type), NOSNIFF, *vary], made)
        found = self._put(made, offer, response)
        if self._varies:
            add_vary(found.headers, "accept")
        return found

    def _next(
        self, request: Request, content: Any, offer: Offer, error: OutOfRange
    ) -> tuple[Offer, Any]:
        """The format that the client wants most of those that have a form for a value, and what it makes of it.

        Args:
            request: the client's.
            content: the value.
            offer: what has no form for it.
            error: why.

        Raises:
            NotAcceptable: it wants none of them. It is raised where the handler ran, so providers take back what they have begun.
        """
        rest = [each for each in self.offers if each is not offer]
        while rest:
            best = best_match(request.headers.get("accept"), [each.essence for each in rest])
            if best is None:
                break
            other = next(each for each in rest if each.essence == best)
            try:
                return other, other.write(content)
            except OutOfRange:
                rest.remove(other)
        told = f"{offer.essence} has no form for this answer"
        if rest:
            told = f"{told}; there is {' or '.join(each.essence for each in rest)}"
        refusal = NotAcceptable(told, headers={"Vary": "accept"})
        refusal.add_note(str(error))
        raise refusal from error

    def _put(self, made: Any, offer: Offer, response: Response[Any] | None) -> Response[Any]:
        """What was written, in the response that the handler has made, if it has made one."""
        found = as_response(made)
        if found is None:
            found = Response(None, status=self._status)
            if response is not None:
                found = copy_of(response)
                # Whoever keeps the response finds it as it was, for the next client may want another format.
                response.seal()
            found.content, found.media_type = made, offer.media_type
        elif response is not None:
            found.status = response.status
            for field in response.headers.pairs():
                found.headers.add(*field)
        return found

    def _is_ours(self, content: Any) -> bool:
        kind: object = class_of(content)
        if kind is dict or kind is list:
            return True
        if isinstance(content, NEVER) or inspect.iscoroutine(content):
            return False
        is_written = isinstance(content, str | bytes | bytearray | memoryview) or hasattr(
            content, "__html__"
        )
        return self.is_said or not is_written

    def _unwanted(self) -> NotAcceptable:
        return NotAcceptable(f"there is {self.words}", headers={"Vary": "accept"})


def as_response(value: Any) -> Response[Any] | None:
    """A value that is a response, for checkers that want to know of what; None for all else."""
    return value if isinstance(value, Response) else None  # pyright: ignore[reportUnknownVariableType] - any content


def says_what_it_is(response: Response[Any]) -> bool:
    return (
        response.encoded is not None
        or response.media_type is not None
        or (response.has_headers and "content-type" in response.headers)
    )


def formats_of(
    entry: Entry, signature: Signature, answers: Answers, codecs: Mapping[str, Codec]
) -> Formats | None:
    """What a route may give; None where it gives what it gives.

    Raises:
        RoutingError: `routing.bad-option` where a stream is to have formats.
    """
    said = entry.options.get("formats")
    if isinstance(entry.handler, Constant) or (said is None and not codecs):
        return None
    handler = entry.handler
    streams = inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler)
    if said is not None:
        if streams:
            raise refused(
                "routing.bad-option",
                f"the route option formats= is for what is returned, and {signature.name} yields",
                "return a list",
                places=[entry.place],
            )
        offers = [offer_of(each, answers) for each in said]
        return Formats(
            offers,
            answers,
            is_said=True,
            is_asked=bool(entry.extension),
            is_known=True,
        )
    if streams or not may_be_json(signature.returns):
        return None
    offers = [offer_of(each, answers) for each in (Json(), *codecs.values())]
    is_known = answers.encoding.shape is not None or answers.encoding.native == "json"
    return Formats(offers, answers, is_said=False, is_asked=False, is_known=is_known)


def offer_of(given: Writer | Format[Any], answers: Answers) -> Offer:
    essence = essence_of(given.media_type)
    if isinstance(given, Format):
        media_type = given.media_type
        if essence.startswith("text/") and "charset" not in media_type:
            media_type += "; charset=utf-8"
        return Offer(essence, media_type, given.write, is_page=True)
    if isinstance(given, Json):
        return Offer(essence, JSON, answers.json)
    return Offer(essence, given.media_type, functools.partial(answers.encoded, given))


def essence_of(media_type: str) -> str:
    parsed = MediaType.parse(media_type)
    return media_type if parsed is None else parsed.essence


def may_be_json(returns: Any) -> bool:
    """Whether values of a return annotation may be sent as JSON."""
    if returns is EMPTY or returns in (Any, object):
        return True
    kind = bare(returns).type
    origin = get_origin(kind) or kind
    if origin in PLAIN or origin in STREAMS or kind is type(None) or kind is None:
        return False
    is_class = isinstance(origin, type)
    return not is_class or not issubclass(origin, Response) or origin is Response


def functions_of(entry: Entry) -> list[Callable[..., Any]]:
    """The functions of a route's formats, whose answers may have to be rendered."""
    return [each.write for each in entry.options.get("formats", ()) if isinstance(each, Format)]


def with_extensions(entries: Sequence[Entry]) -> list[Entry]:
    """Routes, each followed by one for every format that has an extension: `/places`, `/places.csv`."""
    found: list[Entry] = []
    for entry in entries:
        found.append(entry)
        if may_be_extended(entry):
            formats = entry.options.get("formats", ())
            found += [extended(entry, each) for each in formats if each.extension]
    return found


def may_be_extended(entry: Entry) -> bool:
    """Whether something can stand behind a path: not behind a slash, nor behind what takes all the rest."""
    return not entry.path.endswith("/") and not entry.path.endswith(":path}")


def extended(entry: Entry, given: Writer | Format[Any]) -> Entry:
    options = {**entry.options, "formats": (given,), "openapi": False}
    return msgspec.structs.replace(
        entry,
        path=f"{entry.path}.{given.extension}",
        name=None if entry.name is None else f"{entry.name}.{given.extension}",
        options=options,
        extension=given.extension,
    )


def check_write(entry: Entry) -> None:
    """Refuses functions of formats that cannot be called with one value.

    Raises:
        SignatureError: `binding.format`.
    """
    for function in functions_of(entry):
        signature = signature_of(function)
        positional = [
            each
            for each in signature.parameters
            if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD, each.VAR_POSITIONAL)
        ]
        required = [
            each
            for each in signature.parameters
            if each.default is EMPTY and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
        ]
        is_one = (
            bool(positional)
            and len(required) <= 1
            and not any(each.kind is each.KEYWORD_ONLY for each in required)
        )
        if not is_one or inspect.iscoroutinefunction(function):
            raise signature.refused(
                "binding.format",
                "a format is made by a def that takes what the handler returned",
                "write def f(value: …) -> Html",
                places=[entry.place],
            )
