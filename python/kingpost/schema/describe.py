"""From annotations to descriptions."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import uuid
from collections.abc import Mapping, MutableMapping, MutableSequence, MutableSet, Sequence
from typing import Any, Final, Literal, TypeVar, get_args, get_origin

import msgspec

from kingpost.schema.annotation import bare, is_union, list_of, spelled
from kingpost.schema.codec import Codec
from kingpost.schema.markers import closed, described, is_closed, is_private
from kingpost.schema.model import NO_DEFAULT, Field, Model
from kingpost.schema.registry import codec_of
from kingpost.schema.rules import Rules, metas_in
from kingpost.schema.types import (
    AnyType,
    ChoiceType,
    ListType,
    MapType,
    ModelType,
    OpaqueType,
    ScalarName,
    ScalarType,
    TupleType,
    Type,
    UnionType,
)

SCALARS: Mapping[Any, ScalarName] = {
    int: "integer",
    float: "number",
    str: "text",
    bool: "boolean",
    type(None): "null",
    dt.datetime: "datetime",
    dt.date: "date",
    dt.time: "time",
    dt.timedelta: "duration",
    uuid.UUID: "uuid",
    decimal.Decimal: "decimal",
    bytes: "bytes",
    bytearray: "bytes",
    memoryview: "bytes",
}
MUTABLE: Mapping[Any, Any] = {MutableSequence: list, MutableSet: set}
MAPS = (dict, Mapping, MutableMapping)

ORDERED: Final = frozenset({"gt", "ge", "lt", "le"})
SIZED: Final = frozenset({"min_length", "max_length"})
FITTING: Mapping[str, frozenset[str]] = {
    "integer": ORDERED | {"multiple_of"},
    "number": ORDERED | {"multiple_of"},
    "decimal": ORDERED | {"multiple_of"},
    "text": SIZED | {"pattern"},
    "bytes": SIZED,
    "date": ORDERED,
    "datetime": ORDERED | {"tz"},
    "time": ORDERED | {"tz"},
    "duration": ORDERED,
}


def describe(annotation: Any) -> Model:
    """The description of a class with named fields.

    A Struct, a dataclass, a TypedDict, an attrs class, a pydantic model, or a class of a kind that was registered.

    Args:
        annotation: the class, with its type arguments if it has some.

    Raises:
        TypeError: it is no such class, or has a field of a type that no JSON can become.

    Example:
        >>> from kingpost import Struct
        >>> class Point(Struct):
        ...     x: int
        ...     y: int = 0
        >>> [(field.name, field.required) for field in describe(Point).fields]
        [('x', True), ('y', False)]
    """
    kind = type_of(annotation)
    if not isinstance(kind, ModelType):
        raise TypeError(f"{spelled(annotation)} has no named fields")
    return kind.model


def type_of(annotation: Any, *, outgoing: bool = False) -> Type:
    """The description of any annotation.

    Args:
        annotation: with all its metadata.
        outgoing: for a value that is only sent: parts that JSON cannot become are no mistake, and are opaque.

    Raises:
        TypeError: it has a part that no JSON can become.
    """
    return Describer(outgoing=outgoing).type(annotation)


class Describer:
    """Describes one annotation, and whatever it leads to.

    Args:
        outgoing: whether parts that JSON cannot become are no mistake.
        handed: classes that are none of JSON's, and opaque: whoever reads has their values from elsewhere.

    Attributes:
        foreign: families whose decoder does not know a rule that stands outside of all models.
    """

    def __init__(self, *, outgoing: bool = False, handed: Sequence[type[Any]] = ()) -> None:
        self._outgoing = outgoing
        self._handed = handed
        self._models: dict[Any, Model] = {}
        self.foreign: set[str] = set()

    def type(self, annotation: Any, owner: Model | None = None) -> Type:
        """The type of an annotation.

        Args:
            annotation: with all its metadata.
            owner: the model that has it as the type of a field.

        Raises:
            TypeError: no JSON becomes it.
        """
        stripped = bare(annotation)
        metas = metas_in(stripped.metadata)
        self._note_foreign(metas, owner)
        rules = Rules.joined(metas)
        if is_union(stripped.type):
            members = [
                member for member in get_args(stripped.type) if member is not msgspec.UnsetType
            ]
        else:
            members = [stripped.type]
        kinds_ = tuple(self._member(member, stripped.metadata, owner) for member in members)
        ruled = with_rules(kinds_, rules, annotation)
        if len(ruled) == 1 and not stripped.is_optional:
            return ruled[0]
        return UnionType(members=flat(ruled), takes_null=stripped.is_optional)

    def _member(self, annotation: Any, metadata: Sequence[object], owner: Model | None) -> Type:
        stripped = bare(annotation)
        if stripped.metadata or stripped.type is not annotation:
            return self.type(annotation, owner)
        return self._single(annotation, metadata, owner)

    def _note_foreign(self, metas: Sequence[object], owner: Model | None) -> None:
        for meta in metas:
            family = "pydantic" if isinstance(meta, msgspec.Meta) else "msgspec"
            if owner is None:
                self.foreign.add(family)
            elif owner.codec.family == family:
                owner.foreign_rules = True

    def _single(self, kind: Any, metadata: Sequence[object], owner: Model | None) -> Type:
        plain = self._plain(type(None) if kind is None else kind, owner)
        if plain is not None:
            return plain
        if kind in self._handed:
            return OpaqueType(annotation=kind)
        cls: Any = get_origin(kind) or kind
        codec = codec_of(cls)
        if codec is not None:
            model = self.model(kind, cls, codec)
            return ModelType(model=model, closed=model.closed or closed in metadata)
        is_known = owner is not None and owner.codec.family != "msgspec"
        if kind is msgspec.Raw or is_known or self._outgoing:
            return OpaqueType(annotation=kind)
        raise TypeError(f"no JSON becomes {spelled(kind)}")

    def _plain(self, kind: Any, owner: Model | None) -> Type | None:
        """The type of what has no fields; None for all else."""
        if kind in (Any, object):
            return AnyType()
        if isinstance(kind, TypeVar):
            return self.type(kind.__bound__ or Any, owner)
        if get_origin(kind) is Literal:
            return ChoiceType(values=get_args(kind))
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return ChoiceType(values=tuple(member.value for member in kind), enum=kind)
        # A Literal or an Annotated may hold what has no hash.
        if isinstance(kind, type) and kind in SCALARS:
            return ScalarType(name=SCALARS[kind], cls=kind)
        return self._container(kind, owner)

    def _container(self, kind: Any, owner: Model | None) -> Type | None:
        listed = list_of(kind)
        if listed is not None:
            return ListType(item=self.type(listed[1], owner), container=listed[0])
        origin, arguments = get_origin(kind) or kind, get_args(kind)
        if origin in MUTABLE:
            item = arguments[0] if arguments else Any
            return ListType(item=self.type(item, owner), container=MUTABLE[origin])
        if origin is tuple:
            if not arguments:
                return ListType(item=AnyType(), container=tuple)
            return TupleType(items=tuple(self.type(item, owner) for item in arguments))
        if origin in MAPS:
            key, value = arguments or (str, Any)
            return MapType(key=self.type(key, owner), value=self.type(value, owner))
        return None

    def model(self, annotation: Any, cls: Any, codec: Codec) -> Model:
        """The model of a class; the same one every time, so that it may lead back to itself."""
        model = self._models.get(annotation)
        if model is None:
            model = self._models[annotation] = Model(annotation, cls, spelled(annotation), codec)
            model.closed = is_closed(cls)
            doc = cls.__doc__ if "__doc__" in vars(cls) else None
            # A dataclass without a docstring is given its signature as one.
            # Its lines are kept: in a description they are Markdown.
            model.description = (
                "" if not doc or doc.startswith(f"{cls.__name__}(") else cleaned(doc)
            )
            codec.describe(model, self)
            if not self._outgoing:
                described(cls)
        return model

    def field(
        self,
        owner: Model,
        name: str,
        annotation: Any,
        *,
        alias: str | None = None,
        required: bool,
        default: Any = NO_DEFAULT,
        default_factory: Any = None,
        **known: Any,
    ) -> Field:
        """The description of one field; what its annotation says of it is read from there.

        Args:
            owner: the model that has it.
            name: the attribute.
            annotation: its type, with all its metadata.
            alias: its name in JSON, if that is another one.
            required: whether it must be given.
            default: its default.
            default_factory: what makes its default.
            **known: other attributes of `Field` that the class says itself; `type` keeps the annotation from being described.

        Raises:
            TypeError: no JSON becomes its type, or a rule does not fit it; the message begins with the names of class and field.
        """
        metadata = bare(annotation).metadata
        said: dict[str, Any] = {"private": is_private(metadata)}
        for meta in metadata:
            if isinstance(meta, msgspec.Meta):
                said |= said_by(meta)
            elif type(meta).__name__ == "deprecated" and hasattr(meta, "category"):
                # PEP 702's warnings.deprecated
                said["deprecated"] = True
        said |= {key: value for key, value in known.items() if value}
        kind = said.pop("type", None)
        if kind is None:
            try:
                kind = self.type(annotation, owner)
            except TypeError as error:
                raise TypeError(f"{owner.name}.{name}: {error}") from error
        return Field(
            name=name,
            alias=alias or name,
            annotation=annotation,
            type=kind,
            required=required,
            default=default,
            default_factory=default_factory,
            **said,
        )


def said_by(meta: msgspec.Meta) -> dict[str, Any]:
    extra = dict(meta.extra_json_schema or {})
    said = {
        "title": meta.title,
        "description": meta.description,
        "examples": tuple(meta.examples or ()),
        "deprecated": bool(extra.pop("deprecated", False)),
        "extra": extra,
    }
    return {name: value for name, value in said.items() if value}


def with_rules(kinds_: tuple[Type, ...], rules: Rules, annotation: Any) -> tuple[Type, ...]:
    """Types with the rules of an annotation around them, each with those that fit it.

    Raises:
        TypeError: a rule fits none of them.
    """
    if not rules:
        return kinds_
    wanted = {name for name in Rules.__struct_fields__ if getattr(rules, name) is not None}
    left = wanted.difference(*map(fits, kinds_))
    if left:
        raise TypeError(
            f"{', '.join(sorted(left))} is no rule for {spelled(bare(annotation).type)}"
        )
    return tuple(with_parts(kind, rules, wanted) for kind in kinds_)


def with_parts(kind: Type, rules: Rules, wanted: set[str]) -> Type:
    if isinstance(kind, UnionType):
        members = tuple(with_parts(member, rules, wanted) for member in kind.members)
        return msgspec.structs.replace(kind, members=members)
    parts: dict[str, Any] = {name: getattr(rules, name) for name in wanted & fits(kind)}
    if not parts:
        return kind
    return msgspec.structs.replace(kind, rules=msgspec.structs.replace(kind.rules, **parts))


def fits(kind: Type) -> frozenset[str]:
    """The rules that can be about a type."""
    if isinstance(kind, ScalarType):
        return FITTING.get(kind.name, frozenset())
    if isinstance(kind, ListType | MapType):
        return SIZED
    if isinstance(kind, UnionType):
        return frozenset[str]().union(*map(fits, kind.members))
    if isinstance(kind, OpaqueType | AnyType):
        return frozenset(Rules.__struct_fields__)
    return frozenset()


def flat(members: Sequence[Type]) -> tuple[Type, ...]:
    """Members of members are members; null is told elsewhere."""
    found: list[Type] = []
    for member in members:
        if isinstance(member, UnionType) and not member.takes_null and not member.rules:
            found += member.members
        else:
            found.append(member)
    return tuple(found)


def cleaned(doc: str) -> str:
    """A docstring without the indentation of its code."""
    # Not at the top: making an App needs it not.
    from inspect import cleandoc

    return cleandoc(doc).strip()
