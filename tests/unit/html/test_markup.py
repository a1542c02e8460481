"""Html escapes whatever is put into it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost.html import Html, escape

SPECIAL = "<a href=\"x\" title='y'>&"
ESCAPED = "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;"


class Badge:
    def __html__(self) -> str:
        return "<b>ok</b>"

    def __str__(self) -> str:
        return "never shown"


def test_format_escapes_every_value() -> None:
    assert Html.format("<p>{}|{name}</p>", SPECIAL, name=SPECIAL) == f"<p>{ESCAPED}|{ESCAPED}</p>"


def test_format_gives_html() -> None:
    assert type(Html.format("<p>{}</p>", 1)) is Html


def test_format_of_an_instance_is_the_same() -> None:
    assert Html("<p>{}</p>").format(SPECIAL) == f"<p>{ESCAPED}</p>"


def test_values_that_know_their_html_are_taken_as_they_are() -> None:
    assert Html.format("{}{}", Html("<br>"), Badge()) == "<br><b>ok</b>"


def test_a_class_with_the_method_is_no_html() -> None:
    assert escape(Badge) == str(escape(str(Badge)))


@pytest.mark.parametrize("spec", ["{!r}", "{!s:>5}", "{!a}"])
def test_what_is_formatted_or_converted_is_escaped(spec: str) -> None:
    assert "<" not in Html.format(spec, Html("<i>"))


def test_attributes_and_items_of_values_are_escaped() -> None:
    @dataclass
    class Row:
        name: str

    assert Html.format("{0.name}{1[0]}", Row("<"), ["<"]) == "&lt;&lt;"


def test_a_value_that_is_missing_is_named() -> None:
    with pytest.raises(KeyError, match=r"asks for \{last\}, and the named values given are: first"):
        Html.format("<p>{first} {last}</p>", first="Ada")
    with pytest.raises(KeyError, match="are: none"):
        Html.format("<p>{name}</p>")
    with pytest.raises(IndexError, match="asks for value 1, counted from 0, and 1 were given"):
        Html.format("<p>{} {}</p>", "Ada")


def test_a_format_specification_works_as_in_str_format() -> None:
    assert Html.format("{:.2f}|{:>{width}}", 3.14159, "<", width=3) == "3.14|  &lt;"


def test_adding_escapes_both_ways() -> None:
    assert Html("<br>") + "<" == "<br>&lt;"
    assert "<" + Html("<br>") == "&lt;<br>"
    assert type("<" + Html("<br>")) is Html


def test_join_escapes_its_parts() -> None:
    assert Html("<br>").join(["<", Html("<b>"), 5]) == "&lt;<br><b><br>5"


def test_repeating_keeps_html() -> None:
    assert Html("<br>") * 2 == 2 * Html("<br>") == "<br><br>"
    assert type(2 * Html("<br>")) is Html


def test_the_percent_operator_is_refused_since_it_would_not_escape() -> None:
    with pytest.raises(TypeError, match="Html does not do %"):
        Html("<p>%s</p>") % "<"


@pytest.mark.parametrize("source", [5, None, b"<p>", ["<p>"]])
def test_html_of_something_else_is_refused_with_the_remedy(source: Any) -> None:
    with pytest.raises(TypeError, match=r"Html\.format"):
        Html(source)


def test_html_takes_what_knows_its_html() -> None:
    assert Html(Badge()) == "<b>ok</b>"


def test_other_libraries_do_not_escape_it_again() -> None:
    shown = Html("<b>").__html__()

    assert (shown, type(shown)) == ("<b>", str)


def test_the_repr_says_what_it_is() -> None:
    assert repr(Html("<b>")) == "Html('<b>')"


def test_other_methods_of_str_give_plain_text_that_is_escaped_later() -> None:
    assert type(Html("<B>").lower()) is str


@given(st.text())
def test_escaped_text_has_no_special_character_left(text: str) -> None:
    shown = escape(text)

    assert not set("<>\"'") & set(shown)
    plain = shown
    for entity, character in (
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", '"'),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ):
        plain = Html(str(plain).replace(entity, character))
    assert str(plain) == text


class Interpolation:
    def __init__(self, value: object, conversion: str | None = None, format_spec: str = "") -> None:
        self.value = value
        self.conversion = conversion
        self.format_spec = format_spec


class Template:
    """A t-string as Python 3.14 makes it; so that older ones test the same code."""

    def __init__(self, strings: tuple[str, ...], *interpolations: Interpolation) -> None:
        self.strings = strings
        self.interpolations = interpolations


def test_the_values_of_a_t_string_are_escaped() -> None:
    template = Template(
        ("<p>", "|", "|", "</p>"),
        Interpolation(SPECIAL),
        Interpolation("<", "r"),
        Interpolation(Html("<b>")),
    )

    assert Html(template) == f"<p>{ESCAPED}|&#39;&lt;&#39;|<b></p>"


def test_a_t_string_formats_its_values() -> None:
    assert Html(Template(("", ""), Interpolation(2.5, format_spec=".2f"))) == "2.50"


@pytest.mark.skipif(sys.version_info < (3, 14), reason="t-strings came with Python 3.14")
def test_a_real_t_string_is_taken() -> None:
    x = "<"
    template = eval('t"<p>{x}</p>"', {"x": x})  # noqa: S307 - older Pythons cannot parse it

    assert Html(template) == "<p>&lt;</p>"
