"""Every rule that a JSON value breaks.

The decoders stop at the first broken rule. Only then is the value walked here, against the description of its type, so that a person
mends all mistakes at once. What the decoders accept is never walked, and where the walk finds nothing, the decoder's own sentence is
told.
"""

from __future__ import annotations

import re

import msgspec

from kingpost.errors import FieldError
from kingpost.schema.problems import Location, field_error
from kingpost.schema.read import read
from kingpost.schema.types import Type

MESSAGE_PATH = re.compile(r"(?s)(.*) - at `\$(.*)`")
MESSAGE_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def broken_rules(kind: Type, value: object, refusal: Exception, root: Location) -> list[FieldError]:
    """What is wrong with `value`, at most 100 errors; never empty.

    Args:
        kind: the type, described.
        value: the JSON document, decoded without a type.
        refusal: what the decoder said of it.
        root: where the document stands: `("body",)`.
    """
    _, found = read(kind, value, root)
    return found or [unexplained(refusal, root)]


def unexplained(refusal: Exception, root: Location) -> FieldError:
    if not isinstance(refusal, msgspec.ValidationError):
        return field_error(root, "invalid")
    match = MESSAGE_PATH.fullmatch(str(refusal))
    if match is None:
        return field_error(root, "invalid", str(refusal))
    steps = (step[1] or step[2] for step in MESSAGE_STEP.finditer(match[2]))
    location = (*root, *(int(step) if step.isdigit() else step for step in steps))
    return field_error(location, "invalid", match[1])
