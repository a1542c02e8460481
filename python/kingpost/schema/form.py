"""Models from the texts of a form or a query: `name=Ada&tags=a&tags=b&address[city]=London&items[0][count]=2`.

The texts become what JSON would have said, by the described types, and the general reader reads that: a form and a body that say the
same get the same value, or the same errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from kingpost import limits
from kingpost.errors import BadRequest, FieldError
from kingpost.schema.annotation import spelled
from kingpost.schema.decode import Decoder, check_unions
from kingpost.schema.describe import Describer
from kingpost.schema.model import types_in
from kingpost.schema.problems import Location, Refused
from kingpost.schema.read import Misread, read
from kingpost.schema.text import SIMPLE, spelling
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

KEY: Final = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")
STEP: Final = re.compile(r"\[([^\[\]]*)\]")

ABSENT: Final = msgspec.UNSET
"""Stands where nothing was filled in."""

NOTHING: Final[Mapping[str, Sequence[object]]] = MappingProxyType({})


class Texts:
    """What was sent under one name: texts, and names below it."""

    __slots__ = ("below", "values")

    def __init__(self, values: Sequence[str] = ()) -> None:
        self.values = list(values)
        self.below: dict[str, Texts] = {}

    def at(self, step: str) -> Texts:
        return self.below.setdefault(step, Texts())

    def items(self) -> Iterator[Texts]:
        """The parts of a list: the texts one by one, then `name[]`, then `name[0]`, `name[1]` in the order of their numbers."""
        for value in self.values:
            yield Texts([value])
        for value in self.below[""].values if "" in self.below else ():
            yield Texts([value])
        numbered = [step for step in self.below if step.isascii() and step.isdigit()]
        for step in sorted(numbered, key=lambda step: (len(step.lstrip("0")), step.lstrip("0"))):
            yield self.below[step]


class HandedField(NamedTuple):
    """A field whose value is no text: a file of a form.

    Attributes:
        is_list: whether it takes several.
        is_null: whether it is null where nothing was sent.
    """

    is_list: bool
    is_null: bool


class TextReader:
    """Reads values of one type from names and texts.

    Args:
        annotation: a class with named fields, or a mapping.
        handed: classes that no text becomes: `read` is handed the values of the fields that are one of them, or a list of them.

    Attributes:
        type: its description.
        handed: the fields that `read` is handed, by their names in a form.

    Raises:
        TypeError: no texts become such a value.
        NameError: an annotation names what does not exist.
    """

    def __init__(self, annotation: Any, *, handed: Sequence[type[Any]] = ()) -> None:
        kind = Describer(handed=handed).type(annotation) if handed else None
        if kind is not None and has_opaque(kind, handed):
            self.type: Type = kind
            self.handed = handed_fields(kind, handed)
            check_unions(kind)
        else:
            # What JSON cannot become, texts cannot either.
            self.type = Decoder(annotation).type
            self.handed = {}
        if not isinstance(self.type, ModelType | MapType):
            raise TypeError(
                "only a class with named fields, or a mapping, is read from names and texts"
            )

    def read(
        self,
        texts: Mapping[str, Sequence[str]],
        root: Location,
        handed: Mapping[str, Sequence[object]] = NOTHING,
    ) -> tuple[Any, list[FieldError]]:
        """A value, or every rule that is broken, at most 100; they stand at `("query", "filter", "a")` for `filter[a]=…`.

        An empty text counts as not filled in, except where text is wanted. Items of a list are counted from 0 in the order of their
        numbers: where a form has `lines[3]` and `lines[7]`, the errors of the latter stand at `lines`, 1.

        Args:
            texts: the names of a form or a query, each with the texts that were sent under it.
            root: where they stood: `("query",)`, `("form",)`, or `("query", "filter")` for what `below` found.
            handed: the values of the fields that are no text, by the names of those.

        Raises:
            BadRequest: a name has more than eight brackets (`form.too-deep`).
        """
        return self.read_tree(tree_of(texts), root, handed)

    def read_tree(
        self, tree: Texts, root: Location, handed: Mapping[str, Sequence[object]] = NOTHING
    ) -> tuple[Any, list[FieldError]]:
        """As `read`, of a part of a tree: `tree_of(texts).below["filter"]`."""
        for name in self.handed:
            # What is no text is not read from one.
            tree.below.pop(name, None)
        given = plain(self.type, tree)
        document: Any = {} if given is ABSENT else given
        for name, field in self.handed.items():
            values = list(handed.get(name, ()))
            if values:
                document[name] = values if field.is_list else only(values)
            elif field.is_null:
                document[name] = None
        return read(self.type, document, root)


def only(values: Sequence[object]) -> object:
    """The one value. Given twice it is refused: which one was meant cannot be known."""
    return values[0] if len(values) == 1 else Misread(values[1], "repeated")


def has_opaque(kind: Type, handed: Sequence[type[Any]]) -> bool:
    return any(
        isinstance(each, OpaqueType) and each.annotation in handed for each in types_in(kind)
    )


def handed_fields(kind: Type, handed: Sequence[type[Any]]) -> dict[str, HandedField]:
    """The fields of a model that are handed over.

    Raises:
        TypeError: what is handed stands elsewhere than in its fields, or its class is of a kind that reads JSON alone.
    """
    if not isinstance(kind, ModelType) or kind.model.array_like:
        raise TypeError("only a class with named fields is read from a form with files")
    if kind.model.codec.family == "pydantic":
        raise TypeError(
            f"{kind.model.name} has a file and is of a kind that is made of JSON; a Struct, a dataclass, a TypedDict or an attrs class may have one"
        )
    found: dict[str, HandedField] = {}
    for field in kind.model.fields:
        made = handed_field(field.type, handed)
        if made is not None:
            # Where nothing was sent a default stands, if there is one.
            found[field.alias] = made._replace(is_null=made.is_null and field.required)
        elif has_opaque(field.type, handed):
            names = " or ".join(f"{spelled(each)} or list[{spelled(each)}]" for each in handed)
            raise TypeError(
                f"{kind.model.name}.{field.name} is {spelled(field.annotation)}; a field may be {names}, with None or without"
            )
    return found


def handed_field(kind: Type, handed: Sequence[type[Any]]) -> HandedField | None:
    is_null = False
    if isinstance(kind, UnionType) and len(kind.members) == 1:
        is_null, kind = kind.takes_null, kind.members[0]
    is_list = isinstance(kind, ListType)
    item = kind.item if isinstance(kind, ListType) else kind
    # A rule on a file would never be asked.
    if isinstance(item, OpaqueType) and item.annotation in handed and not item.rules:
        return HandedField(is_list, is_null)
    return None


def tree_of(texts: Mapping[str, Sequence[str]]) -> Texts:
    """Names with brackets as a tree; a name whose brackets do not match is a name like any other.

    Raises:
        BadRequest: a name has more than eight brackets (`form.too-deep`).
    """
    tree = Texts()
    for name, values in texts.items():
        node = tree
        for step in steps_of(name):
            node = node.at(step)
        node.values += values
    return tree


def steps_of(name: str) -> list[str]:
    if not name.endswith("]"):
        return [name]
    if name.count("[") > limits.FORM_DEPTH:
        raise BadRequest(
            f"a name has more than {limits.FORM_DEPTH} brackets: {name[:100]!r}",
            code="form.too-deep",
        )
    match = KEY.fullmatch(name)
    return [name] if match is None else [match[1], *STEP.findall(match[2])]


def plain(kind: Type, node: Texts) -> Any:
    """What JSON would have said; `ABSENT` where nothing was filled in."""
    of_kind = PLAIN.get(type(kind))
    return of_scalar(kind, node) if of_kind is None else of_kind(kind, node)


def of_map(kind: MapType, node: Texts) -> Any:
    return {step: said(plain(kind.value, each)) for step, each in node.below.items()}


def of_tuple(kind: TupleType, node: Texts) -> Any:
    return [
        said(plain(kind.items[index] if index < len(kind.items) else AnyType(), item))
        for index, item in enumerate(node.items())
    ]


def said(value: Any) -> Any:
    """A value inside of a list or a mapping, where one stands: an empty text there is null."""
    return None if value is ABSENT else value


def untyped(node: Texts) -> Any:
    if node.below:
        return {step: untyped(each) for step, each in node.below.items()}
    return node.values[0] if len(node.values) == 1 else list(node.values)


def of_anything(_kind: Type, node: Texts) -> Any:
    return untyped(node)


def of_list(kind: ListType, node: Texts) -> Any:
    found = [plain(kind.item, each) for each in node.items()]
    found = [value for value in found if value is not ABSENT]
    # Nothing under its name that a list could take: told as what it is not.
    return Misread(untyped(node), "not-a-list") if not found and node.below else found or ABSENT


def of_model(kind: ModelType, node: Texts) -> Any:
    if kind.model.array_like:
        types = tuple(field.type for field in kind.model.fields)
        return of_tuple(TupleType(items=types), node) or ABSENT
    if node.values and not node.below:
        return node.values[0] if any(node.values) else ABSENT
    known = {field.alias: field.type for field in kind.model.fields}
    if kind.model.by_name:
        known |= {field.name: field.type for field in kind.model.fields}
    found: dict[str, Any] = {}
    for step, each in node.below.items():
        value = plain(known[step], each) if step in known else untyped(each)
        if value is not ABSENT:
            found[step] = value
    return found


def of_union(kind: UnionType, node: Texts) -> Any:
    if kind.takes_null and not node.below and not any(node.values):
        texts = any(
            isinstance(member, ScalarType) and member.name == "text" for member in kind.members
        )
        if not (texts and node.values):
            # An empty text where nothing is a value as well.
            return None
    if len(kind.members) == 1:
        return plain(kind.members[0], node)
    if node.below:
        return of_tagged(kind, node)
    # Text is what everything is, so it comes last.
    for member in sorted(kind.members, key=is_text):
        if isinstance(member, ScalarType | ChoiceType):
            value = of_scalar(member, node)
            if value is not ABSENT and not isinstance(value, Misread):
                return value
        elif isinstance(member, ListType):
            return of_list(member, node)
    return untyped(node) if any(node.values) else ABSENT


def of_tagged(kind: UnionType, node: Texts) -> Any:
    members: Sequence[Type] = kind.models or [
        member for member in kind.members if isinstance(member, MapType | ListType)
    ]
    tag = node.below.get(kind.discriminator)
    if tag is not None and len(tag.values) == 1:
        for member in kind.models:
            value = plain(member, node)
            if kind.member_for(value.get(kind.discriminator)) is member:
                return value
    return plain(members[0], node) if len(members) == 1 else untyped(node)


def of_scalar(kind: Type, node: Texts) -> Any:
    values = node.values if is_text(kind) else [value for value in node.values if value]
    if node.below:
        return Misread(untyped(node), CODES.get(getattr(kind, "name", ""), "not-text"))
    if not values:
        return ABSENT
    if len(values) > 1:
        return Misread(list(values), "repeated")
    return of_text(kind, values[0])


def of_text(kind: Type, text: str) -> Any:
    if isinstance(kind, ChoiceType):
        return next((value for value in kind.values if spelling(value) == text), text)
    scalar = SIMPLE.get(getattr(kind, "cls", None))
    if scalar is None:
        return text
    try:
        value = scalar.convert(text)
    except Refused as refused:
        return Misread(text, refused.problems[0][0])
    # What JSON writes as text stays text.
    return value if isinstance(value, str | int | float) else text


def is_text(kind: Type) -> bool:
    return isinstance(kind, ScalarType) and kind.name == "text"


CODES: Mapping[str, str] = {
    "integer": "not-an-integer",
    "number": "not-a-number",
    "boolean": "not-a-boolean",
    "datetime": "not-a-datetime",
    "date": "not-a-date",
    "time": "not-a-time",
    "duration": "not-a-duration",
    "uuid": "not-a-uuid",
    "decimal": "not-a-decimal",
}

PLAIN: Mapping[type[Type], Callable[[Any, Texts], Any]] = {
    UnionType: of_union,
    ModelType: of_model,
    MapType: of_map,
    ListType: of_list,
    TupleType: of_tuple,
    AnyType: of_anything,
    OpaqueType: of_anything,
}
"""How each type is read; the others are scalars."""
