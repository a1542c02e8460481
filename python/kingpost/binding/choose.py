"""Where a parameter comes from, chosen by its marker, its name and its type, in this order.

First match wins: a marker; its name stands in the path; Request, BodyStream and the App's settings; a scalar, from the query; a
model, from the body. What matches nothing is refused, with the spellings that would work. Nothing is guessed.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from kingpost.binding.body import TypedBody, is_model
from kingpost.binding.fields import (
    FromFile,
    FromModel,
    FromText,
    FromTexts,
    PlaceName,
    TheForm,
    TheMultipart,
    wire_name,
)
from kingpost.binding.markers import (
    MARKERS,
    Body,
    Cookie,
    Depends,
    File,
    Form,
    Header,
    Marker,
    Path,
    Query,
)
from kingpost.binding.offer import Offer, PathParameter
from kingpost.binding.signature import EMPTY, Signature
from kingpost.binding.sources import (
    REQUIRED,
    Constant,
    FromBody,
    FromHost,
    FromPath,
    Source,
    TheBackground,
    TheBodyStream,
    TheContext,
    TheRequest,
    TheResponse,
    TheWebSocket,
)
from kingpost.errors import SignatureError
from kingpost.http.background import BackgroundTasks
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.http.stream import BodyStream
from kingpost.http.uploads import MultipartStream, UploadFile
from kingpost.http.websocket import WebSocket
from kingpost.schema import (
    ChoiceType,
    ModelType,
    OpaqueType,
    TextReader,
    describe,
    type_of,
)
from kingpost.schema.annotation import Bare, bare, is_below, list_of, spelled
from kingpost.schema.model import types_in
from kingpost.schema.text import Scalar, ruled, scalar_of
from kingpost.types import WEBSOCKET

WITHOUT_BODY = ("GET", "HEAD", "DELETE", "OPTIONS", WEBSOCKET)
"""Methods whose content means nothing (RFC 9110 section 9.3)."""


class Chooser:
    """Finds the source of one parameter."""

    def __init__(self, signature: Signature, offer: Offer, parameter: inspect.Parameter) -> None:
        self.signature = signature
        self.offer = offer
        self.parameter = parameter
        self.name = parameter.name
        self.annotation: Any = parameter.annotation
        self.bare: Bare = bare(parameter.annotation)

    def source(self) -> Source:
        if self.parameter.kind in (self.parameter.VAR_POSITIONAL, self.parameter.VAR_KEYWORD):
            raise self.signature.refused(
                "binding.star-parameter",
                f"{self.parameter} takes whatever comes, and a request is read by name and type",
                "name the parameters",
                "put @functools.wraps(function) above it, where it wraps a function that names them",
            )
        marker = self.marker()
        if marker is not None:
            return self.marked(marker)
        if self.name in self.offer.path:
            return self.from_path()
        if self.name in self.offer.host:
            return self.from_host()
        if self.offer.context is not None and self.is_context(self.offer.context):
            return TheContext(f"the {self.offer.context.__name__} at the end of the path")
        if self.annotation is EMPTY:
            return self.unannotated()
        if self.bare.type in MARKERS:
            raise self.marker_as_a_type(self.bare.type)
        return self.from_websocket() or self.framework() or self.provided() or self.from_request()

    def from_request(self) -> Source:
        """What the client sends, where the type alone says so."""
        self.check_unread()
        return (
            self.from_upload()
            or self.texts("query", self.name, None)
            or self.from_body()
            or self.nowhere()
        )

    def marker(self) -> Marker | None:
        if any(item in MARKERS for item in self.bare.metadata if isinstance(item, type)):
            raise self.signature.refused(
                "binding.bad-marker",
                f"{self.name} is marked with a class",
                "call it: Query(), Body() or Path()",
            )
        markers: list[Marker] = [item for item in self.bare.metadata if isinstance(item, MARKERS)]  # pyright: ignore[reportUnknownVariableType] - Form is generic as a type only
        if len(markers) > 1:
            raise self.signature.refused(
                "binding.bad-marker",
                f"{self.name} is marked {' and '.join(map(repr, markers))}",
                "keep one of them",
            )
        return markers[0] if markers else None

    def marked(self, marker: Marker) -> Source:
        if isinstance(marker, Depends):
            return self.depends(marker)
        if isinstance(marker, Path):
            if self.name in self.offer.host:
                return self.from_host()
            if self.name not in self.offer.path:
                raise self.signature.refused(
                    "binding.bad-marker",
                    f"{self.name} is marked Path(), and the path has no {{{self.name}}}",
                    "add it to the path",
                )
            return self.from_path()
        if self.name in self.offer.path:
            raise self.signature.refused(
                "binding.bad-marker",
                f"{self.name} is marked {marker!r}, and stands in the path",
                "rename one of the two",
            )
        if isinstance(marker, File):
            return self.from_file(marker.alias or self.name)
        return self.body() if isinstance(marker, Body) else self.from_texts(marker)

    def from_texts(self, marker: Query | Header | Cookie | Form[Any]) -> Source:
        """A parameter that is marked with a place where texts stand."""
        place, name, separator = self.place_of(marker)
        if isinstance(marker, Header | Cookie):
            self.check_security(marker, place, name)
        if place == "form":
            self.check_verbs()
        plain = self.texts(place, name, separator)
        if plain is not None:
            return plain
        if place == "form" and self.is_file():
            return self.from_file(name)
        below = name if isinstance(marker, Query) and not marker.flat else None
        return self.from_model(place, without_marker(self.bare.type), below)

    def check_security(self, marker: Header | Cookie, place: PlaceName, name: str) -> None:
        said: object = marker.security
        if said in (None, "apiKey") or (
            said in ("basic", "bearer") and (place, name) == ("header", "authorization")
        ):
            return
        raise self.signature.refused(
            "binding.bad-marker",
            f"{self.name} is marked security={said!r}, and it is the {place} {name!r}",
            'write security="apiKey" for a key in a header field or a cookie',
            'Header("authorization", security="basic") or "bearer" for what HTTP has for it',
        )

    def texts(self, place: PlaceName, name: str, separator: str | None) -> Source | None:
        """A scalar, or a list of scalars; None for all else."""
        scalar = scalar_of(self.annotation)
        if scalar is not None:
            self.check_rules()
            default = self.default()
            self.check_default(scalar, default)
            return FromText(place, name, scalar, default)
        listed = list_of(self.bare.type)
        item = None if listed is None else scalar_of(listed[1])
        if listed is None or item is None:
            return None
        self.check_rules()
        return FromTexts(place, name, item, listed[0], self.bare.rules, self.default(), separator)

    def is_file(self) -> bool:
        """Whether the parameter is a file, or a list of files."""
        listed = list_of(self.bare.type)
        return UploadFile in (self.bare.type, None if listed is None else listed[1])

    def place_of(
        self, marker: Query | Header | Cookie | Form[Any]
    ) -> tuple[PlaceName, str, str | None]:
        if isinstance(marker, Query):
            return "query", marker.alias or self.name, marker.separator
        if isinstance(marker, Header):
            # "a recipient MAY combine multiple field lines … separated by a comma" (RFC 9110 section 5.3)
            return "header", (marker.name or wire_name("header", self.name)).lower(), ","
        if isinstance(marker, Cookie):
            return "cookie", marker.name or self.name, ","
        return "form", marker.alias or self.name, None

    def from_model(self, place: PlaceName, annotation: Any, below: str | None) -> FromModel:
        try:
            reader = TextReader(annotation, handed=(UploadFile,) if place == "form" else ())
            # Of a mapping, this says that it has no fields.
            kind = reader.type if isinstance(reader.type, ModelType) else None
            model = describe(annotation) if kind is None else kind.model
            names = [field.alias for field in model.fields]
        except TypeError as error:
            raise self.signature.refused(
                "binding.text-type",
                f"{self.name} cannot be read from the {place}: {error}",
                "use a scalar, a list of scalars or a class with named fields",
            ) from error
        except NameError as error:
            raise self.unresolved(error) from error
        return FromModel(place, reader, spelled(annotation), below, names, self.default())

    def from_file(self, name: str) -> Source:
        if not self.is_file():
            raise self.signature.refused(
                "binding.file-type",
                f"{self.name} is a file of a form, and {spelled(self.annotation)} is none",
                f"write {self.name}: UploadFile",
                f"{self.name}: list[UploadFile]",
            )
        self.check_verbs()
        return FromFile(name, self.bare.type is not UploadFile, self.default())

    def depends(self, marker: Depends) -> Source:
        if not callable(marker.provider):
            raise self.signature.refused(
                "injection.no-function",
                f"{self.name} is marked {marker!r}, and that is no function",
                "write Depends(function), without calling it",
            )
        if self.offer.depends is None:
            return self.nowhere()
        return self.offer.depends(marker.provider)

    def provided(self) -> Source | None:
        """What a provider makes. A class that only a provider elsewhere makes is never read from a request."""
        found = None if self.offer.provided is None else self.offer.provided(self.annotation)
        if found is not None:
            return found
        self.check_no_plugin()
        if self.offer.provided is None:
            return None
        place = None if self.offer.provided_at is None else self.offer.provided_at(self.bare.type)
        if place is None:
            return None
        if self.bare.is_optional and self.offer.provided(self.bare.type) is not None:
            raise self.signature.refused(
                "injection.not-visible",
                f"{self.name} is {spelled(self.annotation)}, and what is provided is {spelled(self.bare.type)}: "
                "with None it is a type of its own",
                f"provide {spelled(self.annotation)}, too",
                f"write {self.name}: {spelled(self.bare.type)}",
                places=[place],
            )
        raise self.signature.refused(
            "injection.not-visible",
            f"{self.name} is {spelled(self.annotation)}, which a provider makes that this route does not see",
            "register the provider on the App, or on the blueprint of this route",
            f"write Annotated[{spelled(self.annotation)}, Depends(…)]",
            places=[place],
        )

    def check_unread(self) -> None:
        """Refuses a type that leads to a class which no client may send, at any depth."""
        if self.offer.unread is None:
            return
        is_form = get_origin(self.bare.type) is Form
        wanted: Any = get_args(self.bare.type)[0] if is_form else without_marker(self.annotation)
        for kind in classes_in(wanted):
            found = self.offer.unread(kind)
            if found is None:
                continue
            name = spelled(kind)
            what = "that" if kind is self.bare.type else f"the {name} in it"
            below = "" if name == found.name else f" ({name} is a {found.name})"
            marker = "Form()" if is_form else "Body()"
            raise self.signature.refused(
                "injection.never-read",
                f"{self.name} is {spelled(self.annotation)}, and no client may send {what}: {found.because}{below}",
                "name a class of your own that has only what a client may send",
                f"write {self.name}: Annotated[{spelled(wanted)}, {marker}] if a client may send all of it",
                places=[found.place],
            )

    def check_no_plugin(self) -> None:
        """Refuses a plugin that nobody has installed: it gives itself to handlers, or is an object of the module's."""
        kind: Any = get_origin(self.bare.type) or self.bare.type
        if not isinstance(kind, type) or not callable(getattr(kind, "install", None)):
            return
        if not hasattr(kind, "requires"):
            return
        name = kind.__name__
        if isinstance(getattr(kind, "name", None), str):
            raise self.signature.refused(
                "injection.not-installed",
                f"{self.name} is {name}, a plugin that the App does not have",
                f"write App(plugins=[{name}()])",
            )
        raise self.signature.refused(
            "injection.not-installed",
            f"{self.name} is {spelled(self.annotation)}, a plugin, and no provider makes one",
            f"make it at the top of the module, install it, App(plugins=[{self.name}]), and use it in the handler without a parameter",
        )

    def from_path(self) -> Source:
        offered = self.offer.path[self.name]
        if self.parameter.default is not EMPTY:
            raise self.signature.refused(
                "binding.default-in-path",
                f"{self.name} stands in the path, so it is always given and its default is never used",
                f"write {shown_without_default(self.parameter)}",
            )
        if self.annotation is EMPTY or self.bare.type in (Any, object):
            return FromPath(
                self.name, offered.convert or str, offered.native, offered.kind or "str"
            )
        # The built-in converters of text take text as it is: then the annotation may say more.
        if offered.convert is None or (offered.type is str and offered.native == "str"):
            return self.path_scalar(offered)
        if not is_same(offered.type, self.bare.type):
            raise self.signature.refused(
                "binding.path-type",
                f"the path says {{{self.name}:{offered.kind}}}, which gives {spelled(offered.type)}, "
                f"and the parameter says {spelled(self.annotation)}",
                f"write {self.name}: {spelled(offered.type)}",
                "take the converter out of the path",
            )
        rules = self.bare.rules
        if not rules:
            return FromPath(self.name, offered.convert, offered.native, offered.kind)
        self.check_rules()
        convert = ruled(
            Scalar(offered.type, offered.kind, offered.convert, offered.native), rules
        ).convert
        return FromPath(self.name, convert, convert, offered.kind)

    def is_context(self, context: type[Any]) -> bool:
        """Whether the parameter is the object that traversal finds."""
        kind: object = self.bare.type
        if self.name == "context":
            if (
                isinstance(kind, type)
                and self.annotation is not EMPTY
                and not is_below(context, kind)
            ):  # pyright: ignore[reportUnnecessaryComparison] - EMPTY is a class to Python
                raise self.signature.refused(
                    "binding.context",
                    f"context is {spelled(self.annotation)}, and the view is for {context.__name__}",
                    f"write context: {context.__name__}",
                )
            return True
        return kind is context

    def from_host(self) -> Source:
        scalar = scalar_of(str if self.annotation is EMPTY else self.annotation)
        if scalar is None:
            raise self.signature.refused(
                "binding.path-type",
                f"{self.name} stands in the host, and no text becomes {spelled(self.annotation)}",
                f"write {self.name}: str",
            )
        self.check_rules()
        default = self.default()
        self.check_default(scalar, default)
        if default is REQUIRED and not self.offer.host[self.name]:
            raise self.signature.refused(
                "binding.host-parameter",
                f"not every host of the route has {{{self.name}}}",
                f"write {self.name}: {spelled(self.annotation)} | None = None",
            )
        return FromHost(self.name, scalar, default)

    def path_scalar(self, offered: PathParameter) -> Source:
        scalar = scalar_of(self.annotation)
        if scalar is None:
            raise self.signature.refused(
                "binding.path-type",
                f"{self.name} stands in the path, and no text becomes {spelled(self.annotation)}",
                f"write {self.name}: str, int, float, bool, a UUID, date, Decimal, enum or Literal",
                'give the path a converter of your own: App(converters={"…": …})',
            )
        self.check_rules()
        if scalar.is_text and offered.convert is not None:
            return FromPath(self.name, scalar.convert, scalar.native, offered.kind)
        return FromPath(self.name, scalar.convert, scalar.native, scalar.words)

    def unannotated(self) -> Source:
        if self.name == "request" and self.parameter.default is EMPTY:
            return TheRequest()
        raise self.signature.refused(
            "binding.unannotated",
            f"{self.name} has no type, so nothing says where it comes from",
            f"write {self.name}: str to read it from the query",
            f"{self.name}: SomeStruct to read it from the body",
            "request: Request for the request itself",
        )

    def from_upload(self) -> Source | None:
        """What is a form by its type: a file, files, `Form[T]`, the unread form."""
        kind = self.bare.type
        if self.is_file():
            return self.from_file(self.name)
        if kind is MultipartStream:
            self.check_verbs()
            return TheMultipart(self.offer.form)
        if get_origin(kind) is Form:
            self.check_verbs()
            return TheForm(self.from_model("form", get_args(kind)[0], None))
        return None

    def framework(self) -> Source | None:
        kind = self.bare.type
        if self.offer.has_response and (get_origin(kind) or kind) is Response:
            return TheResponse()
        if not isinstance(kind, type):
            return None
        if kind is Request:
            return TheRequest()
        if kind is BodyStream:
            self.check_verbs()
            return TheBodyStream()
        if kind is BackgroundTasks and self.offer.provided is not None:
            return TheBackground()
        return self.constant(kind)

    def from_websocket(self) -> Source | None:
        if (get_origin(self.bare.type) or self.bare.type) is not WebSocket:
            return None
        received, sent = get_args(self.bare.type) or (str, str)
        offered = self.offer.websocket
        if offered is None:
            raise self.signature.refused(
                "binding.websocket",
                f"{self.name} is a WebSocket, and nobody asks for one here",
                f"register {self.signature.name} with @app.websocket(path)",
            )
        if offered.handler is not self.signature:
            raise self.signature.refused(
                "binding.websocket",
                f"{self.name} is the WebSocket, which the handler has: {offered.handler.name}",
                "ask for the request: request: Request",
            )
        for kind in classes_in(received):
            found = None if self.offer.unread is None else self.offer.unread(kind)
            if found is not None:
                raise self.signature.refused(
                    "injection.never-read",
                    f"{self.name} receives {spelled(received)}, and no client may send {spelled(kind)}: {found.because}",
                    "name a class of your own that has only what a client may send",
                    places=[found.place],
                )
        try:
            return TheWebSocket(offered.messages(received, sent), offered.subprotocols)
        except TypeError as error:
            raise self.signature.refused(
                "binding.websocket-type",
                f"{self.name} is {spelled(self.bare.type)}, and that cannot be said in messages: {error}",
                "write str, bytes, or what JSON becomes: a Struct, a dataclass, a dict, a list",
            ) from error
        except NameError as error:
            raise self.unresolved(error) from error

    def constant(self, kind: type[Any]) -> Source | None:
        """An object of the App: its settings, or what signs with its key."""
        if kind in self.offer.constants:
            return Constant(self.offer.constants[kind], f"the App's {kind.__name__}")
        base = self.offer.settings_base
        if base is not None and issubclass(kind, base):
            names = (
                ", ".join(
                    known.__name__ for known in self.offer.constants if issubclass(known, base)
                )
                or "none"
            )
            raise self.signature.refused(
                "binding.foreign-settings",
                f"{self.name} is {kind.__name__}, and the App's settings are {names}",
                f"write App(settings={kind.__name__})",
            )
        return None

    def from_body(self) -> Source | None:
        return self.body() if is_model(self.bare.type) else None

    def body(self) -> Source:
        self.check_verbs()
        if self.parameter.default not in (EMPTY, None):
            raise self.signature.refused(
                "binding.body-default",
                f"{self.name} is the body, and its default would be one object for all requests",
                f"write {self.name}: {spelled(self.bare.type)} | None = None",
            )
        try:
            return FromBody(
                TypedBody(without_marker(self.annotation), self.offer.codecs), self.default()
            )
        except TypeError as error:
            raise self.signature.refused(
                "binding.body-type",
                f"{self.name} cannot be read from JSON: {error}",
                *self.instead_of_a_body(),
            ) from error
        except NameError as error:
            raise self.unresolved(error) from error

    def unresolved(self, error: NameError) -> SignatureError:
        return self.signature.refused(
            "binding.unresolved-name",
            f"{self.name} has a field whose annotation names {error.name}, which does not exist",
            f"import {error.name}, or define it at the top level of the module",
        )

    def instead_of_a_body(self) -> tuple[str, ...]:
        """The remedies for a type that no JSON becomes."""
        if not is_model(self.bare.type):
            return ("use a Struct, a dataclass or a dict",)
        if UploadFile in classes_in(self.annotation):
            kind = spelled(self.bare.type)
            return (f"write {self.name}: Annotated[{kind}, Form()], since files come with a form",)
        return ("give the field that it names another type",)

    def check_verbs(self) -> None:
        without = [method for method in self.offer.methods if method in WITHOUT_BODY]
        if self.offer.websocket is not None:
            kind = spelled(self.bare.type)
            raise self.signature.refused(
                "binding.body-on-get",
                f"{self.name} is read from the body, and who asks for a WebSocket sends none",
                f"write ws: WebSocket[{kind}], and {self.name} is a message: async for {self.name} in ws",
                "take the values from the query, one parameter each",
                *self.by_a_provider(),
            )
        if without:
            raise self.signature.refused(
                "binding.body-on-get",
                f"{self.name} is read from the body, and {' and '.join(without)} has none",
                "answer POST, PUT or PATCH",
                "take the values from the query, one parameter each",
                *self.by_a_provider(),
            )

    def by_a_provider(self) -> list[str]:
        """The remedy for a class that no client was meant to send."""
        kind = self.bare.type
        if not isinstance(kind, type) or kind.__module__.startswith(("builtins", "kingpost")):
            return []
        return [f"app.provide(f), with a function f that returns {spelled(kind)}"]

    def default(self) -> Any:
        if self.parameter.default is not EMPTY:
            return self.parameter.default
        return None if self.bare.is_optional else REQUIRED

    def check_rules(self) -> None:
        """Refuses a rule that says nothing about the values, such as the length of an int: nothing would ever be refused by it."""
        if not self.bare.rules and list_of(self.bare.type) is None:
            return
        try:
            type_of(self.annotation, outgoing=True)
        except TypeError as error:
            raise self.signature.refused(
                "binding.bad-rule",
                f"{self.name} is {spelled(self.annotation)}, and {error}",
                "write ge=, gt=, le= or lt= for numbers and dates, min_length=, max_length= or pattern= for texts",
                "leave the rule out",
            ) from error

    def check_default(self, scalar: Scalar, default: Any) -> None:
        if default is REQUIRED or default is None or scalar.type is object:
            return
        if isinstance(default, scalar.type) or (scalar.type is float and isinstance(default, int)):
            return
        if isinstance(default, MARKERS):
            kind = spelled(self.annotation)
            raise self.signature.refused(
                "binding.bad-default",
                f"the default of {self.name} is {default!r}, which is a marker and no value",
                f"write {self.name}: Annotated[{kind}, {default!r}]",
            )
        raise self.signature.refused(
            "binding.bad-default",
            f"the default of {self.name} is {default!r}, which is not {scalar.words}",
            "give it a value of its type",
        )

    def marker_as_a_type(self, kind: type[Any]) -> SignatureError:
        """The refusal of `name: Form`, which says where a value stands, and not what it is."""
        remedies = {
            Form: (
                f"write {self.name}: Form[Model] for a whole form, with a class Model that has its fields",
                f"{self.name}: Annotated[str, Form()] for one field of it",
            ),
            File: (f"write {self.name}: UploadFile",),
            Depends: (
                f"write {self.name}: Annotated[Session, Depends(function)], with the type that the function returns",
            ),
        }
        return self.signature.refused(
            "binding.unknown-type",
            f"{self.name}: {kind.__name__} says where a value comes from, and not what it is",
            *remedies.get(kind, (f"write {self.name}: Annotated[str, {kind.__name__}()]",)),
        )

    def nowhere(self) -> Source:
        raise self.signature.refused(
            "binding.unknown-type",
            f"nothing says where {self.name}: {spelled(self.annotation)} comes from",
            f"write {self.name}: str, int, float, bool, a UUID, date, Decimal, enum, Literal or a list of one to read it from "
            "the query",
            "a Struct, dataclass, TypedDict or dict to read it from the body",
            "request: Request for the request itself",
            *self.by_a_provider(),
        )


