"""A look at a document before a decoder reads it that would take more than the description does, or read it otherwise.

msgspec takes unknown fields where a dataclass is to refuse them; pydantic takes numbers for dates. The look is msgspec's decoder of
Structs made of the description, which costs about what decoding costs; where no such Structs can be made, it is the general reader.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, Union

import msgspec

from kingpost.schema.after import Doubt
from kingpost.schema.annotation import generic
from kingpost.schema.model import Model
from kingpost.schema.read import read
from kingpost.schema.rules import Rules
from kingpost.schema.types import (
    ChoiceType,
    ListType,
    MapType,
    ModelType,
    ScalarType,
    TupleType,
    Type,
    UnionType,
)

Look = Callable[[bytes], object]


def look_of(kind: Type) -> Look:
    """What raises ValueError for a document that the description of a type refuses, and gives back what it has read.

    That becomes JSON by `msgspec.json.encode`, with every value spelled as msgspec spells it.
    """
    try:
        decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Mirror().of(kind))
    except (TypeError, ValueError):
        # Rules for dates, models in themselves, unions that msgspec cannot tell apart.
        return general_look(kind)
    return decoder.decode


def general_look(kind: Type) -> Look:
    def look(document: bytes) -> object:
        found, errors = read(kind, msgspec.json.decode(document), (), constructs=False)
        if errors:
            raise Doubt("the document is not good")
        return found

    return look


class Mirror:
    """Makes types of msgspec's of a description; raises TypeError or ValueError where there are none."""

    def __init__(self) -> None:
        self._making: list[Model] = []

    def of(self, kind: Type) -> Any:
        """A type that takes what the description takes."""
        made = self._plain(kind)
        return Annotated[made, meta_of(kind.rules)] if kind.rules and made is not Any else made

    def _plain(self, kind: Type) -> Any:
        if isinstance(kind, ScalarType):
            return kind.cls
        if isinstance(kind, ChoiceType):
            return kind.enum if kind.enum is not None else generic(Literal, *kind.values)
        if isinstance(kind, ModelType):
            return Any if kind.model.opaque else self._model(kind)
        if isinstance(kind, UnionType):
            null = (None,) if kind.takes_null else ()
            return generic(Union, *map(self.of, kind.members), *null)
        return self._container(kind)

    def _container(self, kind: Type) -> Any:
        if isinstance(kind, ListType):
            return generic(list, self.of(kind.item))
        if isinstance(kind, TupleType):
            return generic(tuple, *map(self.of, kind.items))
        if isinstance(kind, MapType):
            return generic(dict, self.of(kind.key), self.of(kind.value))
        return Any

    def _model(self, kind: ModelType) -> Any:
        model = kind.model
        if model in self._making or model.keeps_unknown:
            raise TypeError("no Struct says that")
        self._making.append(model)
        fields: list[Any] = []
        names: list[str] = []
        for field in model.fields:
            made = self.of(field.type)
            unset = Any if made is Any else generic(Union, made, msgspec.UnsetType)
            # That one of two names is there is for the decoder to see.
            both = [field.alias, field.name] if model.by_name else [field.alias]
            for name in dict.fromkeys(both):
                is_needed = field.required and len(set(both)) == 1
                rest = (made,) if is_needed else (unset, msgspec.UNSET)
                fields.append((f"f{len(names)}", *rest))
                names.append(name)
        self._making.pop()
        return msgspec.defstruct(
            model.cls.__name__,
            fields,
            rename={f"f{index}": name for index, name in enumerate(names)},
            kw_only=not model.array_like,
            forbid_unknown_fields=kind.closed or model.closed,
            array_like=model.array_like,
            tag_field=model.tag_field or None,
            tag=model.tag,
        )


def meta_of(rules: Rules) -> msgspec.Meta:
    said = {name: getattr(rules, name) for name in Rules.__struct_fields__}
    return msgspec.Meta(**{name: value for name, value in said.items() if value is not None})
