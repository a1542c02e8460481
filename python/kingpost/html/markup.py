"""`Html`: text that is known to be HTML, so it is sent as text/html and never escaped again."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, Self, SupportsIndex, runtime_checkable

from kingpost.html.escaping import HasHtml, escape_text, escape_value


@runtime_checkable
class TemplateString(Protocol):
    """A t-string (PEP 750, Python 3.14): the fixed parts and the values between them."""

    @property
    def strings(self) -> tuple[str, ...]:
        """The fixed parts; one more than there are values."""
        ...

    @property
    def interpolations(self) -> tuple[Any, ...]:
        """The values, each with `value`, `conversion` and `format_spec`."""
        ...


class Html(str):
    """HTML as the author wrote it. Whatever is put into it through `format`, `+`, `join` or a t-string is escaped.

    Args:
        source: HTML that is trusted as it stands; an object with `__html__`; or a t-string, whose values are escaped.

    Raises:
        TypeError: The source is none of these: `Html(5)` would hide a mistake.

    Example:
        >>> Html.format("<p>{}</p>", "<script>")
        Html('<p>&lt;script&gt;</p>')
        >>> Html("<br>") + "a < b"
        Html('<br>a &lt; b')
    """

    __slots__ = ()

    def __new__(cls, source: str | HasHtml | TemplateString = "") -> Self:
        if isinstance(source, str):
            return super().__new__(cls, source)
        if isinstance(source, HasHtml):
            return super().__new__(cls, source.__html__())
        if _is_template(source):
            return super().__new__(cls, _render(source))
        raise TypeError(
            f"Html({source!r}): give a str, a t-string or an object with __html__; for other values write Html.format('{{}}', value)"
        )

    def __html__(self) -> str:
        """The HTML as a plain str: nothing that takes `__html__` escapes it again."""
        return str.__str__(self)

    def __repr__(self) -> str:
        return f"Html({super().__repr__()})"

    def format(self: str, *args: object, **kwargs: object) -> Html:
        """The HTML with every `{}` replaced by the escaped value: `Html.format("<p>{}</p>", text)`."""
        # As a plain str: string.Formatter would call our own format() again for nested fields.
        return Html(_FORMATTER.vformat(str.__str__(self), args, kwargs))

    def __add__(self, other: str) -> Html:
        return Html(str.__add__(self, escape_value(other)))

    def __radd__(self, other: str) -> Html:
        return Html(escape_value(other) + str.__str__(self))

    def __mul__(self, times: SupportsIndex) -> Html:
        return Html(str.__mul__(self, times))

    def __rmul__(self, times: SupportsIndex) -> Html:
        return self * times

    def __mod__(self, values: object) -> Html:
        raise TypeError(
            "Html does not do %: write Html.format('<p>{}</p>', value), which escapes the value"
        )

    def join(self, parts: Iterable[object]) -> Html:
        """The parts, escaped unless they are HTML, with this between them: `Html("").join(rows)`."""
        return Html(str.join(self, [escape_value(part) for part in parts]))


def escape(value: object) -> Html:
    """`value` as HTML that shows it: `escape("a < b")` is `Html("a &lt; b")`; HTML stays as it is."""
    return Html(escape_value(value))


class _EscapingFormatter(string.Formatter):
    """str.format whose every field is escaped after it is formatted, and that says which value is missing."""

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        try:
            return super().get_value(key, args, kwargs)
        except KeyError:
            given = ", ".join(kwargs) or "none"
            raise KeyError(
                f"the pattern asks for {{{key}}}, and the named values given are: {given}"
            ) from None
        except IndexError:
            raise IndexError(
                f"the pattern asks for value {key}, counted from 0, and {len(args)} were given"
            ) from None

    def format_field(self, value: object, format_spec: str) -> str:
        return _formatted(value, format_spec)


_FORMATTER = _EscapingFormatter()


def _is_template(source: object) -> bool:
    # Typed as object: who calls without a checker may give anything.
    return isinstance(source, TemplateString)


def _formatted(value: object, format_spec: str) -> str:
    if not format_spec:
        return escape_value(value)
    return escape_text(format(value, format_spec))


def _render(template: TemplateString) -> str:
    parts = [template.strings[0]]
    for interpolation, fixed in zip(template.interpolations, template.strings[1:], strict=True):
        value = interpolation.value
        if interpolation.conversion:
            value = _FORMATTER.convert_field(value, interpolation.conversion)
        parts.append(_formatted(value, interpolation.format_spec))
        parts.append(fixed)
    return "".join(parts)
