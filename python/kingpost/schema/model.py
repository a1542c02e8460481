"""The description of a class with named fields, the same for every kind of class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from kingpost.schema.rules import Rules
from kingpost.schema.types import ChoiceType, ListType, ModelType, Type, inner

if TYPE_CHECKING:
    from kingpost.schema.codec import Codec

NO_DEFAULT: Final = msgspec.NODEFAULT


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a model: what binding, forms, the admin and OpenAPI need to know of it.

    Attributes:
        name: the attribute, or the key of a TypedDict.
        alias: its name in JSON and in forms.
        annotation: its type as it was written.
        type: its type, described.
        required: whether it must be given.
        default: the value if it is not given; `NO_DEFAULT` where there is none, or a factory makes it.
        default_factory: makes the value if it is not given; None where nothing does.
        title: a few words for people; empty where nothing was said.
        description: a sentence for people; empty where nothing was said.
        examples: values that would do.
        deprecated: whether clients should stop sending it.
        private: whether it never leaves in an answer.
        extra: what else JSON Schema should say of it, as `Meta(extra_json_schema=…)` gave it.
    """

    name: str
    alias: str
    annotation: Any
    type: Type
    required: bool
    default: Any = NO_DEFAULT
    default_factory: Callable[[], Any] | None = None
    title: str = ""
    description: str = ""
    examples: tuple[Any, ...] = ()
    deprecated: bool = False
    private: bool = False
    extra: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])

    @property
    def is_optional(self) -> bool:
        """Whether null is a value of it."""
        return bool(getattr(self.type, "takes_null", False))

    @property
    def constraints(self) -> Rules:
        """The rules of its value, null aside."""
        return inner(self.type).rules

    @property
    def is_list(self) -> bool:
        """Whether its value has items of one type."""
        return isinstance(inner(self.type), ListType)

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values that it may have, as JSON has them, where they can be counted: an enum, a Literal."""
        kind = inner(self.type)
        return kind.values if isinstance(kind, ChoiceType) else ()

    @property
    def model(self) -> Model | None:
        """The model that its value is, or that the items of its list are."""
        kind = inner(self.type)
        kind = inner(kind.item) if isinstance(kind, ListType) else kind
        return kind.model if isinstance(kind, ModelType) else None

    def make_default(self) -> Any:
        """The value where none was given.

        Raises:
            LookupError: it has none.
        """
        if self.default_factory is not None:
            return self.default_factory()
        if self.default is NO_DEFAULT:
            raise LookupError(f"{self.name} has no default")
        return self.default


class Model:
    """What is known of a class with named fields.

    Attributes:
        cls: the class.
        annotation: the class, with its type arguments if it has some.
        name: for people and for OpenAPI.
        codec: the codec that described it.
        description: the docstring; empty where there is none.
        fields: in the order of the class. Empty while the description is being made.
        closed: whether fields that it does not have are refused.
        closes_itself: whether its codec's decoder refuses them.
        tag_field: the name whose value says which member of a union this is; empty where there is none.
        tag: that value.
        array_like: whether it is sent as a list of its values.
        by_name: whether a field may also be sent by its name in the class.
        keeps_unknown: whether fields that it does not have become a part of its values.
        opaque: whether only its own codec can read it: it changes what it is given before it looks at it.
        foreign_rules: whether a field has rules that its codec does not know.
    """

    __slots__ = (
        "annotation",
        "array_like",
        "by_name",
        "closed",
        "closes_itself",
        "cls",
        "codec",
        "description",
        "fields",
        "foreign_rules",
        "keeps_unknown",
        "name",
        "opaque",
        "tag",
        "tag_field",
    )

    def __init__(self, annotation: Any, cls: type[Any], name: str, codec: Codec) -> None:
        self.annotation = annotation
        self.cls = cls
        self.name = name
        self.codec = codec
        self.description = ""
        self.fields: tuple[Field, ...] = ()
        self.closed = False
        self.closes_itself = False
        self.tag_field = ""
        self.tag: str | int | None = None
        self.array_like = False
        self.by_name = False
        self.keeps_unknown = False
        self.opaque = False
        self.foreign_rules = False

    def __repr__(self) -> str:
        return f"<Model {self.name}: {', '.join(field.name for field in self.fields)}>"

    def field(self, name: str) -> Field | None:
        """The field of a name, as the class spells it; None where there is none."""
        return next((field for field in self.fields if field.name == name), None)

    @property
    def type(self) -> ModelType:
        """The type of its values."""
        return ModelType(model=self, closed=self.closed)


def models_in(kind: Type) -> Iterator[Model]:
    """Every model that a type leads to, each once."""
    seen: set[int] = set()
    waiting = [kind]
    while waiting:
        each = waiting.pop()
        waiting.extend(each.parts())
        if isinstance(each, ModelType) and id(each.model) not in seen:
            seen.add(id(each.model))
            yield each.model
            waiting.extend(field.type for field in each.model.fields)


def types_in(kind: Type) -> Iterator[Type]:
    """Every type that a type leads to, itself first; each model once."""
    seen: set[int] = set()
    waiting = [kind]
    while waiting:
        each = waiting.pop()
        yield each
        waiting.extend(each.parts())
        if isinstance(each, ModelType) and id(each.model) not in seen:
            seen.add(id(each.model))
            waiting.extend(field.type for field in each.model.fields)
