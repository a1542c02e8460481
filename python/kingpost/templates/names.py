"""Constant names of templates in handlers, read from their compiled code: a misspelt one is refused at the start."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

import msgspec

from kingpost.binding.signature import annotated
from kingpost.templates.template import Template
from kingpost.types import Place, short_path

# What stands between a callable and its first argument, and does nothing that matters here.
BETWEEN = ("PUSH_NULL", "CACHE", "PRECALL", "NOP", "EXTENDED_ARG", "RESUME")
LOADS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF")


class Use(msgspec.Struct, frozen=True):
    """`Template("page.html")` in a function's source."""

    name: str
    place: Place


def uses_of(function: Callable[..., Any]) -> Iterator[Use]:
    """The constant names that a function makes templates of."""
    plain = annotated(inspect.unwrap(function))
    plain = getattr(plain, "__func__", plain)
    if isinstance(plain, FunctionType):
        scope = {**plain.__globals__, **inspect.getclosurevars(plain).nonlocals}
        yield from uses_in(plain.__code__, scope)


def uses_in(code: CodeType, scope: dict[str, Any]) -> Iterator[Use]:
    is_made = False
    for step in dis.get_instructions(code):
        if step.opname in BETWEEN:
            continue
        if is_made and step.opname == "LOAD_CONST" and isinstance(step.argval, str):
            line = step.positions.lineno if step.positions is not None else None
            place = Place(short_path(code.co_filename), line or code.co_firstlineno)
            yield Use(step.argval, place)
        is_made = (step.opname in LOADS and is_template(scope.get(str(step.argval)))) or (
            step.opname in ("LOAD_ATTR", "LOAD_METHOD") and step.argval == "Template"
        )
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from uses_in(inner, scope)


def is_template(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, Template)
