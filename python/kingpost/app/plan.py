"""The compiled route: where routing, binding and answers meet."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from kingpost import _native, limits
from kingpost.app.answers import Answers
from kingpost.app.calls import Call, call_of
from kingpost.app.conversation import MESSAGES, TALKED, check_talks, ending
from kingpost.app.encoding import Encoding, encoding_of, is_events
from kingpost.app.formats import Formats, check_write, formats_of
from kingpost.app.messages import messages_of
from kingpost.app.mounting import Site, inside
from kingpost.app.served import REQUEST, Served, serve
from kingpost.app.shape import named_at
from kingpost.binding.offer import Conversation, Offer, PathParameter
from kingpost.binding.plan import Binding
from kingpost.binding.signature import Signature, signature_of
from kingpost.binding.sources import TheWebSocket
from kingpost.errors import RoutingError
from kingpost.http.uploads import UNSAID, FormBounds
from kingpost.http.websocket import Messages
from kingpost.injection.lookup import Overrides
from kingpost.routing.conditions import ALWAYS, Conditions
from kingpost.routing.converters import (
    BUILT_IN,
    Converter,
    Converters,
    StrConverter,
    of_type,
    value_type,
)
from kingpost.routing.options import body_limit, form_sizes
from kingpost.routing.pattern import Parameter, Pattern, parse_pattern
from kingpost.routing.reverse import Target
from kingpost.routing.route import Constant
from kingpost.routing.table import Entry, ErrorHandlers
from kingpost.schema.annotation import spelled
from kingpost.schema.text import Scalar, scalar_of, spelling
from kingpost.settings import Settings
from kingpost.types import Mode, Place

NATIVE_CONVERSIONS: Mapping[str, str] = {
    "str": "str",
    "slug": "str",
    "path": "str",
    "int": "int",
    "float": "float",
}
TRAVERSED = "traversed"
"""What the pattern of a tree calls the part that is walked."""

OWN = "own"
"""What the engine's router is told of a converter that it does not know: one segment, not empty."""


class CompiledRoute(msgspec.Struct, frozen=True):
    """One route, ready to be served."""

    index: int
    entry: Entry
    pattern: Pattern
    binding: Binding
    call: Call
    encoding: Encoding
    answers: Answers
    max_body: int
    target: Target
    served: Served
    conditions: Conditions = ALWAYS
    formats: Formats | None = None
    form: FormBounds = UNSAID

    @property
    def methods(self) -> tuple[str, ...]:
        return self.entry.methods

    @property
    def path(self) -> str:
        return self.pattern.text

    @property
    def name(self) -> str:
        """Dotted; empty for a route that has none."""
        return self.entry.name or ""

    @property
    def place(self) -> Place:
        return self.entry.place

    @property
    def error_handlers(self) -> tuple[ErrorHandlers, ...]:
        return self.entry.scope.error_handlers

    @property
    def messages(self) -> Messages | None:
        """What is said, where it is a WebSocket's."""
        for argument in self.binding.arguments:
            if isinstance(argument.source, TheWebSocket):
                return argument.source.messages
        return None

    @property
    def group(self) -> str:
        """The dotted name of its blueprint; empty where it has none."""
        return ".".join(self.entry.scope.names)

    @property
    def native_pattern(self) -> str:
        """The pattern in the words of the engine's router."""
        known = self.entry.scope.converters
        return "".join(
            piece if isinstance(piece, str) else native_piece(piece, known)
            for piece in self.pattern.pieces
        )

    def native_plan(self, mode: Mode, *, early: int | None = None) -> _native.Plan:
        """The plan, as the engine has it.

        Args:
            mode: how the App runs.
            early: the number of the plan for requests whose body is still to come.
        """
        handler, kind, binding = self.served.as_called(mode)
        return _native.Plan(
            handler,
            kind=kind,
            binders=binding.binders,
            slow=binding.slow,
            encoder="answer" if self.served.gives_response(mode) else self.encoding.native_in(mode),
            status=self.answers.status,
            max_body=self.max_body,
            stream_body=self.served.reads.streams,
            name=self.name or self.path,
            constant=self.constant,
            early=early,
        )

    def early_plan(self, mode: Mode) -> _native.Plan | None:
        """The plan for requests whose body is still to come, where something is to run before it; None where nothing is."""
        function = self.served.early_as_called(mode)
        if function is None:
            return None
        return _native.Plan(
            function,
            kind="async",
            binders=REQUEST.binders,
            slow=REQUEST.slow,
            encoder="answer",
            status=self.answers.status,
            max_body=self.max_body,
            stream_body=True,
            name=self.name or self.path,
        )

    @property
    def constant(self) -> _native.Answer | None:
        """The answer to every request, where the route has one and nothing runs around it."""
        handler: object = self.entry.handler
        if not isinstance(handler, Constant) or self.served.program is not None:
            return None
        return self.answers.of_response(handler())


