"""URLs by name: `todos.show` and `id=3` become `/todos/3`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from kingpost.errors import RoutingError
from kingpost.routing.converters import Converter, PathConverter
from kingpost.routing.pattern import Pattern
from kingpost.routing.refusal import refused
from kingpost.types import Place

SAFE = "!$&'()*+,;=:@-._~"
"""What may stand in a path segment as it is (RFC 3986 section 3.3)."""


class Target(msgspec.Struct, frozen=True):
    """A named route: its pattern, and the converter of each of its parameters."""

    pattern: Pattern
    converters: Mapping[str, Converter[Any]]
    place: Place
    is_named: bool = False
    """Whether the name was given, and is not just the function's."""
    includes: tuple[Place, ...] = ()
    """The lines that included its blueprint."""


class UrlError(RoutingError):
    """`url_for` was given a name or a value that leads nowhere."""

    def __init__(self, message: str, *, code: str, remedy: str = "") -> None:
        super().__init__(message, code=code, remedy=remedy, places=[Place.of_caller()])


class Urls:
    """The names of an App's routes.

    Two routes may share a name when they share the path: GET and POST on `/todos`, say. Two functions of one name are no
    mistake until somebody asks for a URL by it.
    """

    def __init__(self) -> None:
        self._targets: dict[str, Target] = {}
        self._others: dict[str, Target] = {}

    def add(self, name: str, target: Target) -> None:
        """Raises RoutingError `routing.name-taken` where the name leads somewhere else already."""
        earlier = self._targets.setdefault(name, target)
        if earlier.pattern.text == target.pattern.text:
            return
        self._others[name] = target
        if earlier.is_named or target.is_named or earlier.includes != target.includes:
            raise refused(
                "routing.name-taken",
                f"two routes are called {name!r}: {earlier.pattern.text} and {target.pattern.text}",
                'give one of them another name: name="…"',
                places=[earlier.place, target.place],
            )

    def url_for(self, name: str, params: Mapping[str, object], *, below: str = "") -> str:
        """The path of the route called `name`, percent-encoded.

        Args:
            name: dotted; a leading dot means below `below`.
            params: a value for each parameter of the path; further ones become the query string, None leaves one out.
            below: the name of the blueprint of the current request, empty for none.

        Raises:
            UrlError: `routing.unknown-name`, `routing.url-parameters` or `routing.url-value`.
        """
        whole = name
        if name.startswith("."):
            whole = f"{below}{name}" if below else name[1:]
        target = self._targets.get(whole)
        if target is None:
            raise self._unknown(whole)
        other = self._others.get(whole)
        if other is not None:
            raise UrlError(
                f"{whole!r} may be {target.pattern.text} or {other.pattern.text}",
                code="routing.ambiguous-name",
                remedy='give one of the two routes another name: name="…"',
            )
        check_names(whole, target, params)
        path = "".join(
            quote(piece, safe=SAFE + "/%")
            if isinstance(piece, str)
            else segment(whole, piece.name, target, params[piece.name])
            for piece in target.pattern.pieces
        )
        query = {
            key: value
            for key, value in params.items()
            if key not in target.converters and value is not None
        }
        return f"{path}?{urlencode(query, doseq=True)}" if query else path

    def _unknown(self, name: str) -> UrlError:
        near = difflib.get_close_matches(name, self._targets, 1)
        remedy = f"write {near[0]!r}" if near else "`kingpost routes` lists the names"
        return UrlError(f"no route is called {name!r}", code="routing.unknown-name", remedy=remedy)


def check_names(name: str, target: Target, params: Mapping[str, object]) -> None:
    missing = [parameter for parameter in target.converters if parameter not in params]
    if missing:
        words = f"{name!r} is {target.pattern.text}, and is asked for without {', '.join(missing)}"
        raise UrlError(words, code="routing.url-parameters")


def segment(name: str, parameter: str, target: Target, value: object) -> str:
    converter = target.converters[parameter]
    try:
        text = converter.format(value)
        converter.convert(text)
    except (TypeError, ValueError) as error:
        raise bad_value(name, parameter, value, str(error)) from error
    parts = text.split("/") if isinstance(converter, PathConverter) else [text]
    if any(part in ("", ".", "..") for part in parts):
        # Browsers resolve dot segments, and an empty one changes which route is meant: the link would lead elsewhere.
        raise bad_value(name, parameter, value, "it would lead to another path")
    return "/".join(quote(part, safe=SAFE) for part in parts)


def bad_value(name: str, parameter: str, value: object, reason: str) -> UrlError:
    return UrlError(
        f"{name!r} cannot be built with {parameter}={value!r}: {reason}",
        code="routing.url-value",
    )
