"""Schemas in a few words, and as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kingpost.html import Html, escape
from kingpost.openapi.page.look import Part, as_id
from kingpost.openapi.page.markdown import blocks, inline
from kingpost.openapi.writing import to_json
from kingpost.schema.rules import counted

WORDS: Mapping[str, str] = {
    "minimum": "{} or more",
    "exclusiveMinimum": "more than {}",
    "maximum": "{} or less",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "{} or more",
    "maxLength": "{} or fewer",
    "minItems": "{} or more",
    "maxItems": "{} or fewer",
    "pattern": "matches {}",
}
UNITS: Mapping[str, str] = {
    "minLength": "character",
    "maxLength": "character",
    "minItems": "item",
    "maxItems": "item",
}
MAX_CHOICES = 12


def words_of(schema: Part) -> Html:
    """A schema in a few words, with links to those that have a name."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return Html.format('<a href="#schema-{}">{}</a>', as_id(name), name)
    for key, between in (("anyOf", " or "), ("oneOf", " or "), ("allOf", " and ")):
        if key in schema:
            return Html(between).join(words_of(each) for each in schema[key])
    if "const" in schema:
        return Html.format("<code>{}</code>", value(schema["const"]))
    if "enum" in schema:
        return choices(schema["enum"])
    kind = schema.get("type", "anything")
    kinds = [kind] if isinstance(kind, str) else list(kind)
    made = Html(" or ").join(kind_words(each, schema) for each in kinds)
    return Html(", ").join([made, *(rule(key, schema[key]) for key in WORDS if key in schema)])


def rule(key: str, bound: Any) -> str:
    """One rule of a schema: `1 character or more`."""
    unit = UNITS.get(key)
    return WORDS[key].format(bound if unit is None else counted(bound, unit))


def kind_words(kind: str, schema: Part) -> Html:
    if kind == "array":
        if "prefixItems" in schema:
            parts = Html(", ").join(words_of(each) for each in schema["prefixItems"])
            return Html.format("list of {}", parts)
        return Html.format("list of {}", words_of(schema.get("items") or {}))
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return Html.format("object, each value {}", words_of(schema["additionalProperties"]))
    if kind == "string" and "format" in schema:
        return Html("file") if schema["format"] == "binary" else escape(str(schema["format"]))
    return escape(kind)


def choices(values: list[Any]) -> Html:
    listed = [Html.format("<code>{}</code>", value(each)) for each in values[:MAX_CHOICES]]
    if len(values) > MAX_CHOICES:
        listed.append(Html.format("and {} more", len(values) - MAX_CHOICES))
    return Html.format("one of {}", Html(", ").join(listed))


def value(given: Any) -> str:
    """A value as people read it: text without quotes."""
    return given if isinstance(given, str) else to_json(given).decode()


def notes_of(schema: Part, description: str = "") -> Html:
    """What is said of a value in sentences: what it is, its default, examples.

    Args:
        schema: Its schema, whose own description is told unless it is the same.
        description: What stands beside the schema.
    """
    parts = [
        sentence(each)
        for each in dict.fromkeys((description, schema.get("description", "")))
        if each
    ]
    if schema.get("default") not in (None, ""):
        parts.append(Html.format("Default <code>{}</code>.", value(schema["default"])))
    if schema.get("examples"):
        listed = Html(", ").join(
            Html.format("<code>{}</code>", value(each)) for each in schema["examples"]
        )
        parts.append(Html.format("For example {}.", listed))
    return Html(" ").join(parts)


def sentence(text: str) -> Html:
    """A description with something that ends it: more may follow."""
    text = text.strip()
    return inline(text if text.endswith((".", "!", "?", ":", "…")) else f"{text}.")


def table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> Html:
    cells = Html("").join(Html.format('<th scope="col">{}</th>', each) for each in head)
    lines = [
        Html.format(
            "<tr>{}</tr>",
            Html("").join(
                Html.format('<td data-label="{}">{}</td>', label, cell)
                for label, cell in zip(head, row, strict=True)
            ),
        )
        for row in rows
    ]
    return Html.format(
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", cells, Html("").join(lines)
    )


def fields_table(schema: Part) -> Html:
    required = schema.get("required", [])
    return table(
        ("Name", "Type", "What it is"),
        (
            (
                name_cell(
                    name, required=name in required, deprecated=part.get("deprecated", False)
                ),
                words_of(part),
                notes_of(part),
            )
            for name, part in schema.get("properties", {}).items()
        ),
    )


def name_cell(name: str, *, required: bool, deprecated: bool) -> Html:
    made = Html.format("<code>{}</code>", name)
    if required:
        made += Html(' <span class="required">required</span>')
    if deprecated:
        made += Html(' <span class="old">deprecated</span>')
    return made


def schema_view(schema: Part) -> Html:
    """A schema, with the fields of an object that has no name of its own."""
    if "$ref" not in schema and schema.get("properties"):
        return fields_table(schema)
    return Html.format("<p>{}</p>", words_of(schema))


def schema_part(name: str, schema: Part) -> Html:
    """A schema of a class, folded."""
    parts = (
        [Html.format('<div class="prose">{}</div>', blocks(schema["description"]))]
        if schema.get("description")
        else []
    )
    parts.append(
        fields_table(schema)
        if schema.get("properties")
        else Html.format("<p>{}</p>", words_of(schema))
    )
    return Html.format(
        '<details id="schema-{}" class="schema"><summary><h3>{}</h3></summary>\n{}\n</details>',
        as_id(name),
        name,
        Html("").join(parts),
    )
