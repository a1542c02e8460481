"""URLs by name: `todos.show` and `id=3` become `/todos/3`."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from kingpost.errors import RoutingError
from kingpost.routing.converters import Converter, PathConverter
from kingpost.routing.hosts import HostPattern
from kingpost.routing.pattern import Pattern
from kingpost.routing.refusal import refused
from kingpost.types import Place

SAFE = "!$&'()*+,;=:@-._~"
"""What may stand in a path segment as it is (RFC 3986 section 3.3)."""


if TYPE_CHECKING:
    from kingpost.routing.traversal import Traverse, Walk


class Target(msgspec.Struct, frozen=True):
    """A named route: its pattern, and the converter of each of its parameters."""

    pattern: Pattern
    converters: Mapping[str, Converter[Any]]
    place: Place
    is_named: bool = False
    """Whether the name was given, and is not just the function's."""
    includes: tuple[Place, ...] = ()
    """The lines that included its blueprint."""
    hosts: tuple[HostPattern, ...] = ()
    """The hosts that it answers for; any where there are none."""


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
        self._trees: list[tuple[Traverse, Pattern]] = []

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
        of_host = {name for pattern in target.hosts for name in pattern.names}
        query = {
            key: value
            for key, value in params.items()
            if key not in target.converters and key not in of_host and value is not None
        }
        return f"{path}?{urlencode(query, doseq=True)}" if query else path

    def host_for(
        self, name: str, params: Mapping[str, object], *, below: str = "", asked: str = ""
    ) -> str:
        """The host that a URL of the route called `name` leads to; "" where it is the one that was asked.

        Args:
            name: as of `url_for`, which comes first.
            params: a value for each parameter of the host; the parameters of the host that was asked need not be given again.
            below: as of `url_for`.
            asked: the current request's, without port; empty for none.

        Raises:
            UrlError: `routing.url-parameters` or `routing.url-value`.
        """
        whole = f"{below}{name}" if below and name.startswith(".") else name.removeprefix(".")
        target = self._targets[whole]
        here = [pattern.match(asked) for pattern in target.hosts]
        given = {
            key: str(params[key])
            for pattern in target.hosts
            for key in pattern.names
            if params.get(key) is not None
        }
        if not target.hosts or any(
            found is not None and all(found.get(key) == value for key, value in given.items())
            for found in here
        ):
            return ""
        for pattern in target.hosts:
            if (
                not pattern.below
                and set(given) <= set(pattern.names)
                and all(key in given for key in pattern.names)
            ):
                try:
                    return pattern.build(given)
                except ValueError as error:
                    key, value = next(iter(given.items()))
                    raise bad_value(whole, key, value, str(error)) from error
        needed = " or ".join(pattern.text for pattern in target.hosts)
        raise UrlError(
            f"{whole!r} stands at {needed}, and it is not said which", code="routing.url-parameters"
        )

    def add_tree(self, site: Traverse, pattern: Pattern) -> None:
        """A tree that is traversed below a pattern."""
        if all(known is not site or other.text != pattern.text for known, other in self._trees):
            self._trees.append((site, pattern))

    def url_of(
        self, context: object, view: str, params: Mapping[str, object], *, near: Walk | None = None
    ) -> str:
        """The path of a view of an object in a tree.

        Args:
            context: an object whose `__parent__`s lead to the root of a tree.
            view: the name of the view; empty for the default one.
            params: the query string; None leaves one out.
            near: how the current request has walked a tree.

        Raises:
            UrlError: `routing.no-way-up`, `routing.unknown-view`, or `routing.url-parameters` where the tree stands below a parameter.
        """
        from kingpost.routing.traversal import names_above, no_way_up, path_of

        root, names = names_above(context)
        trees = [each for each in self._trees if each[0].root is root]
        if not trees and near is not None and near.lineage[0] is root:
            # The root is made for each request: it is the one that this request has walked.
            trees = [each for each in self._trees if each[0] is near.site]
        if not trees and len(self._trees) == 1:
            trees = self._trees
        if not trees:
            raise no_way_up(f"{context!r:.100} is in no tree that is traversed")
        site, pattern = trees[0]
        if pattern.parameters:
            raise UrlError(
                f"the tree stands at {pattern.text}, and parameters are not known",
                code="routing.url-parameters",
            )
        if not site.knows(context, view):
            shown = f"called {view!r}" if view else "by default"
            raise UrlError(
                f"{type(context).__name__} has no view {shown} in {site!r}",
                code="routing.unknown-view",
            )
        path = (quote(pattern.text, safe=SAFE + "/%").rstrip("/") + path_of(names, view)) or "/"
        query = {key: value for key, value in params.items() if value is not None}
        return f"{path}?{urlencode(query, doseq=True)}" if query else path

    def knows(self, name: str) -> bool:
        """Whether a route is called that."""
        return name in self._targets

    def check(self, name: str, params: Collection[str] | None) -> None:
        """Refuses a name, and parameters, that no request could be given a URL for.

        Args:
            name: as of `url_for`; a leading dot stands for any blueprint.
            params: the names of the parameters; None where they are not known.

        Raises:
            UrlError: `routing.unknown-name`, or `routing.url-parameters`.
        """
        found = [
            (known, target)
            for known, target in self._targets.items()
            if known == name.removeprefix(".") or (name.startswith(".") and known.endswith(name))
        ]
        if not found:
            raise self._unknown(name)
        if params is None:
            return
        for _, target in found:
            if all(parameter in params for parameter in target.converters):
                return
        known, target = found[0]
        check_names(known, target, dict.fromkeys(params))

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
    is_rest = isinstance(converter, PathConverter)
    parts = text.split("/") if is_rest else [text]
    if not is_rest and ("/" in text or "\0" in text):
        # The router gives no parameter such a text, however it is encoded: the link would lead nowhere.
        reason = f"one segment holds no slash and no NUL; {{{parameter}:path}} takes them"
        raise bad_value(name, parameter, value, reason)
    if any(part in ("", ".", "..") for part in parts):
        # Browsers resolve dot segments, and an empty one changes which route is meant: the link would lead elsewhere.
        raise bad_value(name, parameter, value, "it would lead to another path")
    return "/".join(quote(part, safe=SAFE) for part in parts)


def bad_value(name: str, parameter: str, value: object, reason: str) -> UrlError:
    return UrlError(
        f"{name!r} cannot be built with {parameter}={value!r}: {reason}",
        code="routing.url-value",
    )
