"""pydantic's core schemas, changed so that JSON spells bytes and durations as it does for the other kinds.

pydantic has one spelling of bytes for a whole class, UTF-8, and durations that no other kind writes. A validator and a serializer of our own,
made of a changed copy of the class's schema, leave the class itself as it is for everyone else.

What a class's configuration says (`val_json_bytes`, `ser_json_bytes`, `ser_json_timedelta`), what a serializer of its own says, and what
only pydantic can read stays as pydantic has it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec

from kingpost.schema.model import Model, models_in
from kingpost.schema.types import OpaqueType, ScalarType, Type

PARTS = (
    "schema", "items_schema", "keys_schema", "values_schema", "extras_schema", "return_schema",
    "json_schema", "python_schema", "lax_schema", "strict_schema",
    "fields", "computed_fields", "choices", "steps", "definitions",
)  # fmt: skip
"""Keys of a node of a core schema under which its parts stand. Defaults and metadata are none: they may look like nodes."""

Change = Callable[[dict[str, Any], Mapping[str, Any]], dict[str, Any]]
"""From a node without parts, and the configuration of the class that it is in, to what stands in its place."""


def reading_base64(node: dict[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Bytes that are read from base64."""
    if node["type"] != "bytes" or "val_json_bytes" in config:
        return node
    function = {"type": "no-info", "function": from_base64}
    return {"type": "function-before", "function": function, "schema": node}


def written_alike(node: dict[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Bytes and durations that are written as msgspec writes them."""
    settings = OWN_SPELLING.get(node["type"])
    if settings is None or "serialization" in node or any(name in config for name in settings):
        return node
    serialization = {
        "type": "function-plain",
        "function": msgspec_text,
        "when_used": "json-unless-none",
    }
    return {**node, "serialization": serialization}


OWN_SPELLING: Mapping[str, tuple[str, ...]] = {
    "bytes": ("ser_json_bytes",),
    "timedelta": ("ser_json_timedelta", "ser_json_temporal"),
}
"""Types of nodes that pydantic spells otherwise, each with the settings by which a class chooses its spelling."""


def from_base64(given: Any) -> Any:
    """Raises ValueError (msgspec.ValidationError) for text that is not base64."""
    return msgspec.convert(given, bytes) if isinstance(given, str) else given


def msgspec_text(value: Any) -> Any:
    return msgspec.to_builtins(value) if isinstance(value, bytes | dt.timedelta) else value


def changed(schema: Any, kind: Type, change: Change) -> Any:
    """A core schema with other nodes where `change` gives some; the very one that was given where it gives none.

    Args:
        schema: of pydantic.
        kind: the description of its values.
        change: `reading_base64` or `written_alike`.
    """
    return Changing({model.cls: model for model in models_in(kind)}, change).node(schema, {})


class Changing:
    """One core schema being changed."""

    def __init__(self, models: Mapping[type[Any], Model], change: Change) -> None:
        self._models = models
        self._change = change

    def node(self, node: Any, config: Mapping[str, Any]) -> Any:
        if isinstance(node, list | tuple):
            return self._sequence(cast("Sequence[Any]", node), config)
        if not isinstance(node, dict):
            return node
        found = cast("dict[str, Any]", node)
        if not isinstance(found.get("type"), str):
            # Parts by their names, of which one may be "type".
            return self._under(found, found, config)
        cls = found.get("cls")
        model = self._models.get(cls) if isinstance(cls, type) else None
        if model is not None:
            return self._of_model(found, model)
        return self._change(self._under(found, PARTS, config), config)

    def _of_model(self, node: dict[str, Any], model: Model) -> dict[str, Any]:
        config: Mapping[str, Any] = node.get("config") or {}
        left = {field.name for field in model.fields if leads_to(is_opaque, field.type)}
        if node.get("root_model"):
            return node if left else self._under(node, ("schema",), config)
        return self._fields(node, left, config)

    def _fields(
        self, node: dict[str, Any], left: set[str], config: Mapping[str, Any]
    ) -> dict[str, Any]:
        """A node of a class, or one on the way from it to its fields, of which some are left alone."""
        fields = node.get("fields")
        if node["type"] == "dataclass" or fields is None:
            inside = self._fields(node["schema"], left, config) if "schema" in node else None
            return node if inside is node.get("schema") else {**node, "schema": inside}
        found: Any
        if isinstance(fields, dict):
            by_name = cast("dict[str, Any]", fields)
            wanted = [name for name in by_name if name not in left]
            found = self._under(by_name, wanted, config)
        else:
            listed = cast("list[dict[str, Any]]", fields)
            found = [each if each["name"] in left else self.node(each, config) for each in listed]
            found = fields if all(map(is_same, found, listed)) else found
        made = node if found is fields else {**node, "fields": found}
        return self._under(made, ("computed_fields", "extras_schema"), config)

    def _under(
        self, node: dict[str, Any], names: Iterable[str], config: Mapping[str, Any]
    ) -> dict[str, Any]:
        parts = {name: self.node(node[name], config) for name in names if name in node}
        if all(part is node[name] for name, part in parts.items()):
            return node
        return {**node, **parts}

    def _sequence(self, nodes: Sequence[Any], config: Mapping[str, Any]) -> Sequence[Any]:
        """A list of nodes; or a tuple, of a node and its label."""
        parts = [self.node(each, config) for each in nodes]
        if all(map(is_same, parts, nodes)):
            return nodes
        return tuple(parts) if isinstance(nodes, tuple) else parts


def is_same(one: object, other: object) -> bool:
    return one is other


def leads_to(test: Callable[[Type], bool], kind: Type) -> bool:
    """Whether a type, or a part of it, is one; what the fields of models lead to is not looked at."""
    return test(kind) or any(leads_to(test, part) for part in kind.parts())


def is_opaque(kind: Type) -> bool:
    return isinstance(kind, OpaqueType)


def is_bytes(kind: Type) -> bool:
    return isinstance(kind, ScalarType) and kind.name == "bytes"
