"""One route as an operation; and two routes of one path and one method, which OpenAPI knows as one operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from kingpost.app.plan import CompiledRoute
from kingpost.errors import ConfigurationError
from kingpost.openapi.bodies import body_of
from kingpost.openapi.components import Schema
from kingpost.openapi.docstring import docstring_of
from kingpost.openapi.failures import failures_of, failures_of_head
from kingpost.openapi.parameters import parameters_of
from kingpost.openapi.readings import readings_of
from kingpost.openapi.responses import responses_of
from kingpost.openapi.schemas import Schemas, plain
from kingpost.openapi.security import security_of
from kingpost.routing.hosts import HostPattern


def operation_of(route: CompiledRoute, schemas: Schemas, operation_id: str) -> Schema:
    """What OpenAPI says of a route, all but its path and its method."""
    options, said = route.entry.options, docstring_of(route.entry.handler)
    readings = readings_of(route)
    made: Schema = {"operationId": operation_id}
    tags = list(options.get("tags", ())) or list(route.entry.scope.names[-1:])
    if tags:
        made["tags"] = tags
    texts = {
        "summary": options.get("summary", said.summary),
        "description": options.get("description", said.description),
    }
    made |= {name: text for name, text in texts.items() if text}
    if options.get("deprecated"):
        made["deprecated"] = True
    parameters = parameters_of(route, readings, schemas)
    if parameters:
        made["parameters"] = parameters
    body = body_of(readings, schemas)
    if body is not None:
        made["requestBody"] = body
    made["responses"] = responses_of(route, schemas, said.returns) | failures_of(
        route, readings, schemas
    )
    security = security_of(readings, schemas, refuses="401" in made["responses"])
    if security:
        made["security"] = security
    made["responses"] = joined_by_name(made["responses"], failures_of_head(made, schemas))
    servers = [server_of(each) for each in route.conditions.hosts]
    if servers:
        made["servers"] = servers
    amendment = options.get("openapi")
    return patched(made, checked(route, amendment)) if amendment else made


def server_of(host: HostPattern) -> Schema:
    """The server that a host of a route is; the parameters of the host are its variables."""
    text = f"{{below}}{host.text[1:]}" if host.below else host.text
    names = (["below"] if host.below else []) + list(host.names)
    made: Schema = {"url": f"https://{text}"}
    if names:
        made["variables"] = {name: {"default": name} for name in names}
    return made


def checked(route: CompiledRoute, amendment: Mapping[str, Any]) -> Schema:
    """What the option `openapi=` says, as JSON has it.

    Raises:
        ConfigurationError: `openapi.not-json`.
    """
    try:
        return cast("Schema", plain(dict(amendment)))
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"the route option openapi= of {route.path} holds what JSON cannot: {error}",
            code="openapi.not-json",
            remedy="use dicts, lists, text, numbers, True, False and None",
            places=[route.place],
        ) from error


def patched(value: Any, patch: Any) -> Any:
    """A value with a merge patch (RFC 7396): dicts are joined, None takes out, all else takes the place of what was there."""
    if not isinstance(patch, dict):
        return patch
    made: Schema = dict(cast("Schema", value)) if isinstance(value, dict) else {}
    for name, each in cast("Schema", patch).items():
        if each is None:
            made.pop(name, None)
        else:
            made[name] = patched(made.get(name), each)
    return made


def joined(first: Schema, second: Schema) -> Schema:
    """One operation for two routes of which the request says, by more than its path, which is meant."""
    made = first | {"responses": joined_by_name(first["responses"], second["responses"])}
    parameters = joined_parameters(first.get("parameters", []), second.get("parameters", []))
    if parameters:
        made["parameters"] = parameters
    if "requestBody" in second:
        ours, theirs = first.get("requestBody", {}), second["requestBody"]
        body = theirs | ours
        body["content"] = joined_contents(ours.get("content", {}), theirs["content"])
        if not (ours.get("required") and theirs.get("required")):
            body.pop("required", None)
        made["requestBody"] = body
    ways = joined_security(first.get("security", []), second.get("security", []))
    if ways:
        made["security"] = ways
    servers = [*first.get("servers", []), *second.get("servers", [])]
    if "servers" in first and "servers" in second:
        made["servers"] = [each for at, each in enumerate(servers) if each not in servers[:at]]
    else:
        # One of them answers everywhere.
        made.pop("servers", None)
    return made


def joined_security(first: list[Schema], second: list[Schema]) -> list[Schema]:
    """The ways to say who asks of either; where one of them asks nobody, that is a way as well."""
    if not first and not second:
        return []
    ways = [*(first or [{}]), *(second or [{}])]
    return [each for at, each in enumerate(ways) if each not in ways[:at]]


def joined_parameters(first: list[Schema], second: list[Schema]) -> list[Schema]:
    theirs = {(each["in"], each["name"]): each for each in second}
    made: list[Schema] = []
    for each in first:
        other = theirs.pop((each["in"], each["name"]), None)
        made.append(either(each, other))
    return [*made, *(either(each, None) for each in theirs.values())]


def either(parameter: Schema, other: Schema | None) -> Schema:
    """A parameter that one route takes, or both do."""
    if parameter["in"] != "path" and (other is None or not other.get("required")):
        parameter = {name: each for name, each in parameter.items() if name != "required"}
    if other is None or other["schema"] == parameter["schema"]:
        return parameter
    return parameter | {"schema": {"anyOf": [parameter["schema"], other["schema"]]}}


def joined_by_name(first: Schema, second: Schema) -> Schema:
    made = dict(first)
    for status, response in second.items():
        if status not in made:
            made[status] = response
            continue
        ours = made[status]
        content = joined_contents(ours.get("content", {}), response.get("content", {}))
        made[status] = response | ours | ({"content": content} if content else {})
    return dict(sorted(made.items()))


def joined_contents(first: Schema, second: Schema) -> Schema:
    made = dict(first)
    for media_type, theirs in second.items():
        ours = made.get(media_type)
        if ours is None or ours == theirs:
            made[media_type] = theirs
        elif ours.get("schema") == theirs.get("schema"):
            examples = {**theirs.get("examples", {}), **ours.get("examples", {})}
            made[media_type] = ours | ({"examples": examples} if examples else {})
        elif "schema" in ours and "schema" in theirs:
            made[media_type] = {"schema": {"anyOf": [ours["schema"], theirs["schema"]]}}
        else:
            made[media_type] = {}
    return made
