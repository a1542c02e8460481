"""Parameters of the path, the query, the header and cookies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from kingpost.app.plan import CompiledRoute
from kingpost.binding.fields import FromModel, FromText, FromTexts, PlaceName, wire_name
from kingpost.binding.signature import EMPTY
from kingpost.binding.sources import REQUIRED, FromPath
from kingpost.openapi.components import Schema
from kingpost.openapi.readings import Reading
from kingpost.openapi.schemas import Schemas, not_null, said_default
from kingpost.routing.converters import BUILT_IN, SLUG, value_type
from kingpost.routing.pattern import Parameter
from kingpost.routing.predicates import HasHeader, HasQuery
from kingpost.schema import (
    ChoiceType,
    Field,
    ListType,
    MapType,
    ModelType,
    ScalarType,
    Type,
    type_of,
)
from kingpost.schema.types import inner

SEPARATED: Mapping[str, str] = {",": "form", " ": "spaceDelimited", "|": "pipeDelimited"}
"""The style of a list in the query, by what separates its items."""
TOLD_ELSEWHERE: Final = frozenset({"accept", "content-type", "authorization"})
"""Header fields that are no parameters to OpenAPI: other parts of the document speak of them."""


def parameters_of(
    route: CompiledRoute, readings: Sequence[Reading], schemas: Schemas
) -> list[Schema]:
    """The parameters of a route: those of the path in its order, then the others as they are read, each once."""
    found: dict[tuple[str, str], Schema] = {}
    for each in route.pattern.parameters:
        add(found, of_path(route, each, readings, schemas))
    for reading in readings:
        # A key is told as the scheme that it belongs to.
        for made in of_reading(reading, schemas) if reading.security is None else ():
            add(found, made)
    for made in demanded(route):
        add(found, made)
    return [
        each
        for each in found.values()
        if each["in"] != "header" or each["name"].lower() not in TOLD_ELSEWHERE
    ]


def add(found: dict[tuple[str, str], Schema], made: Schema) -> None:
    """Who reads a parameter first says what it is; who cannot do without it makes it required."""
    earlier = found.setdefault((made["in"], made["name"]), made)
    if made.get("required"):
        earlier["required"] = True


def of_path(
    route: CompiledRoute, parameter: Parameter, readings: Sequence[Reading], schemas: Schemas
) -> Schema:
    reading = next(
        (
            each
            for each in readings
            if isinstance(each.source, FromPath) and each.source.name == parameter.name
        ),
        None,
    )
    made: Schema = {"name": parameter.name, "in": "path", "required": True}
    described = [] if reading is None else [reading.description]
    if parameter.converter == "path":
        described.append("The rest of the path, slashes included.")
    elif parameter.argument is not None:
        described.append(f"As {parameter.converter}({parameter.argument}) has it.")
    if any(described):
        made["description"] = " ".join(filter(None, described))
    if reading is not None and reading.deprecated:
        made["deprecated"] = True
    schema = path_schema(
        route, parameter, EMPTY if reading is None else reading.annotation, schemas
    )
    made["schema"] = schema if reading is None else reading.in_schema(schema)
    return made


def path_schema(
    route: CompiledRoute, parameter: Parameter, annotation: Any, schemas: Schemas
) -> Schema:
    """The schema of the text in the path: a converter of one's own may write a date as it likes."""
    kind = parameter.converter
    text: Schema = {"type": "string"}
    if kind is None:
        wanted = str if annotation in (EMPTY, Any, object) else annotation
    elif parameter.argument is None and route.entry.scope.converters.get(kind) is BUILT_IN.get(
        kind
    ):
        if kind == "slug":
            text["pattern"] = f"^{SLUG.pattern}$"
        wanted = value_type(BUILT_IN[kind]())
        if annotation not in (EMPTY, Any, object):
            # It says at least as much.
            wanted = annotation
    else:
        return text
    schema = schemas.of_type(not_null(type_of(wanted, outgoing=True)), "in")
    if schema.get("type") == "string":
        schema = text | schema
        if kind != "path" and not {"enum", "format", "pattern", "const"} & schema.keys():
            schema.setdefault("minLength", 1)
    return schema


def of_reading(reading: Reading, schemas: Schemas) -> Iterator[Schema]:
    """The parameters that one reading is; none for what comes from elsewhere."""
    source = reading.source
    if isinstance(source, FromText) and source.place != "form":
        yield one(reading, source.place, source.name, source.default, schemas)
    elif isinstance(source, FromTexts) and source.place != "form":
        made = one(reading, source.place, source.name, source.default, schemas)
        yield separated(made, source.place, source.separator)
    elif isinstance(source, FromModel) and source.place != "form":
        yield from of_model(reading, source, schemas)


