"""The kinds that msgspec decodes: Struct, dataclass, TypedDict, attrs, NamedTuple."""

from __future__ import annotations

import dataclasses
import sys
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    NotRequired,
    Required,
    get_args,
    get_origin,
)

import msgspec

from kingpost.schema.annotation import is_typed_dict
from kingpost.schema.codec import Decode, Problem, problems_of
from kingpost.schema.kinds.hints import hints_of
from kingpost.schema.model import NO_DEFAULT, Field, Model
from kingpost.schema.types import Type

if TYPE_CHECKING:
    from kingpost.schema.describe import Describer


class NativeCodec:
    """What msgspec does for all of them."""

    family: str = "msgspec"

    def decoder(self, annotation: Any, kind: Type) -> Decode | None:
        decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(annotation)
        return decoder.decode

    def problems(self, model: Model, error: Exception) -> list[Problem]:
        return problems_of(model, error)

    def construct(self, model: Model, values: dict[str, Any], given: object) -> Any:
        return model.cls(**values)

    def outgoing(self, model: Model, value: Any, without: frozenset[str]) -> Any:
        found: dict[str, Any] = {}
        for field in model.fields:
            if field.name not in without:
                part = getattr(value, field.name, msgspec.UNSET)
                if part is not msgspec.UNSET:
                    found[field.alias] = part
        return found


class StructCodec(NativeCodec):
    """msgspec.Struct."""

    def accepts(self, kind: Any) -> bool:
        return isinstance(kind, type) and issubclass(kind, msgspec.Struct)

    def describe(self, model: Model, describer: Describer) -> None:
        config = model.cls.__struct_config__
        model.closes_itself = config.forbid_unknown_fields
        model.closed = model.closed or model.closes_itself
        model.array_like = config.array_like
        if config.tag is not None:
            model.tag_field, model.tag = config.tag_field, config.tag
        model.fields = tuple(
            describer.field(
                model,
                info.name,
                info.type,
                alias=info.encode_name,
                required=info.required,
                default=info.default,
                default_factory=(
                    None if info.default_factory is msgspec.NODEFAULT else info.default_factory
                ),
            )
            for info in msgspec.structs.fields(model.annotation)
        )

    def outgoing(self, model: Model, value: Any, without: frozenset[str]) -> Any:
        if model.array_like:
            tag = [model.tag] if model.tag_field else []
            return tag + [
                getattr(value, field.name) for field in model.fields if field.name not in without
            ]
        if model.cls.__struct_config__.omit_defaults:
            without = without | {
                field.name
                for field in model.fields
                if is_default(field, getattr(value, field.name))
            }
        found = super().outgoing(model, value, without)
        return {model.tag_field: model.tag, **found} if model.tag_field else found


def is_default(field: Field, value: object) -> bool:
    """Whether a value is what stands there if none was given, as msgspec's `omit_defaults` has it."""
    if field.default_factory in (list, dict, set):
        return value == field.default_factory()
    return value is field.default or bool(
        type(value) is type(field.default) and value == field.default
    )


class DataclassCodec(NativeCodec):
    """Dataclasses of the standard library."""

    def accepts(self, kind: Any) -> bool:
        return isinstance(kind, type) and dataclasses.is_dataclass(kind)

    def describe(self, model: Model, describer: Describer) -> None:
        hints = hints_of(model.annotation)
        if any(isinstance(hint, dataclasses.InitVar) for hint in hints.values()):
            raise TypeError(f"{model.name} has an InitVar, which is no field")
        missing = dataclasses.MISSING
        model.fields = tuple(
            describer.field(
                model,
                each.name,
                hints[each.name],
                required=each.default is missing and each.default_factory is missing,
                default=NO_DEFAULT if each.default is missing else each.default,
                default_factory=None if each.default_factory is missing else each.default_factory,
            )
            for each in dataclasses.fields(model.cls)
        )

    def construct(self, model: Model, values: dict[str, Any], given: object) -> Any:
        apart = {each.name for each in dataclasses.fields(model.cls) if not each.init}
        if not apart:
            return model.cls(**values)
        made = model.cls(**{name: value for name, value in values.items() if name not in apart})
        for name in apart & values.keys():
            object.__setattr__(made, name, values[name])
        return made