def native_piece(parameter: Parameter, known: Converters) -> str:
    if parameter.converter is None:
        return f"{{{parameter.name}}}"
    built_in = BUILT_IN.get(parameter.converter)
    is_ours = parameter.argument is None and known[parameter.converter] is built_in
    return f"{{{parameter.name}:{parameter.converter if is_ours else OWN}}}"


def compile_route(
    index: int,
    entry: Entry,
    site: Site,
    overrides: Overrides | None = None,
) -> CompiledRoute:
    """Compile one route.

    Raises:
        ConfigurationError: the path, the handler's signature or the options cannot work.
    """
    pattern = parse_at(entry)
    converters = {
        parameter.name: converter_of(entry, parameter) for parameter in pattern.parameters
    }
    signature = signature_of(entry.handler)
    offered = {
        parameter.name: offer_of(parameter, converters[parameter.name])
        for parameter in pattern.parameters
    }
    conditions = conditions_at(entry)
    check_host_parameters(entry, conditions, offered)
    if conditions.walks is not None:
        # Handlers of a tree take the object, not its path.
        offered.pop(TRAVERSED, None)
    offer = Offer(
        offered,
        entry.methods,
        site.constants,
        Settings,
        host=host_parameters(conditions),
        context=None if conditions.walks is None else conditions.walks.context,
        codecs=site.around.codecs,
        form=FormBounds(**form_sizes(entry.options)),
        websocket=conversation_of(entry, signature) if entry.is_websocket else None,
    )
    if entry.is_websocket:
        check_talks(entry.handler, signature)
        encoding = MESSAGES
    else:
        with named_at(signature.place):
            encoding = encoding_of(signature.returns)
    answers = Answers(
        signature.name,
        signature.place,
        encoding,
        TALKED if entry.is_websocket else entry.options.get("status", 200),
        aside=site.around.threads.aside,
    )
    call = call_of(entry, waits=not is_events(encoding.item))
    formats = formats_of(entry, signature, answers, site.around.codecs)
    if formats is not None:
        encoding = formats.encoding(encoding)
        check_write(entry)
    served = serve(
        entry,
        call,
        signature=signature,
        offer=offer,
        index=index,
        around=site.around,
        overrides=overrides,
        formats=formats,
    )
    if entry.is_websocket and served.program is not None:
        served.function = ending(served.function, site.around.of_route(index).caught)
    if site.app is not None and not isinstance(entry.handler, Constant):
        served.function = inside(site.app, served.function, is_async=served.kind == "async")
        if served.early is not None:
            served.early = inside(site.app, served.early, is_async=True)
    max_body = body_limit(
        entry.options,
        default=limits.UPLOAD_BYTES if served.reads.takes_files else _native.LIMITS["body"],
    )
    check_form_fits(entry, served.reads, offer.form, max_body)
    return CompiledRoute(
        index,
        entry,
        pattern,
        served.binding,
        call,
        encoding,
        answers,
        max_body,
        Target(
            pattern,
            {name: reverse_of(name, found, signature) for name, found in converters.items()},
            entry.place,
            "name" in entry.options,
            entry.scope.includes,
            conditions.hosts,
        ),
        served,
        conditions,
        formats,
        offer.form,
    )


def conversation_of(entry: Entry, signature: Signature) -> Conversation:
    # An option of WebSockets alone, which the type of all options does not have.
    spoken = cast("Sequence[str]", entry.options.get("subprotocols", ()))
    return Conversation(signature, messages_of, spoken)


