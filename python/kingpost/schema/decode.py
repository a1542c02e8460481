"""From a JSON document to a value of a type: the quickest way that reads it rightly, chosen once.

1. msgspec's own decoder, or pydantic's, in one pass, where all classes of the type are of one family;
2. the same between a look at the document and a look at the value, where a rule is theirs to ignore;
3. the general reader, where neither can do it: unions of dataclasses, families mixed.
"""

from __future__ import annotations

from typing import Any

import msgspec

from kingpost.errors import FieldError
from kingpost.schema.after import Doubt, Visit, visit_of
from kingpost.schema.annotation import spelled
from kingpost.schema.codec import Codec, Decode
from kingpost.schema.describe import Describer
from kingpost.schema.kinds.native import StructCodec
from kingpost.schema.kinds.pydantic import is_relaxed
from kingpost.schema.look import Look, look_of
from kingpost.schema.model import models_in, types_in
from kingpost.schema.problems import Location
from kingpost.schema.read import json_classes, read
from kingpost.schema.types import (
    AnyType,
    ModelType,
    OpaqueType,
    Type,
    UnionType,
)


class Decoder:
    """Reads values of one type.

    Args:
        annotation: the type: a class with named fields, a list or a union of such, a scalar.

    Attributes:
        type: its description.
        decode: makes a value of a JSON document (RFC 8259), and raises ValueError at the first doubt. It bounds neither depth nor size.
        way: "native" for one pass of msgspec's or pydantic's decoder, "checked" for that between two looks, "general" for neither.

    Raises:
        TypeError: no JSON becomes such a value.
        NameError: an annotation names what does not exist.
    """

    def __init__(self, annotation: Any) -> None:
        describer = Describer()
        self.annotation = annotation
        self.type: Type = describer.type(annotation)
        self.decode: Decode
        self.way: str
        families: dict[str, Codec] = {
            model.codec.family: model.codec for model in models_in(self.type)
        }
        native: Decode | None = None
        if len(families) <= 1:
            codec = next(iter(families.values()), StructCodec())
            native = self._native(codec, describer)
        if native is None:
            check_unions(self.type)
            self.decode, self.way = self._general, "general"
            return
        family = next(iter(families), "msgspec")
        visit = visit_of(self.type, decimals=family == "msgspec")
        looks_first = self._is_looked_at_first(family, describer)
        if visit is None and not looks_first:
            self.decode, self.way = native, "native"
        else:
            look = look_of(self.type) if looks_first else None
            reads = respelled if family == "pydantic" else looked_at
            seen = native if look is None else reads(look, native)
            self.decode, self.way = visited(seen, visit), "checked"

    def read(self, given: object, root: Location) -> tuple[Any, list[FieldError]]:
        """A value from a document that was decoded without a type, or every rule that it breaks, at most 100.

        Args:
            given: dicts, lists and scalars, as JSON has them.
            root: where it stood, such as `("body",)`.
        """
        return read(self.type, given, root)

    @property
    def is_shallow(self) -> bool:
        """Whether the type itself bounds how deep a document can be, so that nobody needs to count."""
        return is_shallow(self.type)

    def _native(self, codec: Codec, describer: Describer) -> Decode | None:
        is_foreign = codec.family in describer.foreign or any(
            model.foreign_rules for model in models_in(self.type)
        )
        if is_foreign and codec.family == "msgspec":
            return None
        try:
            return codec.decoder(self.annotation, self.type)
        except TypeError:
            # Told again by check_unions, in words of ours, unless the general reader can do it.
            if any(isinstance(each, OpaqueType) for each in types_in(self.type)):
                raise
            return None

    def _is_looked_at_first(self, family: str, describer: Describer) -> bool:
        """Whether the decoder takes what the description refuses, or reads it otherwise."""
        for each in types_in(self.type):
            if isinstance(each, ModelType):
                if (each.closed or each.model.closed) and not each.model.closes_itself:
                    return True
                if each.model.foreign_rules:
                    return True
            elif family == "pydantic" and is_relaxed(each):
                return True
        return family in describer.foreign

    def _general(self, document: bytes) -> Any:
        value, errors = read(self.type, msgspec.json.decode(document), ())
        if errors:
            raise Doubt("the document is not good")
        return value


def looked_at(look: Look, native: Decode) -> Decode:
    def decode(document: bytes) -> Any:
        look(document)
        return native(document)

    return decode


def respelled(look: Look, native: Decode) -> Decode:
    """A decoder that is given what the look has read, in the one spelling that both read alike: decimals as text, six digits of a second."""

    def decode(document: bytes) -> Any:
        return native(msgspec.json.encode(look(document)))

    return decode


def visited(native: Decode, visit: Visit | None) -> Decode:
    if visit is None:
        return native

    def decode(document: bytes) -> Any:
        value = native(document)
        visit(value)
        return value

    return decode


def is_shallow(kind: Type, inside: tuple[object, ...] = ()) -> bool:
    if isinstance(kind, AnyType | OpaqueType) or len(inside) > 32:
        return False
    parts = list(kind.parts())
    mark: object = kind
    if isinstance(kind, ModelType):
        # Unknown members of a model are skipped, however deep: the decoders' own recursion is bounded, and nothing of them is kept.
        mark = kind.model
        if kind.model.opaque:
            return False
        parts = [field.type for field in kind.model.fields]
    if any(mark is each for each in inside):
        return False
    return all(is_shallow(part, (*inside, mark)) for part in parts)


def check_unions(kind: Type) -> None:
    """Raises TypeError for a union in which one value could be of two members."""
    for each in types_in(kind):
        if not isinstance(each, UnionType):
            continue
        models = each.models
        if len(models) > 1 and not each.discriminator:
            names = " and ".join(spelled(model.model.annotation) for model in models)
            raise TypeError(
                f"{names} cannot be told apart; give each a tag, or a Literal field of one name"
            )
        seen: frozenset[type[Any]] = frozenset()
        for member in (*models[:1], *(one for one in each.members if one not in models)):
            classes = json_classes(member)
            # Whole numbers are numbers; int is tried first.
            clash = (classes & seen) - ({int} if float in classes | seen else set[type[Any]]())
            if clash:
                raise TypeError(
                    f"a union has two types that are both written as {', '.join(sorted(JSON_WORDS[one] for one in clash))}"
                )
            seen |= classes


JSON_WORDS: dict[type[Any], str] = {
    dict: "objects",
    list: "lists",
    str: "text",
    int: "numbers",
    float: "numbers",
    bool: "true or false",
    type(None): "null",
}