class TypedDictCodec(NativeCodec):
    """TypedDict: a dict at run time."""

    # Required["T"] stays in the annotations where they are text, and the sets of keys then do not know of it.
    SAYING: ClassVar[dict[Any, bool]] = {Required: True, NotRequired: False}

    def accepts(self, kind: Any) -> bool:
        return is_typed_dict(kind)

    def describe(self, model: Model, describer: Describer) -> None:
        required_keys: frozenset[str] = getattr(model.cls, "__required_keys__", frozenset())
        fields: list[Any] = []
        for name, hint in hints_of(model.annotation).items():
            required = name in required_keys
            while True:
                origin = get_origin(hint)
                if origin in self.SAYING:
                    required = self.SAYING[origin]
                elif getattr(origin, "__name__", "") != "ReadOnly":
                    break
                hint = get_args(hint)[0]  # noqa: PLW2901 - what is inside
            fields.append(describer.field(model, name, hint, required=required))
        model.fields = tuple(fields)

    def construct(self, model: Model, values: dict[str, Any], given: object) -> Any:
        return values

    def outgoing(self, model: Model, value: Any, without: frozenset[str]) -> Any:
        return {
            field.alias: value[field.name]
            for field in model.fields
            if field.name in value and field.name not in without
        }


class AttrsCodec(NativeCodec):
    """Classes of attrs. Who has one has imported attrs."""

    def accepts(self, kind: Any) -> bool:
        return isinstance(kind, type) and hasattr(kind, "__attrs_attrs__")

    def describe(self, model: Model, describer: Describer) -> None:
        attr: Any = sys.modules["attr"]
        hints = hints_of(model.annotation)
        fields: list[Any] = []
        for each in model.cls.__attrs_attrs__:
            factory = each.default.factory if isinstance(each.default, attr.Factory) else None
            if factory is not None and each.default.takes_self:
                raise TypeError(
                    f"{model.name}.{each.name} makes its default from the object, which msgspec cannot"
                )
            fields.append(
                describer.field(
                    model,
                    each.name,
                    hints.get(each.name, Any),
                    required=each.default is attr.NOTHING,
                    # As msgspec has it: what begins with an underscore stays inside.
                    private=each.name.startswith("_"),
                    default=NO_DEFAULT
                    if each.default is attr.NOTHING or factory is not None
                    else each.default,
                    default_factory=factory,
                )
            )
        model.fields = tuple(fields)

    def construct(self, model: Model, values: dict[str, Any], given: object) -> Any:
        aliases = {each.name: each.alias for each in model.cls.__attrs_attrs__ if each.init}
        return model.cls(
            **{aliases[name]: value for name, value in values.items() if name in aliases}
        )


def is_named_tuple(kind: Any) -> bool:
    return isinstance(kind, type) and tuple in kind.__mro__ and hasattr(kind, "_fields")


class NamedTupleCodec(NativeCodec):
    """NamedTuple: a list in JSON."""

    def accepts(self, kind: Any) -> bool:
        return is_named_tuple(kind)

    def describe(self, model: Model, describer: Describer) -> None:
        hints = hints_of(model.annotation)
        cls: Any = model.cls
        model.array_like = True
        # A tuple of its length is all that it can be.
        model.closed = model.closes_itself = True
        model.fields = tuple(
            describer.field(
                model,
                name,
                hints.get(name, Any),
                required=name not in cls._field_defaults,
                default=cls._field_defaults.get(name, NO_DEFAULT),
            )
            for name in cls._fields
        )

    def outgoing(self, model: Model, value: Any, without: frozenset[str]) -> Any:
        return [getattr(value, field.name) for field in model.fields if field.name not in without]
