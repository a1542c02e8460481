"""One operation: what it does, what it takes, what it answers, and a form to try it."""

from __future__ import annotations

from typing import Any

from kingpost.html import Html
from kingpost.openapi.page.forms import try_form
from kingpost.openapi.page.look import Document, Part, as_id
from kingpost.openapi.page.markdown import blocks, inline
from kingpost.openapi.page.schemas import name_cell, notes_of, schema_view, table, words_of

OPERATION = """\
<details id="{id}" class="operation{old}">
<summary><span class="method {method}">{verb}</span> <h3><code>{path}</code></h3> <span class="summary">{summary}</span></summary>
{parts}
</details>"""


def operation_part(document: Document, path: str, method: str, operation: Part) -> Html:
    """An operation, folded."""
    parts: list[Html] = []
    if operation.get("deprecated"):
        parts.append(Html('<p class="old">Deprecated: it still works, use something else.</p>'))
    if operation.get("description"):
        parts.append(Html.format('<div class="prose">{}</div>', blocks(operation["description"])))
    parameters = [document.followed(each) for each in operation.get("parameters", [])]
    if parameters:
        parts += [Html("<h4>Parameters</h4>"), parameter_table(parameters)]
    body = document.followed(operation.get("requestBody", {}))
    if body:
        parts.append(body_part(body))
    parts += [Html("<h4>Answers</h4>"), answer_table(document, operation.get("responses", {}))]
    parts.append(try_form(document, path, method, operation))
    return Html.format(
        OPERATION,
        id=as_id(operation.get("operationId", f"{method}{path}")),
        old=" deprecated" if operation.get("deprecated") else "",
        method=method,
        verb=method.upper(),
        path=path,
        summary=inline(operation.get("summary", "")),
        parts=Html("\n").join(parts),
    )


def parameter_table(parameters: list[Part]) -> Html:
    return table(
        ("Name", "In", "Type", "What it is"),
        (
            (
                name_cell(
                    each["name"],
                    required=each.get("required", False),
                    deprecated=each.get("deprecated", False),
                ),
                each["in"],
                words_of(each.get("schema", {})),
                notes_of(each.get("schema", {}), each.get("description", "")),
            )
            for each in parameters
        ),
    )


def body_part(body: Part) -> Html:
    parts = [Html("<h4>Body</h4>")]
    if body.get("description"):
        parts.append(Html.format('<div class="prose">{}</div>', blocks(body["description"])))
    shown: list[tuple[list[str], Any]] = []
    for media_type, content in body["content"].items():
        schema = content.get("schema", {})
        if shown and shown[-1][1] == schema:
            shown[-1][0].append(media_type)
        else:
            shown.append(([media_type], schema))
    for media_types, schema in shown:
        names = Html(" or ").join(Html.format("<code>{}</code>", each) for each in media_types)
        parts += [Html.format("<p>{}</p>", names), schema_view(schema)]
    return Html("\n").join(parts)


def answer_table(document: Document, responses: Part) -> Html:
    rows: list[tuple[object, ...]] = []
    for status, given in responses.items():
        response = document.followed(given)
        contents = [
            Html.format(
                "<code>{}</code>{}",
                media_type,
                Html.format(": {}", words_of(schema)) if (schema := schema_of(content)) else "",
            )
            for media_type, content in response.get("content", {}).items()
        ]
        rows.append((status, inline(response.get("description", "")), Html("<br>").join(contents)))
    return table(("Status", "When", "Content"), rows)


def schema_of(content: Part) -> Part:
    items: Part = content.get("x-itemSchema", {})
    return content.get("schema") or ({"type": "array", "items": items} if items else {})
