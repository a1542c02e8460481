"""Answers of a handler, by its return annotation: which status, which media type, which fields."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, get_args, get_origin

from kingpost.app.encoding import (
    BYTES,
    HTML,
    JSON,
    STREAMS,
    TEXT,
    data_of_events,
    is_events,
    stream_media_type,
)
from kingpost.app.formats import Formats
from kingpost.app.plan import CompiledRoute
from kingpost.app.rendered import Rendered
from kingpost.binding.signature import EMPTY
from kingpost.errors import TITLES
from kingpost.html import Html
from kingpost.http.files import FileResponse
from kingpost.http.response import REDIRECT_STATUSES, Redirect, Response
from kingpost.http.sse import EVENT_STREAM, EventStream
from kingpost.openapi.components import WHOLE, Schema
from kingpost.openapi.schemas import Schemas
from kingpost.routing.route import Constant
from kingpost.schema.annotation import bare, class_of, is_union
from kingpost.schema.selection import Selection

ANY = "*/*"
TEXT_SCHEMA: Schema = {"type": "string"}


def responses_of(route: CompiledRoute, schemas: Schemas, returns: str = "") -> Schema:
    """The answers of a route that are no errors, by their status.

    Args:
        route: the route.
        schemas: where schemas of classes are kept.
        returns: what the docstring says of the answer.
    """
    handler: object = route.entry.handler
    found = Answers(schemas, route.answers.status)
    if isinstance(handler, Constant):
        found.constant(handler.response)
    else:
        found.of(route.binding.signature.returns)
        if route.formats is not None:
            found.negotiated(route.formats)
        if "status" not in route.entry.options and route.encoding.is_empty:
            found.content = {"204": {}}
    return {
        status: described(int(status), content, returns if int(status) < 300 else "")
        for status, content in sorted(found.content.items())
    }


class Answers:
    """Collects what a handler may answer with.

    Args:
        schemas: where schemas of classes are kept.
        status: of a plain value.
    """

    def __init__(self, schemas: Schemas, status: int) -> None:
        self._schemas = schemas
        self._status = str(status)
        self.content: dict[str, Schema] = {}

    def of(self, annotation: Any, selection: Selection = WHOLE) -> None:
        """Adds what values of an annotation are sent as."""
        if annotation is EMPTY or annotation in (Any, object):
            self.add(ANY, {})
            return
        stripped = bare(annotation)
        selection = selection.and_of(stripped.metadata)
        kind = stripped.type
        if kind is type(None) or kind is None:
            self.content.setdefault(self._status, {})
        elif is_union(kind):
            for each in get_args(kind):
                self.of(each, selection)
        else:
            self.single(annotation if not stripped.is_optional else kind, kind, selection)
        if stripped.is_optional and kind is not type(None):
            self.add(JSON, {"schema": {"type": "null"}})

    def single(self, annotation: Any, kind: Any, selection: Selection) -> None:
        origin: Any = get_origin(kind) or kind
        arguments = get_args(kind)
        if origin in STREAMS:
            self.stream(arguments[0] if arguments else EMPTY)
        elif origin is str:
            self.add(TEXT, {"schema": TEXT_SCHEMA})
        elif origin is bytes:
            self.add(BYTES, {})
        elif is_markup(origin):
            self.add(HTML, {"schema": TEXT_SCHEMA})
        elif isinstance(origin, type) and issubclass(origin, Response):
            self.response(origin, arguments)  # pyright: ignore[reportUnknownArgumentType] - of any content
        else:
            self.json(self._schemas.outgoing(annotation, selection))

    def response(self, origin: type[Response[Any]], arguments: tuple[Any, ...]) -> None:
        content = arguments[0] if arguments else Any
        if issubclass(origin, Redirect):
            is_said = int(self._status) in REDIRECT_STATUSES
            self.content.setdefault(self._status if is_said else "303", {})
        elif issubclass(origin, FileResponse):
            self.add(ANY, {})
            self.content.setdefault("206", {ANY: {}})
            for status in ("304", "416"):
                self.content.setdefault(status, {})
        elif issubclass(origin, EventStream):
            data = data_of_events(content) if is_events(content) else content
            self.add(EVENT_STREAM, {"x-itemSchema": self.event(data)})
        elif is_text(content):
            # Who makes a Response of text or bytes does it to say another media type.
            self.add(ANY, {})
        else:
            self.of(content)

    def stream(self, item: Any) -> None:
        """A stream; what one of its lines is, has a word of its own only from OpenAPI 3.2 on."""
        media_type = stream_media_type(item)
        if media_type is None:
            self.add(ANY, {})
        elif media_type in (TEXT, HTML):
            self.add(media_type, {"schema": TEXT_SCHEMA})
        elif media_type == BYTES:
            self.add(media_type, {})
        elif media_type == EVENT_STREAM:
            self.add(media_type, {"x-itemSchema": self.event(data_of_events(item))})
        else:
            self.add(media_type, {"x-itemSchema": self._schemas.outgoing(item)})

    def event(self, data: Any) -> Schema:
        """One event of a stream, as OpenAPI 3.2 describes it: an object of texts, of which the data may hold JSON."""
        kind = bare(data).type
        every = get_args(kind) if is_union(kind) else (data,)
        forms = [
            TEXT_SCHEMA
            if is_text(bare(each).type) or is_markup(bare(each).type)
            else {
                "type": "string",
                "contentMediaType": JSON,
                "contentSchema": self._schemas.outgoing(each),
            }
            for each in every
            if each is not Any
        ]
        plain = forms[0] if forms else TEXT_SCHEMA
        shown = plain if all(form == plain for form in forms) else {"anyOf": forms}
        return {
            "type": "object",
            "properties": {
                "data": shown,
                "event": TEXT_SCHEMA,
                "id": TEXT_SCHEMA,
                "retry": {"type": "integer", "minimum": 0},
            },
        }

    def json(self, schema: Schema) -> None:
        self.add(JSON, {"schema": schema} if schema else {})

    def add(self, media_type: str, made: Schema) -> None:
        """One more way to answer; of two with one media type either may come."""
        media_type = media_type.partition(";")[0]
        content = self.content.setdefault(self._status, {})
        earlier = content.get(media_type)
        if earlier is None or earlier == made:
            content[media_type] = made
        elif "schema" not in earlier or "schema" not in made:
            content[media_type] = {}
        else:
            members = [*earlier["schema"].get("anyOf", [earlier["schema"]]), made["schema"]]
            content[media_type] = {"schema": {"anyOf": members}}

    def negotiated(self, formats: Formats) -> None:
        """What is sent as JSON may be sent as other media types, too, or instead of it.

        Of plain values alone: a redirect, a part of a file, and an answer without content are written by nobody.
        """
        content = self.content.get(self._status)
        json = content.get(JSON) if content else None
        if not content or (json is None and not formats.is_said):
            return
        if formats.is_said:
            content.clear()
        for offer in formats.offers:
            page = {"schema": TEXT_SCHEMA} if offer.essence.startswith("text/") else {}
            content[offer.essence] = page if offer.is_page or json is None else json

    def constant(self, response: Response[Any]) -> None:
        """The one answer of a route that always gives the same."""
        self._status = str(response.status)
        self.content.setdefault(self._status, {})
        kind = class_of(response.content)
        if response.media_type is not None:
            is_json = kind not in (str, bytes, Html)
            self.add(response.media_type, {} if is_json else {"schema": TEXT_SCHEMA})
        elif response.content is not None:
            self.of(kind if kind not in (list, dict, set, tuple) else dict[str, Any])


def is_text(annotation: Any) -> bool:
    """Whether values of a type are text or bytes, in one or in pieces."""
    kind = bare(annotation).type
    if (get_origin(kind) or kind) in STREAMS:
        return all(is_text(each) for each in get_args(kind)[:1])
    return kind in (str, bytes)


def is_markup(kind: Any) -> bool:
    """Whether values know themselves as HTML, as htpy's and markupsafe's do."""
    return isinstance(kind, type) and (
        issubclass(kind, Html | Rendered) or hasattr(kind, "__html__")  # pyright: ignore[reportUnknownArgumentType] - of any class
    )


def described(status: int, content: Schema, words: str) -> Schema:
    made: Schema = {"description": words or reason_of(status)}
    if status in REDIRECT_STATUSES:
        text = {"type": "string", "format": "uri-reference"}
        made["headers"] = {"Location": {"description": "Where to go on.", "schema": text}}
    if content:
        made["content"] = content
    return made


def reason_of(status: int) -> str:
    """The words for a status."""
    if status in TITLES:
        return TITLES[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Success" if status < 300 else "Redirection" if status < 400 else "Error"
