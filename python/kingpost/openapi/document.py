"""The OpenAPI 3.1 document of an App, from its compiled routes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from kingpost.app.plan import CompiledRoute
from kingpost.errors import ConfigurationError
from kingpost.openapi.components import Schema, named, replaced
from kingpost.openapi.failures import shared_responses
from kingpost.openapi.operations import joined, operation_of
from kingpost.openapi.schemas import Schemas, plain
from kingpost.types import Place

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.app.extensions import Claim

VERSION: Final = "3.1.1"
METHODS: Final = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"})
"""Methods that OpenAPI has a place for."""


class Info(msgspec.Struct, frozen=True):
    """What a document says of the whole API.

    Attributes:
        title: its name.
        version: of the API, not of Kingpost.
        description: CommonMark.
        servers: where it is served; where the document is, if there are none.
    """

    title: str = "API"
    version: str = "0.1.0"
    description: str = ""
    servers: Sequence[str | Mapping[str, Any]] = ()


def document_of(
    routes: Iterable[CompiledRoute], info: Info, amend: Sequence[Claim] = ()
) -> dict[str, Any]:
    """The document of routes: dicts, lists and scalars, in the same order every time.

    Raises:
        ConfigurationError: `openapi.not-json` for what somebody has put into it that JSON does not have.
    """
    schemas = Schemas()
    paths, tags = Paths(), dict[str, None]()
    for route in routes:
        if route.entry.options.get("openapi", {}) is False:
            continue
        for method in route.methods:
            if method in METHODS:
                operation = paths.add(route, method, schemas)
                tags |= dict.fromkeys(cast("list[str]", operation.get("tags", [])))
    responses = paths.share()
    names, components = named(schemas.found)
    references = {key: f"#/components/schemas/{name}" for key, name in names.items()}
    described: Schema = {"title": info.title, "version": info.version}
    if info.description:
        described["description"] = info.description
    made: Schema = {"openapi": VERSION, "info": described}
    if info.servers:
        made["servers"] = [{"url": it} if isinstance(it, str) else dict(it) for it in info.servers]
    if tags:
        made["tags"] = [{"name": tag} for tag in tags]
    made["paths"] = paths.items
    shared = {
        "schemas": components,
        "responses": responses,
        "securitySchemes": dict(sorted(schemas.security.items())),
    }
    made["components"] = {name: each for name, each in shared.items() if each}
    if not made["components"]:
        del made["components"]
    # References are the same objects in many places: what amends one of them must not amend all.
    whole: dict[str, Any] = plain(replaced(made, references))
    for claim in amend:
        whole = amended(whole, claim.function, claim.place)
    return whole


def amended(whole: Schema, function: Callable[..., Any], place: Place) -> Schema:
    function(whole)
    try:
        return cast("Schema", plain(whole))
    except (TypeError, ValueError) as error:
        name = getattr(function, "__name__", str(function))
        raise ConfigurationError(
            f"{name} has put into the document what JSON cannot hold: {error}",
            code="openapi.not-json",
            remedy="use dicts, lists, text, numbers, True, False and None",
            places=[place],
        ) from error


class Paths:
    """Operations by path and method."""

    def __init__(self) -> None:
        self.items: dict[str, Schema] = {}
        self._shapes: dict[str, CompiledRoute] = {}
        self._ids: set[str] = set()

    def add(self, route: CompiledRoute, method: str, schemas: Schemas) -> Schema:
        """Adds the operation of a route; of two routes of one path and one method there is one in the end."""
        first = self._shapes.setdefault(shape_of(route), route)
        item = self.items.setdefault(path_of(first), {})
        earlier: Schema | None = item.get(method.lower())
        wanted = id_of(route, method)
        operation = operation_of(
            route, schemas, wanted if earlier is not None else self._id(wanted)
        )
        if first is not route:
            operation = renamed(operation, names_of(route), names_of(first))
        item[method.lower()] = operation if earlier is None else joined(earlier, operation)
        return operation

    def share(self) -> dict[str, Schema]:
        """Puts a reference in the place of each response that many operations have; gives those that are used."""
        known, used = shared_responses(Schemas()), dict[str, Schema]()
        for item in self.items.values():
            for operation in item.values():
                responses = operation.get("responses", {})
                for status, response in responses.items():
                    name = next((name for name, each in known.items() if each == response), None)
                    if name is not None:
                        used[name] = response
                        responses[status] = {"$ref": f"#/components/responses/{name}"}
        return dict(sorted(used.items()))

    def _id(self, wanted: str) -> str:
        found, number = wanted, 2
        while found in self._ids:
            found = f"{wanted}_{number}"
            number += 1
        self._ids.add(found)
        return found


def path_of(route: CompiledRoute) -> str:
    """The path as OpenAPI writes it: names without converters."""
    return "".join(
        piece if isinstance(piece, str) else f"{{{piece.name}}}" for piece in route.pattern.pieces
    )


def shape_of(route: CompiledRoute) -> str:
    """The path without the names of its parameters: two paths that differ in nothing else are one to OpenAPI."""
    return "".join(piece if isinstance(piece, str) else "{}" for piece in route.pattern.pieces)


def names_of(route: CompiledRoute) -> list[str]:
    return [parameter.name for parameter in route.pattern.parameters]


def renamed(operation: Schema, names: list[str], wanted: list[str]) -> Schema:
    """An operation whose path's parameters are called as the first route of the path calls them."""
    new = dict(zip(names, wanted, strict=True))
    parameters: list[Schema] = [
        each | {"name": new.get(each["name"], each["name"])} if each["in"] == "path" else each
        for each in operation.get("parameters", [])
    ]
    return operation | ({"parameters": parameters} if parameters else {})


def id_of(route: CompiledRoute, method: str) -> str:
    """What an operation is called: as its route, with the method where the route has several; by its path where the route has no name."""
    if not route.name:
        words = "_".join(path_of(route).replace("{", "").replace("}", "").split("/")).strip("_")
        return f"{method.lower()}_{words or 'root'}"
    known = [each for each in route.methods if each in METHODS]
    return route.name if len(known) == 1 else f"{route.name}.{method.lower()}"


def document(app: App) -> dict[str, Any]:
    """The OpenAPI 3.1 document of an App: what its plugin `OpenAPI` serves, or would serve.

    Args:
        app: it need not be served; routes may still be added afterwards.

    Raises:
        ConfigurationError: something that was registered cannot work.

    Example:
        >>> from kingpost.openapi import document
        >>> sorted(document(app)["paths"])
        ['/', '/export.csv', '/todos', '/todos/{id}']
    """
    info = getattr(app.__plugin__("openapi"), "info", None)
    routes = app.__describe__()
    return document_of(
        routes, info if isinstance(info, Info) else Info(), app.extensions.__openapi__()
    )
