"""From described types to JSON Schema 2020-12, the dialect of OpenAPI 3.1."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast, get_args, get_origin

import msgspec

from kingpost.openapi.components import WHOLE, Direction, Found, Key, Ref, Schema
from kingpost.openapi.opaque import opaque_schema
from kingpost.schema import (
    AnyType,
    ChoiceType,
    Field,
    ListType,
    MapType,
    Model,
    ModelType,
    OpaqueType,
    ScalarType,
    TupleType,
    Type,
    UnionType,
    codec_of,
    type_of,
)
from kingpost.schema.annotation import bare, class_of, is_typed_dict, is_union, list_of
from kingpost.schema.describe import cleaned
from kingpost.schema.markers import Only, Partial, Without
from kingpost.schema.model import NO_DEFAULT
from kingpost.schema.rules import Rules
from kingpost.schema.selection import Selection

NUMBER: Final = r"^-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
SCALARS: Mapping[str, Schema] = {
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "text": {"type": "string"},
    "boolean": {"type": "boolean"},
    "null": {"type": "null"},
    "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time"},
    "duration": {"type": "string", "format": "duration"},
    "uuid": {"type": "string", "format": "uuid"},
    "decimal": {"type": "string", "format": "decimal", "pattern": NUMBER},
    "bytes": {"type": "string", "contentEncoding": "base64"},
}
JSON_TYPES: Mapping[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
SIZES: Mapping[str, tuple[str, str]] = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}
BOUNDS: Mapping[str, str] = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
}


class Schemas:
    """Makes schemas, and keeps those of classes apart, to be shared."""

    def __init__(self) -> None:
        self.found: Found = {}
        self.security: dict[str, Schema] = {}

    def incoming(self, annotation: Any) -> Schema:
        """The schema of what is read as a type; where its parts cannot be read, of anything."""
        return self.of_type(type_of(annotation, outgoing=True), "in")

    def outgoing(self, annotation: Any, selection: Selection = WHOLE) -> Schema:
        """The schema of what is sent of a type, private fields and those that `Only` and `Without` leave out aside."""
        if not selection and not says_selection(annotation):
            return self.of_type(type_of(annotation, outgoing=True), "out")
        stripped = bare(annotation)
        schema = self._selected(stripped.type, selection.and_of(stripped.metadata))
        return nullable(schema) if stripped.is_optional else schema

    def _selected(self, kind: Any, selection: Selection) -> Schema:
        origin, arguments = get_origin(kind) or kind, get_args(kind)
        if is_union(kind):
            return {"anyOf": [self.outgoing(each, selection) for each in arguments]}
        listed = list_of(kind)
        if listed is not None:
            return {"type": "array", "items": self.outgoing(listed[1], selection)}
        if origin is tuple and arguments:
            return fixed([self.outgoing(each, selection) for each in arguments])
        if origin in (dict, Mapping) and arguments:
            return {
                "type": "object",
                "additionalProperties": self.outgoing(arguments[1], selection),
            }
        described = type_of(kind, outgoing=True)
        if isinstance(described, ModelType) and codec_of(origin) is not None:
            return self.shared(described.model, Key(kind, "out", selection))
        return self.of_type(described, "out")

    def put(self, cls: Any, schema: Schema) -> Schema:
        """Share a schema under the name of a class."""
        key = Key(cls)
        self.found.setdefault(key, schema)
        return {"$ref": Ref(key)}

    def shared(self, model: Model, key: Key) -> Schema:
        """A reference to the schema of a model."""
        if key not in self.found:
            # A model may lead back to itself.
            self.found[key] = {}
            self.found[key].update(self._model(model, key))
        return {"$ref": Ref(key)}

    def of_type(self, kind: Type, direction: Direction) -> Schema:
        """The schema of a described type."""
        return OF_TYPE[type(kind)](self, kind, direction)

    def anything(self, _kind: AnyType, _direction: Direction) -> Schema:
        return {}

    def opaque(self, kind: OpaqueType, _direction: Direction) -> Schema:
        return with_rules(opaque_schema(kind.annotation), kind.rules)

    def scalar(self, kind: ScalarType, _direction: Direction) -> Schema:
        return with_rules(dict(SCALARS[kind.name]), kind.rules, in_base64=kind.name == "bytes")

    def choice(self, kind: ChoiceType, _direction: Direction) -> Schema:
        schema = choices(list(kind.values))
        if kind.enum is None:
            return schema
        doc = vars(kind.enum).get("__doc__")
        if doc and doc != "An enumeration.":
            schema["description"] = cleaned(doc)
        return self.put(kind.enum, schema)

    def items(self, kind: ListType, direction: Direction) -> Schema:
        schema: Schema = {"type": "array", "items": self.of_type(kind.item, direction)}
        # What is read may say a thing twice: it is taken once.
        if direction == "out" and kind.container in (set, frozenset):
            schema["uniqueItems"] = True
        return with_rules(schema, kind.rules)

    def fixed(self, kind: TupleType, direction: Direction) -> Schema:
        return fixed([self.of_type(each, direction) for each in kind.items])

    def mapping(self, kind: MapType, direction: Direction) -> Schema:
        schema: Schema = {"type": "object"}
        names = self.of_type(kind.key, direction)
        if names.get("type") == "string" and len(names) > 1:
            schema["propertyNames"] = names
        schema["additionalProperties"] = self.of_type(kind.value, direction)
        return with_rules(schema, kind.rules)

    def union(self, kind: UnionType, direction: Direction) -> Schema:
        members = [self.of_type(each, direction) for each in kind.members]
        if len(members) == 1:
            return nullable(members[0]) if kind.takes_null else members[0]
        schema: Schema = {"anyOf": members}
        if kind.discriminator and len(kind.models) == len(members):
            schema = {"oneOf": members, "discriminator": self._discriminator(kind, members)}
            if kind.takes_null:
                return {"anyOf": [schema, {"type": "null"}]}
        elif kind.takes_null:
            members.append({"type": "null"})
        return schema

    def _discriminator(self, kind: UnionType, members: list[Schema]) -> Schema:
        mapping: Schema = {}
        for member, schema in zip(kind.models, members, strict=True):
            model = member.model
            tags = [model.tag] if model.tag_field else discriminating(model, kind.discriminator)
            for tag in tags:
                text = str(tag).lower() if isinstance(tag, bool) else str(tag)
                mapping[text] = schema["$ref"]
        return {"propertyName": kind.discriminator, "mapping": mapping}

    def model(self, kind: ModelType, direction: Direction) -> Schema:
        closed = kind.closed and not kind.model.closed
        return self.shared(kind.model, Key(kind.model.annotation, direction, closed=closed))

    def _model(self, model: Model, key: Key) -> Schema:
        fields = [each for each in model.fields if key.direction == "in" or is_sent(each, key)]
        made = [(each, self._field(each, key)) for each in fields]
        if getattr(model.cls, "__pydantic_root_model__", False):
            return made[0][1]
        described: Schema = {"description": model.description} if model.description else {}
        if model.array_like:
            tag: list[Schema] = [choices([model.tag])] if model.tag_field else []
            needed = len(tag) + sum(field.required for field in fields)
            listed = fixed([*tag, *(schema for _, schema in made)], needed)
            if not (model.closed or key.closed):
                del listed["items"]
                listed.pop("maxItems")
            return described | listed
        properties = {field.alias: schema for field, schema in made}
        required = [field.alias for field in fields if is_there(field, model, key)]
        if model.tag_field:
            properties = {model.tag_field: choices([model.tag]), **properties}
            required.insert(0, model.tag_field)
        described |= {"type": "object", "properties": properties}
        if required:
            described["required"] = required
        if model.closed or key.closed:
            described["additionalProperties"] = False
        return described

    def field(self, field: Field) -> Schema:
        """The schema of one field, read from a text: null is no value of it."""
        replaced = msgspec.structs.replace(field, type=not_null(field.type))
        schema = self._field(replaced, Key(field.annotation, "in"))
        if schema.get("default", "") is None:
            del schema["default"]
        return schema

    def _field(self, field: Field, key: Key) -> Schema:
        below = key.selection.below(field.name) if key.selection else WHOLE
        if key.direction == "out" and (below or says_selection(field.annotation)):
            schema = self.outgoing(field.annotation, below)
        else:
            schema = self.of_type(field.type, key.direction)
        said: Schema = dict(field.extra)
        if field.title:
            said["title"] = field.title
        if field.description:
            said["description"] = field.description
        if not field.private:
            said |= default_of(field)
        if field.examples:
            said["examples"] = [plain(each) for each in field.examples]
        if field.deprecated:
            said["deprecated"] = True
        if field.private:
            said["writeOnly"] = True
        return schema | said


OF_TYPE: Mapping[type[Type], Callable[[Schemas, Any, Direction], Schema]] = {
    AnyType: Schemas.anything,
    OpaqueType: Schemas.opaque,
    ScalarType: Schemas.scalar,
    ChoiceType: Schemas.choice,
    ListType: Schemas.items,
    TupleType: Schemas.fixed,
    MapType: Schemas.mapping,
    UnionType: Schemas.union,
    ModelType: Schemas.model,
}


def is_sent(field: Field, key: Key) -> bool:
    return not (field.private or key.selection.leaves_out(field.name))


def is_there(field: Field, model: Model, key: Key) -> bool:
    """Whether a field is always there: given, where the model is read; in the answer, where it is sent."""
    if field.required or key.direction == "in" or is_typed_dict(model.cls):
        return field.required
    config = getattr(model.cls, "__struct_config__", None)
    if key.selection.partial or getattr(config, "omit_defaults", False):
        return False
    if field.default is msgspec.UNSET:
        return False
    return field.default is not NO_DEFAULT or field.default_factory is not None


def discriminating(model: Model, name: str) -> list[Any]:
    found = next(field.type for field in model.fields if field.alias == name)
    return list(found.values) if isinstance(found, ChoiceType) else []


def choices(values: list[Any]) -> Schema:
    """One of several values."""
    schema: Schema = {}
    kinds = {JSON_TYPES.get(class_of(value), "") for value in values}
    if len(kinds) == 1 and "" not in kinds:
        schema["type"] = kinds.pop()
    if len(values) == 1:
        return schema | {"const": plain(values[0])}
    return schema | {"enum": [plain(value) for value in values]}


def fixed(items: list[Schema], needed: int | None = None) -> Schema:
    """A list of fixed length; of `needed` items or more where that is said."""
    return {
        "type": "array",
        "prefixItems": items,
        "items": False,
        "minItems": len(items) if needed is None else needed,
        "maxItems": len(items),
    }


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    if "enum" in schema and "type" in schema:
        return schema | {"type": [schema["type"], "null"], "enum": [*schema["enum"], None]}
    if isinstance(schema.get("type"), str) and "const" not in schema:
        return schema | {"type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]} if schema else schema


def not_null(kind: Type) -> Type:
    """A type without null: nothing in a query, a header or a form says null."""
    if not isinstance(kind, UnionType) or not kind.takes_null:
        return kind
    if len(kind.members) == 1:
        return kind.members[0]
    return UnionType(members=kind.members, takes_null=False, rules=kind.rules)


def with_rules(schema: Schema, rules: Rules, *, in_base64: bool = False) -> Schema:
    """A schema with bounds, lengths and patterns."""
    if not rules:
        return schema
    kind = schema.get("type", "")
    for name, word in BOUNDS.items():
        value = getattr(rules, name)
        # Of a date or a decimal JSON Schema has no words for bounds.
        if value is not None and kind in ("integer", "number", ""):
            schema[word] = value if isinstance(value, int) else float(value)
    if rules.pattern is not None:
        schema["pattern"] = ecmascript(rules.pattern)
    for value, word in zip((rules.min_length, rules.max_length), SIZES.get(kind, ()), strict=False):
        if value is not None:
            schema[word] = -(-value // 3) * 4 if in_base64 else value
    return schema


def ecmascript(pattern: str) -> str:
    r"""A regular expression of Python's as JSON Schema has it: `(?P<name>` and `\Z` are Python's own."""
    return re.sub(r"\(\?P<", "(?<", pattern).replace(r"\Z", "$").replace(r"\A", "^")


def default_of(field: Field) -> Schema:
    if field.default_factory in (list, dict, set, frozenset, tuple):
        return {"default": {} if field.default_factory is dict else []}
    if field.default is NO_DEFAULT or field.default is msgspec.UNSET:
        return {}
    return said_default(field.default)


def said_default(value: Any) -> Schema:
    """`{"default": …}`; nothing for a value that JSON does not have."""
    try:
        return {"default": plain(value)}
    except (TypeError, ValueError):
        return {}


def plain(value: Any) -> Any:
    """A value as JSON has it: what has an order keeps it, and a set is given one.

    Raises:
        TypeError, ValueError: it has none such.
    """
    if isinstance(value, dict):
        members = cast("dict[object, object]", value)
        return {as_text(name): plain(each) for name, each in members.items()}
    if class_of(value) in (list, tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no number of JSON")
    made = msgspec.to_builtins(value, order="deterministic", str_keys=True)
    # Tuples within what was an object are lists in JSON.
    return plain(made) if isinstance(made, dict | list | tuple) else made


def as_text(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{name!r} is no name of JSON")
    return name


def says_selection(annotation: Any) -> bool:
    """Whether `Only`, `Without` or `Partial` stands in an annotation."""
    stripped = bare(annotation)
    if any(
        isinstance(each, Only | Without | Partial) or each is Partial for each in stripped.metadata
    ):
        return True
    return any(says_selection(each) for each in get_args(stripped.type) if not is_constant(each))


def is_constant(argument: Any) -> bool:
    """Whether an argument of a type is no type, as those of Literal and Ellipsis are."""
    return argument is Ellipsis or isinstance(argument, str | int | bytes | list)
