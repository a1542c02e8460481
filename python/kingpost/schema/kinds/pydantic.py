"""pydantic's models and dataclasses, read by pydantic's own validator in strict mode.

Nothing here imports pydantic: who has such a class has imported it.

What is true of the other kinds is true here: "5" is no number, NaN is no JSON, dates are ISO 8601. Where pydantic would take more than
they do, the document is looked at by the general reader first.
"""

from __future__ import annotations

import functools
import re
import sys
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec

from kingpost.schema.codec import Decode, Problem, problems_of
from kingpost.schema.model import NO_DEFAULT, Model, types_in
from kingpost.schema.problems import SENTENCES
from kingpost.schema.types import AnyType, OpaqueType, ScalarType, Type

if TYPE_CHECKING:
    from kingpost.schema.describe import Describer
    from kingpost.schema.model import Field

CHANGING = ("before", "wrap", "plain")
"""Modes of validators that see, and may change, what was sent before its type is looked at."""

RELAXED = frozenset({"date", "datetime", "time", "duration", "uuid", "decimal", "bytes"})
"""Scalars of which pydantic takes spellings that the other kinds refuse."""

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
            is_own = name in changed or "*" in changed or strips or changes(info.metadata)
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
        validate = functools.partial(validator_of(annotation).validate_json, strict=True)
        if any(isinstance(each, AnyType) or is_number(each) for each in types_in(kind)):
            return functools.partial(with_numbers_of_json, validate)
        return validate

    def construct(self, model: Model, values: dict[str, Any], given: object) -> Any:
        document = msgspec.json.encode(given)
        return validator_of(model.annotation).validate_json(document, strict=True)

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
        serializer: Any = completed(model.cls).__pydantic_serializer__
        return serializer.to_python(value, mode="json", by_alias=True, exclude=set(without) or None)


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
        type(item).__name__ in ("BeforeValidator", "WrapValidator", "PlainValidator")
        or any(getattr(item, name, None) for name in ("strip_whitespace", "to_lower", "to_upper"))
        for item in metadata
    )
