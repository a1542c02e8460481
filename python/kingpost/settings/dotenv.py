r"""`.env` files: one `NAME=value` a line.

    # a comment
    DATABASE_URL=sqlite:///app.db      # another one, after a blank
    export GREETING="two\nlines"        # double quotes know \n \r \t \" \\ and \$
    PATTERN='taken as $it is'

Nothing is expanded and no value runs over its line. A line that is none of these is refused with its number: a misread secret is found
later and costs more.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from kingpost import limits
from kingpost.errors import SettingsError
from kingpost.types import Place, short_path

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


class Line(NamedTuple):
    """A value and where it stands.

    Attributes:
        value: What follows the `=`, without quotes.
        place: File and line.
    """

    value: str
    place: Place


def read_dotenv(path: Path) -> Mapping[str, Line]:
    """The lines of a file by name; empty when there is no file.

    Raises:
        SettingsError: The file is no UTF-8, has more than 1 MiB, or has a line that is not understood (code `settings.bad-env-file`).
    """
    name = short_path(str(path))
    try:
        with path.open("rb") as file:
            data = file.read(limits.DOTENV_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _refused(
            f"{name} cannot be read: {error.strerror or error}", Place(name, 0)
        ) from error
    if len(data) > limits.DOTENV_BYTES:
        raise _refused(f"{name} has more than {limits.DOTENV_BYTES} bytes", Place(name, 0))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(f"{name} is no UTF-8: byte {error.start}", Place(name, 0)) from None
    return parse_dotenv(text, name)


def parse_dotenv(text: str, file: str) -> dict[str, Line]:
    """The lines of `text`, which came from `file`, by name.

    Raises:
        SettingsError: A line is not understood, or two have one name.
    """
    lines: dict[str, Line] = {}
    for number, raw in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        place = Place(file, number)
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, rest = line.removeprefix("export ").lstrip().partition("=")
        name = name.rstrip()
        if not equals or not is_variable_name(name):
            raise _refused(f"{place} is no NAME=value", place)
        if name in lines:
            raise _refused(
                f"{name} stands twice: {lines[name].place} and {place}", lines[name].place, place
            )
        lines[name] = Line(_value(rest.strip(), name, place), place)
    return lines


def is_variable_name(name: str) -> bool:
    """Whether `name` can name an environment variable everywhere: ASCII letters, digits and `_`, no digit first."""
    return name.isascii() and name.isidentifier()


def _value(text: str, name: str, place: Place) -> str:
    if text[:1] == "'":
        value, closed, rest = text[1:].partition("'")
        return _after_quote(value, closed, rest, name, place)
    if text[:1] == '"':
        return _double_quoted(text[1:], name, place)
    for index, character in enumerate(text):
        if character == "#" and (index == 0 or text[index - 1] in " \t"):
            return text[:index].rstrip()
    return text


def _double_quoted(text: str, name: str, place: Place) -> str:
    value: list[str] = []
    characters = enumerate(text)
    for index, character in characters:
        if character == '"':
            return _after_quote("".join(value), '"', text[index + 1 :], name, place)
        if character == "\\":
            _, escaped = next(characters, (0, ""))
            if escaped not in _ESCAPES:
                raise _refused(
                    f'{place}: {name} has \\{escaped}, and double quotes know \\n \\r \\t \\" \\\\ \\$; use single quotes',
                    place,
                )
            value.append(_ESCAPES[escaped])
        else:
            value.append(character)
    return _after_quote("", "", "", name, place)


def _after_quote(value: str, closed: str, rest: str, name: str, place: Place) -> str:
    if not closed:
        raise _refused(f"{place}: the quote of {name} is not closed on its line", place)
    if rest.strip() and not rest.lstrip().startswith("#"):
        # The rest may be half of a secret: it is not repeated.
        raise _refused(f"{place}: there is something after the closing quote of {name}", place)
    return value


def _refused(message: str, *places: Place) -> SettingsError:
    return SettingsError(
        message,
        code="settings.bad-env-file",
        remedy="write one NAME=value a line, and quote values that hold blanks or #",
        places=[place for place in places if place.line],
    )