def classes_in(annotation: Any) -> Iterator[Any]:
    """The classes of one's own that a type leads to: models, with what is in their fields, enums, and what only libraries know."""
    try:
        kinds = list(types_in(type_of(annotation, outgoing=True)))
    except (TypeError, NameError):
        # Whoever is to read it says what is wrong with it.
        return
    for kind in kinds:
        if isinstance(kind, ModelType):
            yield kind.model.annotation
        elif isinstance(kind, OpaqueType):
            yield kind.annotation
        elif isinstance(kind, ChoiceType) and kind.enum is not None:
            yield kind.enum


def is_same(offered: Any, wanted: Any) -> bool:
    if Any in (offered, wanted) or offered == wanted:
        return True
    if offered is int and wanted is float:
        return True
    origin = get_origin(offered) or offered
    return isinstance(origin, type) and isinstance(wanted, type) and is_below(origin, wanted)


def without_marker(annotation: Any) -> Any:
    """An annotation as msgspec may see it: it refuses metadata that it does not know."""
    metadata = getattr(annotation, "__metadata__", None)
    if metadata is None:
        return annotation
    kept = tuple(item for item in metadata if not isinstance(item, MARKERS))
    inner = get_args(annotation)[0]
    for item in kept:
        inner = Annotated[inner, item]
    return inner


def shown_without_default(parameter: inspect.Parameter) -> str:
    return (
        parameter.name
        if parameter.annotation is EMPTY
        else f"{parameter.name}: {spelled(parameter.annotation)}"
    )
