"""The samples of an article about frameworks, done here."""

from __future__ import annotations

from typing import Any

import pytest

from kingpost.openapi import document
from kingpost.testing import TestClient
from tests.programs.test_programs import program

ADA = {"authorization": "Bearer 7f3a"}
ANVIL = {"name": "anvil", "rating": 5, "size": "large"}


def operation(name: str, path: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = document(program(name))["paths"][path][method]
    return found


# -- Flask -----------------------------------------------------------------------------------------------------------


def test_the_flask_sample_sends_what_its_return_type_names() -> None:
    with TestClient(program("article_flask")) as browser:
        found = browser.get("/api/v2/products/7/images", headers=ADA)

    # The bucket of an image does not leave.
    assert found.json() == [{"url": "/x.png"}, {"url": "/y.png"}]


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/api/v2/products/8/images", ADA, 404, "missing-product"),
        ("/api/v2/products/seven/images", ADA, 404, "not-found"),
        ("/api/v2/products/7/images", {}, 401, "unauthorized"),
        ("/api/v2/products/8/images", {"authorization": "Bearer x"}, 401, "unauthorized"),
    ],
)
def test_the_flask_sample_refuses(
    path: str, headers: dict[str, str], status: int, code: str
) -> None:
    with TestClient(program("article_flask")) as browser:
        refused = browser.get(path, headers=headers)

    assert (refused.status, refused.json()["code"]) == (status, code)
    assert refused.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


def test_the_flask_sample_is_documented_by_its_docstring() -> None:
    described = operation("article_flask", "/api/{version}/products/{prod_id}/images", "get")

    assert described["summary"] == "Retrieves a list of product images."
    said = {each["name"]: each.get("description") for each in described["parameters"]}
    assert said == {"version": None, "prod_id": "ID of a product"}
    assert described["responses"]["404"]["description"].startswith("There is no such product.")
    assert "401" in described["responses"]


# -- Pyramid and Japronto --------------------------------------------------------------------------------------------


def test_the_pyramid_sample() -> None:
    with TestClient(program("article_pyramid")) as browser:
        answer = browser.get("/")

    assert (answer.text, answer.headers["x-path"]) == ("Hello, world!", "/")
    assert program("article_pyramid").url_for("hello") == "/"


def test_the_japronto_sample() -> None:
    with TestClient(program("article_japronto")) as browser:
        assert browser.get("/").text == "Hello world!"


# -- Sanic -----------------------------------------------------------------------------------------------------------


def test_the_sanic_sample_has_its_version_and_its_prefixes_before_it() -> None:
    with TestClient(program("article_sanic")) as browser:
        found = browser.get("/api/v1/notes/1")
        elsewhere = browser.get("/notes/1")

    assert (found.json(), found.headers["x-part"]) == ({"text": "buy milk"}, "notes")
    assert (elsewhere.status, "x-part" in elsewhere.headers) == (404, False)


def test_errors_of_the_sanic_sample_are_answered_by_its_blueprint() -> None:
    with TestClient(program("article_sanic")) as browser:
        missing = browser.get("/api/v1/notes/2")

    assert (missing.status, missing.json()) == (404, {"missing": "/api/v1/notes/2"})
    assert missing.headers["x-part"] == "notes"


def test_the_clock_of_the_sanic_sample_ticks() -> None:
    with TestClient(program("article_sanic")) as browser:
        ticks = browser.get("/api/v1/notes/clock?times=3&wait=0").text.splitlines()

    assert len(ticks) == 3
    assert ticks == sorted(ticks)


# -- Falcon ----------------------------------------------------------------------------------------------------------


def test_the_falcon_sample_answers_its_verbs() -> None:
    saying = {"quote": "Less is more.", "author": "Robert Browning"}
    with TestClient(program("article_falcon")) as browser:
        first = browser.get("/quote")
        put = browser.put("/quote", json=saying)
        second = browser.get("/quote")
        wrong = browser.put("/quote", json={"quote": 7})
        refused = browser.delete("/quote")

    assert first.json()["author"] == "Grace Hopper"
    assert put.json() == second.json() == saying
    assert [error["code"] for error in wrong.json()["errors"]] == ["not-text", "missing"]
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS, PUT")


# -- API Star --------------------------------------------------------------------------------------------------------


def test_the_api_star_sample_takes_a_product_that_fits() -> None:
    with TestClient(program("article_apistar")) as browser:
        created = browser.post("/create_product/", json=ANVIL, headers=ADA)
        shown = browser.get("/products/anvil")

    assert (created.status, created.json()) == (201, ANVIL | {"in_stock": False})
    assert shown.json() == created.json()


def test_the_api_star_sample_says_all_that_is_wrong() -> None:
    sent = {"name": "x" * 101, "rating": 6, "size": "tiny"}
    with TestClient(program("article_apistar")) as browser:
        refused = browser.post("/create_product/", json=sent, headers=ADA)

    assert refused.status == 422
    assert [(error["location"], error["code"]) for error in refused.json()["errors"]] == [
        (["body", "name"], "too-long"),
        (["body", "rating"], "too-large"),
        (["body", "size"], "not-a-choice"),
    ]


def test_a_component_gives_the_user_to_those_who_ask_for_one() -> None:
    with TestClient(program("article_apistar")) as browser:
        ada = browser.get("/whoami", headers=ADA)
        nobody = browser.get("/whoami")
        refused = browser.post("/create_product/", json=ANVIL)
        # Who names no user is not asked who he is.
        shown = browser.get("/products/anvil")

    assert ada.json() == {"name": "ada"}
    assert (nobody.status, nobody.headers["www-authenticate"]) == (401, "Bearer")
    assert refused.status == 401
    assert shown.status == 404


def test_the_api_star_sample_is_described() -> None:
    whole = document(program("article_apistar"))
    schema = whole["components"]["schemas"]["ProductInput"]
    parameters = whole["paths"]["/products/{name}"]["get"]["parameters"]

    assert schema["properties"]["name"]["maxLength"] == 100
    assert schema["properties"]["rating"] == {"type": "integer", "minimum": 1, "maximum": 5}
    assert schema["properties"]["size"]["enum"] == ["small", "medium", "large"]
    assert schema["required"] == ["name", "rating", "size"]
    assert {each["name"]: each["description"] for each in parameters} == {
        "name": "As it was created.",
        "currency": "Three letters, as ISO 4217 has them.",
    }
