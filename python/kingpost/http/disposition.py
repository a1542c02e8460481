"""The Content-Disposition of a download (RFC 6266): a name that no browser takes for a path, and no quote breaks out of."""

from __future__ import annotations

from urllib.parse import quote

# RFC 8187 section 3.2.1: attr-char, besides letters and digits.
_ATTRIBUTE = "!#$&+-.^_`|~"
_FORBIDDEN = frozenset('/\\:*?"<>|')


def attachment(name: str) -> str:
    r"""`attachment` with the name under which the browser saves it.

    Args:
        name: Any text. What no file system takes in a name (slashes, controls, `:*?"<>|`) becomes `_`.

    Example:
        >>> attachment("naïve plan.txt")
        'attachment; filename="na_ve plan.txt"; filename*=UTF-8\'\'na%C3%AFve%20plan.txt'
    """
    plain = "".join("_" if not _is_kept(character) else character for character in name)
    ascii_name = "".join(character if character < "\x7f" else "_" for character in plain)
    # "%" in the plain form is decoded by some browsers, and by others not (RFC 6266 appendix D).
    field = f'attachment; filename="{ascii_name.replace("%", "_")}"'
    if ascii_name == plain and "%" not in plain:
        return field
    return f"{field}; filename*=UTF-8''{quote(plain, safe=_ATTRIBUTE)}"


def _is_kept(character: str) -> bool:
    # Lone surrogates are no text, and the marks that turn the direction of writing make a name look like another.
    return (character.isprintable() or character == " ") and character not in _FORBIDDEN
