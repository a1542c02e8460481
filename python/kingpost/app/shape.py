"""What a return annotation lets through: the filters of `kingpost.schema`, as answers use them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from kingpost.errors import ConfigurationError
from kingpost.schema.outgoing.mirrors import Shape
from kingpost.schema.outgoing.shapes import shape_of
from kingpost.types import Place

__all__ = ["Shape", "named_at", "shape_of"]


@contextmanager
def named_at(place: Place) -> Generator[None]:
    """A mistake in an annotation is told with the line of the function that has it."""
    try:
        yield
    except ConfigurationError as error:
        error.places = (place, *error.places)
        raise
