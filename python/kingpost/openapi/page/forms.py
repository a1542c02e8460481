"""The form of an operation. It is hidden until the script, which sends it, shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kingpost.html import Html
from kingpost.openapi.page.look import Document, Part
from kingpost.openapi.page.patterns import matching

FORM = """\
<form class="try" hidden data-method="{method}" data-path="{path}"{rest}>
<h4>Try it</h4>
{fields}
<button>Send {method}</button>
<output aria-live="polite"></output>
</form>"""
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
SEPARATORS: Mapping[str, str] = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
MAX_DEPTH = 6
MAX_TEXT = 1_000
"""Characters that are added to an example that is too short."""


def try_form(document: Document, path: str, method: str, operation: Part) -> Html:
    """The form of an operation."""
    parameters = [document.followed(each) for each in operation.get("parameters", [])]
    fields = [parameter_field(document, each) for each in parameters]
    body = document.followed(operation.get("requestBody", {}))
    media_type = body_type(body)
    if media_type:
        content = body["content"][media_type]
        if media_type in FORMS:
            fields += form_fields(document, content)
        else:
            fields.append(text_body(document, media_type, content))
    return Html.format(
        FORM,
        method=method.upper(),
        path=path,
        rest=Html.format(' data-body="{}"', media_type) if media_type else "",
        fields=Html("\n").join(fields),
    )


def body_type(body: Part) -> str:
    """The media type that the form sends: JSON where it may."""
    content = body.get("content", {})
    return "application/json" if "application/json" in content else next(iter(content), "")


def parameter_field(document: Document, parameter: Part) -> Html:
    name, place = parameter["name"], parameter["in"]
    schema = document.followed(parameter.get("schema", {}))
    if place == "cookie":
        return Html.format(
            '<p class="hint">The browser sends the cookie <code>{}</code> if it has it.</p>', name
        )
    how = Html.format(' data-in="{}" data-name="{}"', place, name)
    if parameter.get("style") == "deepObject":
        how += Html(' data-kind="object"')
        return labelled(name, place, Html.format('<textarea rows="3"{}></textarea>', how))
    if schema.get("type") == "array":
        is_joined = not parameter.get("explode", place == "query")
        separator = SEPARATORS.get(parameter.get("style", "form"), ",") if is_joined else ""
        how += Html.format(' data-kind="list" data-separator="{}"', separator)
        return labelled(
            name, f"{place}, one a line", Html.format('<textarea rows="2"{}></textarea>', how)
        )
    return labelled(name, place, control(schema, how, required=parameter.get("required", False)))


def labelled(name: str, where: str, element: Html) -> Html:
    return Html.format("<label><span>{} <small>{}</small></span>{}</label>", name, where, element)


def control(schema: Part, how: Html, *, required: bool) -> Html:
    """An element to fill in one value."""
    if required:
        how += Html(" required")
    listed = [True, False] if schema.get("type") == "boolean" else schema.get("enum")
    if listed:
        options = Html("").join(
            Html.format("<option>{}</option>", written(each)) for each in listed
        )
        return Html.format('<select{}><option value=""></option>{}</select>', how, options)
    if schema.get("format") == "binary":
        return Html.format('<input type="file"{}>', how)
    hint = (
        Html.format(' placeholder="{}"', written(schema["default"])) if "default" in schema else ""
    )
    kind = "number" if schema.get("type") in ("integer", "number") else "text"
    step = Html(' step="any"') if schema.get("type") == "number" else ""
    return Html.format('<input type="{}"{}{}{} autocomplete="off">', kind, step, how, hint)


def written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def form_fields(document: Document, content: Part) -> list[Html]:
    schema = document.followed(content.get("schema", {}))
    every = [document.followed(each) for each in schema.get("allOf", [schema])]
    fields: list[Html] = []
    for each in every:
        for name, part in each.get("properties", {}).items():
            found = document.followed(part)
            how = Html.format(' data-in="form" data-name="{}"', name)
            if found.get("type") == "array":
                is_file = document.followed(found.get("items", {})).get("format") == "binary"
                how += Html(" multiple") if is_file else Html(' data-kind="list"')
                element = (
                    Html.format('<input type="file"{}>', how)
                    if is_file
                    else Html.format('<textarea rows="2"{}></textarea>', how)
                )
                fields.append(labelled(name, "form" if is_file else "form, one a line", element))
            else:
                required = name in each.get("required", [])
                fields.append(labelled(name, "form", control(found, how, required=required)))
    return fields


def text_body(document: Document, media_type: str, content: Part) -> Html:
    text = ""
    if media_type == "application/json":
        made = example_of(document, content.get("schema", {}))
        made = made.words if isinstance(made, Unknown) else made
        text = json.dumps(made, indent=2, ensure_ascii=False)
    return labelled(
        "Body",
        media_type,
        Html.format(
            '<textarea class="body" rows="{}" spellcheck="false">{}</textarea>',
            min(20, max(4, text.count("\n") + 2)),
            # The first newline of a textarea is not part of it.
            "\n" + text,
        ),
    )


def example_of(document: Document, schema: Part, depth: int = 0) -> Any:
    """A value to begin with: examples and defaults where there are some, what is required where there are none; or `Unknown`."""
    schema = document.followed(schema)
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("oneOf", "anyOf"):
        if schema.get(key):
            return example_of(document, schema[key][0], depth)
    said: Any = schema.get("type")
    kinds: list[str] = [said] if isinstance(said, str) else said or [""]
    kind = kinds[0]
    if kind == "object" and depth < MAX_DEPTH:
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        made = {name: example_of(document, part, depth + 1) for name, part in properties.items()}
        # Left out where no example is known, and where it must be there, what it has to be is said in its place.
        return {
            name: part.words if isinstance(part, Unknown) else part
            for name, part in made.items()
            if not isinstance(part, Unknown) or name in required
        }
    if kind == "array" and depth < MAX_DEPTH:
        item = schema.get("items")
        parts = schema.get("prefixItems") or ([item] if item else [])
        found = [example_of(document, part, depth + 1) for part in parts]
        return [each.words if isinstance(each, Unknown) else each for each in found]
    return plain_example(kind, schema)


def plain_example(kind: str, schema: Part) -> Any:
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    if kind == "boolean":
        return True
    if kind in ("object", "array"):
        return {} if kind == "object" else []
    if kind != "string":
        return None
    known = EXAMPLES.get(schema.get("format", ""))
    return plain_text(schema) if known is None else known


def plain_text(schema: Part) -> str | Unknown:
    """A text within the bounds of its length and with its pattern."""
    least: int = schema.get("minLength", 0)
    pattern: str | None = schema.get("pattern")
    if pattern is None:
        text = "text" + "t" * min(least - 4, MAX_TEXT)
    else:
        made = matching(pattern, least)
        if made is None:
            return Unknown(f"matches {pattern}")
        text = made
    most: int = schema.get("maxLength", len(text))
    if len(text) <= most:
        return text
    return text[:most] if pattern is None else Unknown(f"matches {pattern}")


@dataclass(frozen=True, slots=True)
class Unknown:
    """In place of an example that cannot be made: what it has to be."""

    words: str


EXAMPLES: Mapping[str, str] = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00",
    "duration": "PT1H",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "decimal": "1.50",
    "email": "ada@example.org",
    "uri": "https://example.org/",
}