def check_form_fits(entry: Entry, reads: Binding, form: FormBounds, max_body: int) -> None:
    """Refuses a part of a form that may be larger than the body around it: nobody would ever send one."""
    if not reads.takes_a_form:
        return
    for name in ("field", "memory", "file"):
        size: int | None = getattr(form, name)
        if size is not None and size > max_body:
            raise at_entry(
                entry,
                "routing.bad-option",
                f"form_limits allows a {name} of {size} bytes, and the whole body may have {max_body}",
                "raise max_body, too",
            )


def conditions_at(entry: Entry) -> Conditions:
    try:
        return entry.conditions
    except RoutingError as error:
        error.places = (entry.place, *entry.scope.includes)
        raise


def host_parameters(conditions: Conditions) -> dict[str, bool]:
    """The parameters of hosts, and whether each of the hosts has them."""
    names = {name for pattern in conditions.hosts for name in pattern.names}
    return {name: all(name in pattern.names for pattern in conditions.hosts) for name in names}


def check_host_parameters(entry: Entry, conditions: Conditions, path: Mapping[str, object]) -> None:
    for name in host_parameters(conditions):
        if name in path:
            raise at_entry(
                entry,
                "routing.bad-host",
                f"a parameter of the path and one of the host are both called {name!r}",
                "rename one",
            )


def parse_at(entry: Entry) -> Pattern:
    try:
        return parse_pattern(entry.path)
    except RoutingError as error:
        error.places = (entry.place, *entry.scope.includes)
        raise


def converter_of(entry: Entry, parameter: Parameter) -> Converter[Any] | None:
    """The converter that the pattern names; None where it names none."""
    if parameter.converter is None:
        return None
    made = entry.scope.converters.get(parameter.converter)
    if made is None:
        known = ", ".join(entry.scope.converters)
        raise at_entry(
            entry,
            "routing.unknown-converter",
            f"no converter is called {parameter.converter!r}; there are {known}",
            f'give one: App(converters={{"{parameter.converter}": …}})',
        )
    try:
        converter = made() if parameter.argument is None else made(parameter.argument)
    except TypeError as error:
        raise at_entry(
            entry,
            "routing.bad-converter",
            f"the converter {parameter.converter!r} cannot be made: {error}",
            "mend its argument",
        ) from error
    if not callable(getattr(converter, "convert", None)) or not callable(
        getattr(converter, "format", None)
    ):
        raise at_entry(
            entry,
            "routing.bad-converter",
            f"the converter {parameter.converter!r} has not both convert(text) and format(value)",
            "write the two methods",
        )
    return converter


def at_entry(entry: Entry, code: str, message: str, remedy: str) -> RoutingError:
    return RoutingError(f"{entry.path}: {message}", code=code, remedy=remedy, places=[entry.place])


def offer_of(parameter: Parameter, converter: Converter[Any] | None) -> PathParameter:
    if converter is None:
        return PathParameter(str, "", None)
    kind = parameter.converter or ""
    made_by: object = type(converter)
    is_built_in = parameter.argument is None and made_by is BUILT_IN.get(kind)
    native = NATIVE_CONVERSIONS.get(kind) if is_built_in else None
    return PathParameter(
        value_type(converter), kind, converter.convert, native or converter.convert
    )


def reverse_of(name: str, converter: Converter[Any] | None, signature: Signature) -> Converter[Any]:
    """How `url_for` writes a parameter: by its converter, else by the type that the handler reads it as."""
    if converter is not None and value_type(converter) is not str:
        return converter
    for parameter in signature.parameters:
        if parameter.name == name:
            scalar = scalar_of(parameter.annotation)
            if scalar is not None and not scalar.is_text:
                return ScalarConverter(scalar, spelled(parameter.annotation))
    return converter or StrConverter()


class ScalarConverter:
    """A path parameter without a converter, by the annotation of the handler's parameter."""

    def __init__(self, scalar: Scalar, words: str) -> None:
        self.scalar = scalar
        self.words = words

    def convert(self, text: str, /) -> object:
        return self.scalar.convert(text)

    def format(self, value: object, /) -> str:
        if self.scalar.type is not object:
            of_type(value, self.scalar.type)
        if isinstance(value, enum.Enum):
            return spelling(value.value)
        isoformat = getattr(value, "isoformat", None)
        return str(isoformat()) if isoformat is not None else spelling(value)
