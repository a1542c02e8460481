"""Route patterns: `/todos/{id:int}`, `/{page}.html`, `/files/{rest:path}`, `/{day:date(%Y-%m)}`."""

from __future__ import annotations

import re

import msgspec

from kingpost.errors import RoutingError
from kingpost.routing.refusal import refused

PARAMETER = re.compile(r"([A-Za-z_]\w*)(?::([a-z_][a-z0-9_]*)(?:\((.*)\))?)?", re.ASCII)
# Flask, Django and Bottle; Express, Rails and Sinatra.
FOREIGN_PARAMETER = re.compile(
    r"<(?:([A-Za-z_]\w*):)?([A-Za-z_]\w*)>|(?<=/):([A-Za-z_]\w*)", re.ASCII
)
FOREIGN_CONVERTERS = frozenset({"int", "float", "uuid", "path"})
ILLEGAL_TEXT = re.compile(r"[\x00-\x20\x7f?#\\]|//")


class Parameter(msgspec.Struct, frozen=True):
    """One `{name:converter(argument)}` of a pattern."""

    name: str
    converter: str | None
    argument: str | None


Piece = str | Parameter


class Pattern(msgspec.Struct, frozen=True):
    """A pattern taken apart; `pieces` alternate between literal text and parameters."""

    text: str
    pieces: tuple[Piece, ...]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(piece for piece in self.pieces if isinstance(piece, Parameter))


def parse_pattern(text: str) -> Pattern:
    """Take a whole pattern apart.

    Raises:
        RoutingError: `routing.bad-pattern` naming what is wrong and where.
    """
    if not text.startswith("/"):
        raise malformed(text, "a path begins with '/'")
    pieces: list[Piece] = []
    rest = text
    while rest:
        literal, brace, rest = rest.partition("{")
        check_literal(text, literal)
        if literal:
            pieces.append(literal)
        if not brace:
            break
        inside, closing, rest = up_to_brace(rest)
        if not closing:
            raise malformed(text, f"'{{{inside}' has no closing brace")
        pieces.append(parse_parameter(text, inside))
    pattern = Pattern(text, tuple(pieces))
    check_parameters(pattern)
    return pattern


def up_to_brace(rest: str) -> tuple[str, str, str]:
    """What is before the closing brace, the brace, and what is behind; braces inside of parentheses close nothing."""
    depth = 0
    for at, character in enumerate(rest):
        if character == "}" and depth == 0:
            return rest[:at], "}", rest[at + 1 :]
        depth += (character == "(") - (character == ")" and depth > 0)
    # Without parentheses that match, the first brace is the one that was meant.
    return rest.partition("}")


def parse_parameter(text: str, inside: str) -> Parameter:
    match = PARAMETER.fullmatch(inside)
    if match is None:
        raise malformed(
            text, f"'{{{inside}}}' is not a name, or a name and a converter such as '{{id:int}}'"
        )
    return Parameter(match[1], match[2], match[3])


def check_literal(text: str, literal: str) -> None:
    if "}" in literal:
        raise malformed(text, "'}' has no opening brace")
    illegal = ILLEGAL_TEXT.search(literal)
    if illegal is not None:
        raise malformed(text, f"{illegal[0]!r} cannot stand in a path")
    foreign = FOREIGN_PARAMETER.search(literal)
    if foreign is not None:
        converter, name = foreign[1], foreign[2] or foreign[3]
        ours = f"{name}:{converter}" if converter in FOREIGN_CONVERTERS else name
        hint = "" if converter else f", or '{{{name}:int}}' for a number"
        raise malformed(text, f"{foreign[0]!r} is a parameter elsewhere; write '{{{ours}}}'{hint}")


def check_parameters(pattern: Pattern) -> None:
    plain = "".join(piece if isinstance(piece, str) else "{}" for piece in pattern.pieces)
    for part in plain.split("/"):
        if part.count("{") > 1:
            raise malformed(
                pattern.text,
                f"{shown_part(pattern, part)!r} has two parameters, and one fits between two slashes",
            )
    names = [parameter.name for parameter in pattern.parameters]
    for name in names:
        if names.count(name) > 1:
            raise malformed(pattern.text, f"two parameters are called {name!r}")
    for piece in pattern.pieces[:-1]:
        if isinstance(piece, Parameter) and piece.converter == "path":
            raise malformed(
                pattern.text,
                f"'{{{piece.name}:path}}' takes all that follows, so it must stand last",
            )


def shown_part(pattern: Pattern, part: str) -> str:
    """The part of a pattern that looks like `part` without its parameters."""
    found = (
        text
        for text in re.sub(r"\([^()]*\)", "", pattern.text).split("/")
        if re.sub(r"\{[^{}]*\}", "{}", text) == part
    )
    return next(found, pattern.text)


def malformed(text: str, reason: str) -> RoutingError:
    return refused("routing.bad-pattern", f"the path {text!r} is not a pattern: {reason}")