def one(reading: Reading, place: PlaceName, name: str, default: Any, schemas: Schemas) -> Schema:
    kind = type_of(reading.annotation, outgoing=True)
    schema = reading.in_schema(schemas.of_type(not_null(kind), "in"))
    schema = with_default(schema, default)
    made = parameter(
        name,
        place,
        schema,
        reading.description,
        required=default is REQUIRED,
        old=reading.deprecated,
    )
    return with_empty(made, kind)


def with_default(schema: Schema, default: Any) -> Schema:
    """The schema of a text with what it is where none is sent; a list that must be sent has something in it."""
    if default is REQUIRED:
        return schema | {"minItems": 1} if schema.get("type") == "array" else schema
    return schema if default is None else schema | said_default(default)


def with_empty(made: Schema, kind: Type) -> Schema:
    """A parameter of the query of which an empty text says nothing: what a form sends where nothing was filled in."""
    kind = inner(kind)
    kind = inner(kind.item) if isinstance(kind, ListType) else kind
    is_text = not isinstance(kind, ScalarType | ChoiceType) or getattr(kind, "name", "") == "text"
    if made["in"] != "query" or made.get("required") or is_text:
        return made
    schema = made.pop("schema")
    return made | {"allowEmptyValue": True, "schema": schema}


def parameter(
    name: str, place: str, schema: Schema, description: str, *, required: bool, old: bool
) -> Schema:
    made: Schema = {"name": name, "in": place}
    if description:
        made["description"] = description
    if required:
        made["required"] = True
    if old:
        made["deprecated"] = True
    return made | {"schema": schema}


def separated(made: Schema, place: PlaceName, separator: str | None) -> Schema:
    """A list that is sent as one text; in a header field it always is."""
    if separator is not None and made["schema"].get("items") == {"type": "string"}:
        # Nothing between two separators is no item.
        made["schema"]["items"] = {"type": "string", "minLength": 1}
    if place == "header" or separator is None:
        return made
    if place == "query" and separator not in SEPARATED:
        text = f"{made.get('description', '')} Values separated by {separator!r}.".strip()
        return made | {"description": text, "schema": {"type": "string"}}
    style = SEPARATED.get(separator, "form") if place == "query" else "form"
    return made | {"style": style, "explode": False}


def of_model(reading: Reading, source: FromModel, schemas: Schemas) -> Iterator[Schema]:
    """The fields of a class: each a parameter of its own, or all of them below one name."""
    kind = source.reader.type
    fields = kind.model.fields if isinstance(kind, ModelType) else ()
    if source.below is not None or isinstance(kind, MapType):
        required = source.default is REQUIRED and any(field.required for field in fields)
        made = parameter(
            source.below or reading.name,
            source.place,
            reading.in_schema(schemas.of_type(kind, "in")),
            reading.description,
            required=required,
            old=reading.deprecated,
        )
        style = "form" if source.below is None else "deepObject"
        yield made | {"style": style, "explode": True}
        return
    for field in fields:
        made = of_field(field, source, schemas)
        yield made


def of_field(field: Field, source: FromModel, schemas: Schemas) -> Schema:
    schema = schemas.field(field)
    description = schema.pop("description", "") if "$ref" not in schema else field.description
    made = parameter(
        wire_name(source.place, field.alias),
        source.place,
        schema,
        description,
        required=field.required and source.default is REQUIRED,
        old=field.deprecated,
    )
    kind = inner(field.type)
    if source.place == "query" and any(
        isinstance(each, ModelType | MapType) for each in (kind, *kind.parts())
    ):
        return made | {"style": "deepObject", "explode": True}
    if source.place == "cookie" and isinstance(kind, ListType):
        return made | {"style": "form", "explode": True}
    return with_empty(made, field.type)


def demanded(route: CompiledRoute) -> Iterator[Schema]:
    """What the route's predicates demand of a request."""
    for each in route.conditions.when:
        if isinstance(each, HasHeader | HasQuery):
            schema: Schema = {"type": "string"}
            if each.value is not None:
                schema["const"] = each.value
            place = "header" if isinstance(each, HasHeader) else "query"
            yield parameter(each.name, place, schema, "", required=True, old=False)
