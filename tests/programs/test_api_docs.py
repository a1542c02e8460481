"""What the program of API docs tells programs and people of itself."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kingpost.openapi import document
from kingpost.testing import TestClient
from tests.programs.test_programs import program


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document(program("api_docs"))


def operation(described: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = described["paths"][path][method]
    return found


def test_it_says_what_it_is(described: dict[str, Any]) -> None:
    assert described["openapi"] == "3.1.1"
    assert described["info"] == {
        "title": "Orders",
        "version": "1.4",
        "description": "Orders of a small shop.",
        "contact": {"email": "api@example.org"},
    }
    assert described["tags"] == [{"name": "orders"}, {"name": "receipts"}]
    assert "/health" not in described["paths"]


def test_parameters_of_handlers_and_providers_stand_side_by_side(described: dict[str, Any]) -> None:
    every = operation(described, "/orders/", "get")
    found = {each["name"]: each for each in every["parameters"]}

    assert list(found) == ["number", "size", "tag", "sort", "x-trace"]
    assert found["size"]["schema"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 100,
        "default": 20,
    }
    assert (found["tag"]["style"], found["tag"]["explode"]) == ("form", False)
    assert found["sort"]["schema"]["enum"] == ["day", "item"]
    assert found["x-trace"]["description"] == "comes back in the log."
    assert every["summary"] == "List the orders of a customer."
    assert every["description"] == "Newest first, unless `sort` says otherwise."
    assert every["security"] == [{"bearer": []}]
    assert described["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer"}
    }


def test_what_is_private_or_left_out_is_not_shown(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]

    assert "margin" not in schemas["Order"]["properties"]
    assert list(schemas["Order_only_day_id_item"]["properties"]) == ["item", "id", "day"]


def test_unions_say_what_tells_them_apart(described: dict[str, Any]) -> None:
    payment = described["components"]["schemas"]["NewOrder"]["properties"]["payment"]

    assert payment["discriminator"] == {
        "propertyName": "kind",
        "mapping": {
            "card": "#/components/schemas/Card",
            "transfer": "#/components/schemas/Transfer",
        },
    }


def test_answers_and_errors(described: dict[str, Any]) -> None:
    place = operation(described, "/orders/", "post")["responses"]

    assert list(place) == ["201", "400", "401", "409", "413", "415", "422", "431"]
    assert place["201"]["description"] == "The order as it was taken."
    problem = place["409"]["content"]["application/problem+json"]
    assert problem["examples"]["sold-out"]["value"]["code"] == "sold-out"
    assert place["409"]["description"] == "The item is sold out; another day it may be there."
    cancel = operation(described, "/orders/{id}", "delete")["responses"]
    assert list(cancel) == ["204", "404", "414"]
    assert cancel["414"] == {"$ref": "#/components/responses/URITooLong"}
    export = operation(described, "/orders/export", "get")["responses"]["200"]
    assert export["description"] == "One order a line."
    assert list(export["content"]) == ["application/x-ndjson"]
    newest = operation(described, "/orders/newest", "get")
    assert newest["deprecated"] is True
    assert list(newest["responses"]) == ["303"]


def test_a_form_with_a_file_is_multipart(described: dict[str, Any]) -> None:
    body = operation(described, "/orders/{id}/receipt", "post")["requestBody"]
    schema = body["content"]["multipart/form-data"]["schema"]

    assert list(body["content"]) == ["multipart/form-data"]
    assert schema["properties"]["file"]["format"] == "binary"
    assert schema["required"] == ["file"]


def test_the_document_is_served_as_it_was_made(described: dict[str, Any]) -> None:
    with TestClient(program("api_docs")) as browser:
        as_json = browser.get("/docs/openapi.json")
        as_yaml = browser.get("/docs/openapi.yaml")

    assert as_json.json() == described
    assert as_json.headers["content-type"] == "application/json"
    assert as_yaml.headers["content-type"] == "application/yaml"
    assert as_yaml.text.startswith('openapi: "3.1.1"\ninfo:\n  title: Orders\n')


def test_the_page_needs_nothing_from_elsewhere() -> None:
    with TestClient(program("api_docs")) as browser:
        page = browser.get("/docs")

    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self' 'sha256-")
    assert "connect-src 'self'; " in policy
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page.text)
    assert "<title>Orders</title>" in page.text
    assert '<a href="docs/openapi.json">' in page.text
