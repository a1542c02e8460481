"""What a class with named fields looks like, for all who ask: bodies, forms and queries, answers, the admin, OpenAPI.

A class may be a msgspec Struct, a dataclass, a TypedDict, an attrs class or a pydantic model, or of a kind that you registered; they can
be mixed in one app and in one another, and the same input gets the same answer from each. Which to choose, and what each costs, says the
how-to on models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kingpost.schema.codec import Codec, problems_of
from kingpost.schema.decode import Decoder
from kingpost.schema.describe import Describer, describe, type_of
from kingpost.schema.form import TextReader
from kingpost.schema.markers import Only, Partial, Without, check, closed
from kingpost.schema.model import Field, Model, models_in, types_in
from kingpost.schema.problems import Invalid
from kingpost.schema.registry import codec_of, register, unregister
from kingpost.schema.rules import Rules
from kingpost.schema.types import (
    AnyType,
    ChoiceType,
    ListType,
    MapType,
    ModelType,
    OpaqueType,
    ScalarType,
    TupleType,
    Type,
    UnionType,
)

if TYPE_CHECKING:
    from kingpost.schema.private import Private

__all__ = [
    "AnyType",
    "ChoiceType",
    "Codec",
    "Decoder",
    "Describer",
    "Field",
    "Invalid",
    "ListType",
    "MapType",
    "Model",
    "ModelType",
    "Only",
    "OpaqueType",
    "Partial",
    "Private",
    "Rules",
    "ScalarType",
    "TextReader",
    "TupleType",
    "Type",
    "UnionType",
    "Without",
    "check",
    "closed",
    "codec_of",
    "describe",
    "models_in",
    "problems_of",
    "register",
    "type_of",
    "types_in",
    "unregister",
]


if not TYPE_CHECKING:
    # Imported at the first look: that it was imported says that this process has private fields.
    def __getattr__(name: str) -> object:
        if name != "Private":
            raise AttributeError(f"module 'kingpost.schema' has no attribute {name!r}")
        from kingpost.schema.private import Private

        globals()[name] = Private
        return Private
