"""Types that only their own library knows: what it says of them itself, if it says something."""

from __future__ import annotations

import sys
from typing import Any, cast

from kingpost.http.uploads import UploadFile
from kingpost.openapi.components import Schema

FILE: Schema = {
    "type": "string",
    "format": "binary",
    "contentMediaType": "application/octet-stream",
}


def opaque_schema(annotation: Any) -> Schema:
    """The schema that pydantic gives for a type of its own, such as EmailStr; of anything where it gives none, or where it is not there."""
    if annotation is UploadFile:
        return dict(FILE)
    pydantic: Any = sys.modules.get("pydantic")
    if pydantic is None:
        return {}
    try:
        schema = cast("Schema", pydantic.TypeAdapter(annotation).json_schema())
    except Exception:  # noqa: BLE001 - whatever the library says of a type that is none of its own
        return {}
    # What leads elsewhere leads into a document that this is not.
    return {} if "$defs" in schema else schema
