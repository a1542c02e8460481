"""Who may ask: what a route reads of the header fields and cookies that say who asks.

Rule 1: who reads `Authorization` reads a bearer token, unless the marker says `security="basic"`; any other field, and a cookie, is a key
only where its marker says so.
Rule 2: what must be sent must be sent together; what may be left out is one way among others, and so is to send none of it, unless the
route answers 401: then whoever sends none of it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kingpost.binding.fields import FromModel, FromText, FromTexts, wire_name
from kingpost.binding.sources import REQUIRED
from kingpost.openapi.components import Schema, as_name
from kingpost.openapi.readings import Reading
from kingpost.openapi.schemas import Schemas
from kingpost.schema import ModelType

AUTHORIZATION = ("header", "authorization")


def security_of(readings: Sequence[Reading], schemas: Schemas, *, refuses: bool) -> list[Schema]:
    """The ways to say who asks, each the schemes that it needs; empty where a route asks nobody. The schemes are kept with the schemas.

    Args:
        readings: what the route reads.
        schemas: keeps the schemes.
        refuses: whether the route answers 401.
    """
    required: dict[str, bool] = {}
    for reading in readings:
        for name, scheme, is_required in schemes_of(reading):
            schemas.security[name] = scheme
            required[name] = required.get(name, False) or is_required
    always: Schema = {name: [] for name, must in required.items() if must}
    ways: list[Schema] = [always | {name: []} for name, must in required.items() if not must]
    if required and (always or not refuses):
        ways.append(always)
    return ways


def schemes_of(reading: Reading) -> Iterator[tuple[str, Schema, bool]]:
    """What one reading is of: the name of the scheme, the scheme, and whether it must be there."""
    for place, field, required in fields_of(reading):
        if reading.security == "apiKey":
            name = as_name(f"{place}_{field}")
            yield name, {"type": "apiKey", "in": place, "name": field}, required
        elif (place, field) == AUTHORIZATION:
            name = reading.security or "bearer"
            yield name, {"type": "http", "scheme": name}, required


def fields_of(reading: Reading) -> Iterator[tuple[str, str, bool]]:
    """The header fields and cookies that a reading is of: place, name, and whether it must be sent."""
    source = reading.source
    if isinstance(source, FromText | FromTexts) and source.place in ("header", "cookie"):
        yield source.place, source.name, source.default is REQUIRED
    elif isinstance(source, FromModel) and source.place in ("header", "cookie"):
        kind = source.reader.type
        for field in kind.model.fields if isinstance(kind, ModelType) else ():
            must = field.required and source.default is REQUIRED
            yield source.place, wire_name(source.place, field.alias), must
