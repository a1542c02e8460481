"""`app.extensions`: where plugins, and an App itself, add to what others show, run or report.

Rule 1: what is added has a key, its name; two claims to one key are refused, naming both places.
Rule 2: nothing is called before the App serves, except commands and checks.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import msgspec

from kingpost.errors import ConfigurationError
from kingpost.routing.route import F, checked_handler
from kingpost.types import Place

if TYPE_CHECKING:
    from kingpost.app.plan import CompiledRoute
    from kingpost.app.rendered import Rendered
    from kingpost.app.rendering import Renderer
    from kingpost.http.media import Codec
    from kingpost.http.request import Request
    from kingpost.routing.route import Route

D = TypeVar("D", bound="Callable[[dict[str, Any]], None]")
R = TypeVar("R", bound="Callable[[BaseException, Request | None], object]")

OWN_COMMANDS = frozenset(
    {
        *(
            "check",
            "commands",
            "dev",
            "explain",
            "hosts",
            "reload",
            "openapi",
            "request",
            "routes",
            "run",
            "settings",
        ),
        "shell",
    }
)
"""What `kingpost` itself does."""
OWN_VARIABLES = frozenset({"csp_nonce", "request", "static", "url_for"})
"""What every template has, `static` where the App includes a folder of files."""

ANOTHER_NAME = 'give one of them another name: name="…"'

_METRIC = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*", re.ASCII)
_COMMAND = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Claim(msgspec.Struct, frozen=True):
    """A function that was added, and where."""

    function: Callable[..., Any]
    place: Place

    @property
    def needs_nothing(self) -> bool:
        """Whether it can be called by anybody: a `def` without parameters."""
        is_async = inspect.iscoroutinefunction(self.function)
        return not is_async and not inspect.signature(self.function).parameters


class Metric(msgspec.Struct, frozen=True):
    """A function whose number is shown.

    Attributes:
        claim: the function.
        kind: "counter" for what only grows.
        label: the name of the label that tells its numbers apart; empty where there is one number.
    """

    claim: Claim
    kind: Literal["gauge", "counter"]
    label: str


class Extensions:
    """What was added to an App beside its routes.

    Example:
        ```python
        from datetime import date

        from kingpost import App

        app = App()

        @app.extensions.template_context
        def today() -> date:
            return date.today()
        ```
    """

    def __init__(self, check_open: Callable[[], None]) -> None:
        self._check_open = check_open
        self._commands: dict[str, Claim] = {}
        self._context: dict[str, Claim] = {}
        self._reporters: list[Claim] = []
        self._codecs: dict[str, tuple[Codec, Place]] = {}
        self._renderers: dict[type[Rendered], Renderer] = {}
        self._openapi: list[Claim] = []
        self._checks: dict[str, Claim] = {}
        self._health: dict[str, Claim] = {}
        self._metrics: dict[str, Metric] = {}
        self._measures = False
        self._spared: list[str] = []
        self._operations: list[tuple[Sequence[Route], str]] = []
        self._silenced: dict[str, str] = {}
        self._when_compiled: list[Callable[[Sequence[CompiledRoute]], None]] = []

    @overload
    def command(self, function: F, /) -> F: ...
    @overload
    def command(self, function: None = None, /, *, name: str) -> Callable[[F], F]: ...
    def command(self, function: Any = None, /, *, name: str = "") -> Any:
        """Run the decorated function as `kingpost NAME`, its parameters read from the command line.

        A parameter without a default is an argument, one with a default an option (`--times 3`), a bool a flag. The App's settings and
        what providers make are given to it as to a handler, and finished behind it; its docstring is its help.

        Args:
            function: `def` or `async def`.
            name: in place of the function's own, whose `_` becomes `-`.

        Raises:
            ConfigurationError: `extensions.taken`; `extensions.bad-name`.
        """
        return self._dashed("command", self._commands, function, name, own=OWN_COMMANDS)

    @overload
    def template_context(self, function: F, /) -> F: ...
    @overload
    def template_context(self, function: None = None, /, *, name: str) -> Callable[[F], F]: ...
    def template_context(self, function: Any = None, /, *, name: str = "") -> Any:
        """Give every template a variable: what the decorated function returns, under the function's name.

        Its parameters are served as a handler's are: the request, settings, what providers make. It is called for pages that have the
        variable in them, when the handler is done.

        Args:
            function: `def` or `async def`.
            name: in place of the function's own.

        Raises:
            ConfigurationError: `extensions.taken`; `extensions.bad-name`.
        """

        def decorate(function: Any) -> Any:
            key = name or checked_handler(function).__name__
            if not key.isidentifier() or key.startswith("_"):
                raise bad_name(
                    key, "a variable", "letters, digits and `_`, and begins with a letter"
                )
            if key in OWN_VARIABLES:
                raise taken(f"every template has {key!r} already", [Place.of_caller()])
            self._claim("template variable", self._context, key, function)
            return function

        return decorate if function is None else decorate(function)

    @overload
    def check(self, function: F, /) -> F: ...
    @overload
    def check(self, function: None = None, /, *, name: str) -> Callable[[F], F]: ...
    def check(self, function: Any = None, /, *, name: str = "") -> Any:
        """Have `kingpost check` ask the decorated function what is wrong: it returns or yields `kingpost.checks.Problem`s.

        Its parameters are given as a command's are: settings, and what providers make.

        Args:
            function: `def` or `async def`.
            name: in place of the function's own, whose `_` becomes `-`.

        Raises:
            ConfigurationError: `extensions.taken`; `extensions.bad-name`.
        """
        return self._dashed("check", self._checks, function, name)

    def silence(self, check: str, /, *, because: str) -> None:
        """Have `kingpost check` keep quiet about what one check finds, for a reason that is shown in its place.

        Args:
            check: the name of the check, such as "deploy.csp".
            because: why that is well here.

        Raises:
            ConfigurationError: `extensions.no-reason`.
        """
        self._check_open()
        if not because.strip():
            raise ConfigurationError(
                f"the check {check!r} is silenced, and nobody will know why",
                code="extensions.no-reason",
                remedy='say why: because="the proxy does it"',
                places=[Place.of_caller()],
            )
        self._silenced[check] = because

    @overload
    def health(self, function: F, /) -> F: ...
    @overload
    def health(self, function: None = None, /, *, name: str) -> Callable[[F], F]: ...
    def health(self, function: Any = None, /, *, name: str = "") -> Any:
        """Have `kingpost.checks.Health` ask the decorated function whether the App can do its work: it raises where it cannot.

        Its parameters are given as a command's are: settings, and what providers make.

        Args:
            function: `def` or `async def`.
            name: in place of the function's own, whose `_` becomes `-`.

        Raises:
            ConfigurationError: `extensions.taken`; `extensions.bad-name`.
        """
        return self._dashed("health check", self._health, function, name)

    def metric(
        self, name: str, /, *, kind: Literal["gauge", "counter"] = "gauge", label: str = ""
    ) -> Callable[[F], F]:
        """Have `kingpost.checks.Metrics` show what the decorated function returns: a number, or numbers by the value of a label.

        Its parameters are given as a command's are: settings, and what providers make. Its docstring is shown beside it.

        Args:
            name: of the metric, by the rules of Prometheus, such as `"shop_orders_waiting"`.
            kind: "counter" for what only grows while the process lives.
            label: the label's name, where the function returns a dict.

        Raises:
            ConfigurationError: `extensions.taken`; `extensions.bad-name`.
        """
        for what, each in (("metric", name), ("label", label or "none")):
            if not _METRIC.fullmatch(each):
                raise bad_name(
                    each,
                    f"a {what}",
                    "letters, digits and `_`, and begins with a letter",
                    'write one like "orders_waiting"',
                )

        def decorate(function: F) -> F:
            claims: dict[str, Claim] = {key: it.claim for key, it in self._metrics.items()}
            self._claim("metric", claims, name, function, "give one of them another name")
            self._metrics[name] = Metric(claims[name], kind, label)
            return function

        return decorate

    def _dashed(
        self,
        what: str,
        claims: dict[str, Claim],
        function: Any,
        name: str,
        *,
        own: AbstractSet[str] = frozenset(),
    ) -> Any:
        def decorate(function: Any) -> Any:
            key = name or checked_handler(function).__name__.replace("_", "-")
            if not _COMMAND.fullmatch(key):
                raise bad_name(key, f"a {what}", "small letters, digits and single dashes")
            if key in own:
                raise taken(f"`kingpost {key}` is Kingpost's own", [Place.of_caller()])
            self._claim(what, claims, key, function)
            return function

        return decorate if function is None else decorate(function)

    def error_reporter(self, function: R, /) -> R:
        """Tell the decorated function of every exception that no error handler took: `def report(error, request)`.

        The request is None where an event's receiver, or what followed an answer, has failed. It is called where the exception was met,
        which may be the event loop: it hands the error on, as the clients of error services do, and waits for nothing.

        Raises:
            ConfigurationError: `extensions.async-reporter` for an `async def`.
        """
        self._check_open()
        place = Place.of_caller()
        if inspect.iscoroutinefunction(checked_handler(function)):
            raise ConfigurationError(
                f"the error reporter {function.__name__} is an async def, and nobody could wait for it",
                code="extensions.async-reporter",
                remedy="write `def`, and hand the error to a queue",
                places=[place],
            )
        self._reporters.append(Claim(function, place))
        return function

    def codec(self, codec: Codec, /) -> None:
        """Read bodies of one more media type wherever a model is read, and write it wherever an answer is JSON, for clients that accept it.

        Args:
            codec: Has `media_type`, `extension`, `encode` and `decode`; what only writes is named by the routes that give it, `formats=[…]`.

        Raises:
            ConfigurationError: `extensions.taken`; `extensions.bad-codec`.
        """
        from kingpost.http.media_type import FORM_TYPES, MediaType

        self._check_open()
        place = Place.of_caller()
        given: object = codec
        media_type: object = getattr(given, "media_type", None)
        is_whole = all(callable(getattr(given, name, None)) for name in ("encode", "decode"))
        parsed = MediaType.parse(media_type) if isinstance(media_type, str) else None
        if not is_whole or parsed is None or isinstance(given, type):
            raise ConfigurationError(
                f"{given!r} is no codec",
                code="extensions.bad-codec",
                remedy="give an object with media_type, extension, encode(value) and decode(document)",
                places=[place],
            )
        if parsed.essence in FORM_TYPES or parsed.is_json:
            raise taken(f"{parsed.essence} is read already", [place], "leave this one out")
        earlier = self._codecs.setdefault(parsed.essence, (codec, place))
        if earlier[0] is not codec:
            problem = f"two codecs claim the media type {parsed.essence!r}"
            raise taken(problem, [earlier[1], place], "leave one of them out")

    def renderer(self, kind: type[Rendered], renderer: Renderer, /) -> None:
        """Have a class of answers rendered by something; `Templates` does so for `Template`."""
        self._check_open()
        self._renderers[kind] = renderer

    def openapi(self, function: D, /) -> D:
        """Have the decorated function amend the OpenAPI document before it is served: `def amend(document)`.

        It is called when the App starts, with the whole document as dicts and lists, and changes it in place.
        """
        self._check_open()
        self._openapi.append(Claim(checked_handler(function), Place.of_caller()))
        return function

    def __openapi__(self) -> Sequence[Claim]:
        return self._openapi

    def __when_compiled__(self, function: Callable[[Sequence[CompiledRoute]], None]) -> None:
        # For what makes an answer of all routes: it is called before the first of them is served.
        self._check_open()
        self._when_compiled.append(function)

    def __compiled__(self, routes: Sequence[CompiledRoute]) -> None:
        for function in self._when_compiled:
            function(routes)

    def __commands__(self) -> Mapping[str, Claim]:
        return self._commands

    def __checks__(self) -> Mapping[str, Claim]:
        return self._checks

    def __measure__(self) -> None:
        # For who shows what is measured of the server.
        self._check_open()
        self._measures = True

    def __operate__(self, routes: Sequence[Route], name: str) -> bool:
        # For pages of those who run the App: they are kept for a port of their own, where there is one.
        self._check_open()
        if not os.environ.get("KINGPOST_OPS"):
            return False
        self._operations.append((routes, name))
        return True

    def __operations__(self) -> Sequence[tuple[Sequence[Route], str]]:
        return self._operations

    def __spare__(self, *paths: str) -> None:
        # For pages that are answered however much there is to do.
        self._check_open()
        self._spared.extend(paths)

    def __spared__(self) -> Sequence[str]:
        return tuple(self._spared)

    def __measures__(self) -> bool:
        return self._measures

    def __silenced__(self) -> Mapping[str, str]:
        return self._silenced

    def __health__(self) -> Mapping[str, Claim]:
        return self._health

    def __metrics__(self) -> Mapping[str, Metric]:
        return self._metrics

    def __context__(self) -> Mapping[str, Claim]:
        return self._context

    def __reporters__(self) -> Sequence[Claim]:
        return self._reporters

    def __codecs__(self) -> Mapping[str, Codec]:
        return {essence: codec for essence, (codec, _) in self._codecs.items()}

    def __renderers__(self) -> Mapping[type[Rendered], Renderer]:
        return self._renderers

    def _claim(
        self,
        what: str,
        claims: dict[str, Claim],
        key: str,
        function: Any,
        remedy: str = ANOTHER_NAME,
    ) -> None:
        self._check_open()
        claim = Claim(checked_handler(function), Place.of_caller())
        earlier = claims.setdefault(key, claim)
        if earlier is not claim:
            places = [earlier.place, claim.place]
            raise taken(f"two functions claim the {what} {key!r}", places, remedy)


def taken(problem: str, places: Sequence[Place], remedy: str = ANOTHER_NAME) -> ConfigurationError:
    return ConfigurationError(problem, code="extensions.taken", remedy=remedy, places=places)


def bad_name(
    key: str, what: str, rule: str, remedy: str = 'give it one: name="…"'
) -> ConfigurationError:
    return ConfigurationError(
        f"{key!r} cannot be the name of {what}: that is made of {rule}",
        code="extensions.bad-name",
        remedy=remedy,
        places=[Place.of_caller()],
    )
