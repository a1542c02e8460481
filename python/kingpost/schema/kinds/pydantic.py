"""pydantic's models and dataclasses, read by pydantic's own validator in strict mode.

Nothing here imports pydantic: who has such a class has imported it.

What is true of the other kinds is true here: "5" is no number, NaN is no JSON, dates are ISO 8601. Where pydantic would take more than
they do, or read the same otherwise, the shared rules read the document first, and pydantic is given what they have read.
"""

from __future__ import annotations

import functools
import re
import sys
import threading
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import msgspec

from kingpost.schema.codec import Decode, Problem, problems_of
from kingpost.schema.kinds.core_schema import (
    changed,
    is_bytes,
    leads_to,
    reading_base64,
    written_alike,
)
from kingpost.schema.model import NO_DEFAULT, Model, models_in, types_in
from kingpost.schema.problems import SENTENCES
from kingpost.schema.read import read
from kingpost.schema.types import AnyType, ChoiceType, OpaqueType, ScalarType, Type

if TYPE_CHECKING:
    from kingpost.schema.describe import Describer
    from kingpost.schema.model import Field

CHANGING = ("before", "wrap", "plain")
"""Modes of validators that see, and may change, what was sent before its type is looked at."""

RELAXED = frozenset({"date", "datetime", "time", "duration", "uuid", "decimal", "bytes"})
"""Scalars of which pydantic takes spellings that the other kinds refuse, or makes other values."""

NO_JSON = re.compile(rb"NaN|Infinity|[0-9][eE]\+?[0-9]{2}|[0-9]{300}")
"""What pydantic may read as a number that JSON does not have, or that no double can hold."""


class PydanticCodec:
    """BaseModel and pydantic's dataclasses."""

    family: str = "pydantic"

    def accepts(self, kind: Any) -> bool:
        return (
            isinstance(kind, type)
            and hasattr(kind, "__pydantic_validator__")
            and hasattr(kind, "__pydantic_fields__")
        )

    def describe(self, model: Model, describer: Describer) -> None:
        cls: Any = completed(model.cls)
        decorators = cls.__pydantic_decorators__
        config: dict[str, Any] = getattr(cls, "model_config", None) or getattr(
            cls, "__pydantic_config__", {}
        )
        model.closes_itself = config.get("extra") == "forbid"
        model.closed = model.closed or model.closes_itself
        model.keeps_unknown = config.get("extra") == "allow"
        model.opaque = bool(getattr(cls, "__pydantic_root_model__", False)) or any(
            each.info.mode in CHANGING for each in decorators.model_validators.values()
        )
        changed = {
            name
            for each in decorators.field_validators.values()
            if each.info.mode in CHANGING
            for name in each.info.fields
        }
        strips = any(
            config.get(f"str_{what}") for what in ("strip_whitespace", "to_lower", "to_upper")
        )
        fields: list[Field] = []
        for name, info in cls.__pydantic_fields__.items():
            alias = info.validation_alias if info.validation_alias is not None else info.alias
            if alias is not None and not isinstance(alias, str):
                # AliasPath and AliasChoices: the value may stand anywhere.
                model.opaque = True
                alias = name
            is_own = (
                name in changed
                or "*" in changed
                or strips
                or changes(info.metadata)
                or changes_inside(info.annotation)
                or (
                    "val_json_bytes" in config
                    and leads_to(is_bytes, describer.type(info.annotation, model))
                )
            )
            fields.append(self.field(model, describer, name, alias, info, is_own=is_own))
            if config.get("populate_by_name") or config.get("validate_by_name"):
                model.by_name = True
        model.fields = tuple(fields)

    def field(
        self,
        model: Model,
        describer: Describer,
        name: str,
        alias: str | None,
        info: Any,
        *,
        is_own: bool,
    ) -> Field:
        annotation = info.annotation
        for item in info.metadata:
            annotation = Annotated[annotation, item]
        extra = info.json_schema_extra
        return describer.field(
            model,
            name,
            annotation,
            alias=alias,
            required=info.is_required(),
            default=NO_DEFAULT
            if info.is_required() or info.default_factory is not None
            else info.default,
            default_factory=info.default_factory,
            type=OpaqueType(annotation=annotation) if is_own else None,
            title=info.title or "",
            description=info.description or "",
            examples=tuple(info.examples or ()),
            deprecated=bool(info.deprecated),
            private=bool(info.exclude),
            extra=cast("dict[str, Any]", extra) if isinstance(extra, dict) else {},
        )

    def decoder(self, annotation: Any, kind: Type) -> Decode | None:
        validate = functools.partial(json_validator(annotation, kind).validate_json, strict=True)
        if any(isinstance(each, AnyType) or is_number(each) for each in types_in(kind)):
            return functools.partial(with_numbers_of_json, validate)
        return validate

    def construct(self, model: Model, values: dict[str, Any], given: object) -> Any:
        validator, is_respelled = constructing(model)
        if is_respelled:
            given, _ = read(model.type, given, (), constructs=False)
        return validator.validate_json(msgspec.json.encode(given), strict=True)

    def problems(self, model: Model, error: Exception) -> list[Problem]:
        errors: Any = getattr(error, "errors", None)
        if errors is None:
            return problems_of(model, error)
        found: list[Problem] = []
        for each in errors(include_url=False):
            cause = each.get("ctx", {}).get("error")
            location = tuple(each["loc"])
            if isinstance(cause, Exception):
                found += [
                    ((*location, *path), code, message)
                    for path, code, message in problems_of(model, cause)
                ]
            elif each["type"] in PYDANTICS_OWN:
                found.append((location, *PYDANTICS_OWN[each["type"]]))
            else:
                found.append((location, "invalid", SENTENCES["invalid"]))
        return found

    def outgoing(self, model: Model, value: Any, without: frozenset[str]) -> Any:
        return serializer_of(model).to_python(
            value, mode="json", by_alias=True, exclude=set(without) or None
        )


