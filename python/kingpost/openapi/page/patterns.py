"""A text that a simple pattern takes: `[0-9]{5}` has "00000". What is made is tried, so none is given that does not fit."""

from __future__ import annotations

import re
from typing import Final

_CLASSES: Final = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a"}
_PIECE: Final = re.compile(
    r"""
    (?: \\(?P<kind>[dwsDWS])
      | \\(?P<quoted>[^A-Za-z0-9])
      | \[(?P<set>[^\]^\\][^\]\\]*|\\[dws])\]
      | (?P<any>\.)
      | (?P<plain>[^\\\[\]().^$*+?{}|])
    )
    (?: (?P<star>[*?])\?? | \+\?? | \{(?P<least>\d{1,4})(?:,\d*)?\} )?
    """,
    re.VERBOSE,
)
_MAX_CHARACTERS: Final = 200


def matching(pattern: str, least: int = 0) -> str | None:
    """A text that has the pattern; None where that is not simple: groups, choices, sets of what is not allowed.

    Args:
        pattern: a regular expression.
        least: the fewest characters.
    """
    inner = pattern.removeprefix("^").removesuffix("$")
    made: list[str] = []
    stretched: int | None = None
    position = 0
    while position < len(inner):
        found = _PIECE.match(inner, position)
        if found is None:
            return None
        repeated = found[0].endswith(("*", "+", "*?", "+?", ",}")) and found.end() > position + 1
        times = 0 if found["star"] else int(found["least"] or 1)
        if repeated:
            stretched = len(made)
            times = times or 1
        made.append(_character(found) * min(times, _MAX_CHARACTERS))
        position = found.end()
    missing = least - len("".join(made))
    if missing > 0 and stretched is not None and made[stretched]:
        made[stretched] += made[stretched][0] * min(missing, _MAX_CHARACTERS)
    text = "".join(made)
    try:
        fits = re.search(pattern, text) is not None
    except re.error:
        return None
    return text if fits and text and len(text) >= least else None


def _character(found: re.Match[str]) -> str:
    if found["kind"]:
        return _CLASSES[found["kind"]]
    listed = found["set"]
    if listed:
        return _CLASSES[listed[1]] if listed[0] == "\\" else listed[0]
    return "a" if found["any"] else found["quoted"] or found["plain"]
