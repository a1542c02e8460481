"""Bodies of requests: JSON, forms, files, streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from kingpost.binding.fields import (
    FromFile,
    FromModel,
    FromText,
    FromTexts,
    TheForm,
    TheMultipart,
    is_of_form,
    takes_files,
)
from kingpost.binding.sources import REQUIRED, FromBody, TheBodyStream
from kingpost.openapi.components import Schema
from kingpost.openapi.opaque import FILE
from kingpost.openapi.parameters import with_default
from kingpost.openapi.readings import Reading
from kingpost.openapi.schemas import Schemas, not_null
from kingpost.schema import type_of

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


def body_of(readings: Sequence[Reading], schemas: Schemas) -> Schema | None:
    """The request body of a route; None where it reads none."""
    form = [each for each in readings if is_of_form(each.source)]
    if form:
        return form_body(form, schemas)
    for each in readings:
        if isinstance(each.source, FromBody):
            schema = each.in_schema(schemas.of_type(each.source.body.decoder.type, "in"))
            content = {kind: {"schema": schema} for kind in each.source.body.media_types}
            return body(content, each, required=each.source.default is REQUIRED)
        if isinstance(each.source, TheBodyStream):
            return body({"*/*": {}}, each, required=False)
        if isinstance(each.source, TheMultipart):
            return body({MULTIPART: {"schema": {"type": "object"}}}, each, required=True)
    return None


def body(content: Schema, reading: Reading, *, required: bool) -> Schema:
    made: Schema = {"description": reading.description} if reading.description else {}
    made["content"] = content
    if required:
        made["required"] = True
    return made


class Fields(msgspec.Struct):
    """The fields of one form, from whatever reads them."""

    properties: dict[str, Schema] = msgspec.field(default_factory=dict[str, Any])
    required: list[str] = msgspec.field(default_factory=list[str])
    models: list[Schema] = msgspec.field(default_factory=list[Schema])
    has_files: bool = False

    def add(self, reading: Reading, schemas: Schemas) -> None:
        source = reading.source
        if isinstance(source, TheForm | FromModel):
            model = source.model if isinstance(source, TheForm) else source
            self.has_files = self.has_files or takes_files(source)
            self.models.append(schemas.of_type(model.reader.type, "in"))
        elif isinstance(source, FromFile):
            self.has_files = True
            schema: Schema = {"type": "array", "items": FILE} if source.is_list else dict(FILE)
            self.put(source.name, schema, reading, source.default)
        elif isinstance(source, FromText | FromTexts):
            kind = not_null(type_of(reading.annotation, outgoing=True))
            self.put(source.name, schemas.of_type(kind, "in"), reading, source.default)

    def put(self, name: str, schema: Schema, reading: Reading, default: Any) -> None:
        schema = reading.in_schema(schema)
        if reading.description:
            schema["description"] = reading.description
        if reading.deprecated:
            schema["deprecated"] = True
        if default is REQUIRED:
            self.required.append(name)
        self.properties.setdefault(name, with_default(schema, default))

    @property
    def schema(self) -> Schema:
        if not self.properties and len(self.models) == 1:
            return self.models[0]
        own: Schema = {"type": "object", "properties": self.properties}
        if self.required:
            own["required"] = list(dict.fromkeys(self.required))
        return {"allOf": [*self.models, own]} if self.models else own


def form_body(readings: Sequence[Reading], schemas: Schemas) -> Schema:
    fields = Fields()
    for each in readings:
        fields.add(each, schemas)
    # Without files, a form may come either way.
    kinds = (MULTIPART,) if fields.has_files else (URLENCODED, MULTIPART)
    # Even one without fields has a media type: nothing at all is refused with 415.
    return {"content": {kind: {"schema": fields.schema} for kind in kinds}, "required": True}