PYDANTICS_OWN: dict[str, tuple[str, str]] = {
    "missing": ("missing", SENTENCES["missing"]),
    "extra_forbidden": ("unknown-field", SENTENCES["unknown-field"]),
}
"""Types of pydantic's errors that mean what codes of ours mean."""


def completed(cls: Any) -> Any:
    """A class whose forward references are resolved, as far as they can be by now."""
    if not getattr(cls, "__pydantic_complete__", True):
        rebuild = getattr(cls, "model_rebuild", None)
        if rebuild is not None:
            rebuild()
    return cls


def validator_of(annotation: Any) -> Any:
    validator = getattr(completed(annotation), "__pydantic_validator__", None)
    if validator is not None and isinstance(annotation, type):
        return validator
    pydantic: Any = sys.modules["pydantic"]
    return pydantic.TypeAdapter(annotation).validator


def json_validator(annotation: Any, kind: Type) -> Any:
    """What reads JSON documents of a type."""
    if any(map(is_bytes, types_in(kind))):
        schema = core_schema_of(annotation)
        made = changed(schema, kind, reading_base64)
        if made is not schema:
            return built("SchemaValidator", made, kind)
    return validator_of(annotation)


@functools.lru_cache(maxsize=1024)
def constructing(model: Model) -> tuple[Any, bool]:
    """What reads JSON of a model, and whether the shared rules read it first."""
    return json_validator(model.annotation, model.type), any(map(is_relaxed, types_in(model.type)))


@functools.lru_cache(maxsize=1024)
def serializer_of(model: Model) -> Any:
    """What writes objects of a model."""
    schema = core_schema_of(model.annotation)
    made = changed(schema, model.type, written_alike)
    if made is schema:
        return model.cls.__pydantic_serializer__
    return built("SchemaSerializer", made, model.type)


def built(name: str, schema: Any, kind: Type) -> Any:
    """A validator or a serializer of a changed schema, without those that the classes in it have already of what was not changed."""
    make = sys.modules["pydantic_core"].__dict__[name]
    if "_use_prebuilt" in (getattr(make, "__text_signature__", None) or ""):
        return make(schema, _use_prebuilt=False)
    # pydantic before 2.13 takes what a class has wherever the class says that it is complete.
    with BUILDING:
        complete: list[Any] = [
            model.cls
            for model in models_in(kind)
            if vars(model.cls).get("__pydantic_complete__") is True
        ]
        try:
            for cls in complete:
                cls.__pydantic_complete__ = False
            return make(schema)
        finally:
            for cls in complete:
                cls.__pydantic_complete__ = True


BUILDING = threading.Lock()


def core_schema_of(annotation: Any) -> Any:
    pydantic: Any = sys.modules["pydantic"]
    return pydantic.TypeAdapter(completed(annotation)).core_schema


def is_relaxed(kind: Type) -> bool:
    """Whether pydantic reads more of a type than the other kinds do, or reads it otherwise."""
    if isinstance(kind, ChoiceType):
        # True and 1.0 are 1 to pydantic.
        return not all(isinstance(value, str | None) for value in kind.values)
    return isinstance(kind, ScalarType) and kind.name in RELAXED


def with_numbers_of_json(validate: Decode, document: bytes) -> Any:
    if NO_JSON.search(document) is not None:
        # Refused as it is for the other kinds: this raises what they raise.
        msgspec.json.decode(document)
    return validate(document)


def is_number(kind: Type) -> bool:
    return isinstance(kind, OpaqueType) or (isinstance(kind, ScalarType) and kind.name == "number")


def changes(metadata: list[Any]) -> bool:
    """Whether a field's metadata changes what was sent before its type is looked at."""
    return any(
        type(item).__name__ in CHANGERS
        or any(getattr(item, name, None) for name in ("strip_whitespace", "to_lower", "to_upper"))
        for item in metadata
    )


def changes_inside(annotation: Any) -> bool:
    """The same of the metadata inside of a type, such as that of the items of a list."""
    return changes(list(getattr(annotation, "__metadata__", ()))) or any(
        map(changes_inside, get_args(annotation))
    )


CHANGERS = frozenset({"BeforeValidator", "WrapValidator", "PlainValidator", "EncodedBytes"})
"""Names of pydantic's classes of metadata that see what was sent first; EncodedBytes is in Base64Bytes."""
