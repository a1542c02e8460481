"""The example application, as its users see it."""

from __future__ import annotations

import ast
import csv
import io
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from kingpost import App
from kingpost.testing import TestClient

ATLAS = Path(__file__).parents[3] / "examples" / "atlas"
MODULES = sorted(file.stem for file in ATLAS.glob("*.py"))
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

pytest.importorskip("pycountry")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATLAS_DATABASE", str(tmp_path_factory.mktemp("atlas") / "atlas.db"))
        patch.syspath_prepend(ATLAS)
        yield import_module("app").app
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def atlas(app: App) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


def test_it_has_under_400_lines() -> None:
    lines = [line for file in ATLAS.glob("*.py") for line in file.read_text("utf-8").splitlines()]
    assert len(lines) < 400


def public_names(module: str) -> set[str]:
    return set(import_module(module).__all__)


@pytest.mark.parametrize("module", MODULES)
def test_it_uses_public_names_only(module: str) -> None:
    tree = ast.parse((ATLAS / f"{module}.py").read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kingpost"):
            used = {alias.name for alias in node.names}
            assert used <= public_names(node.module or ""), f"{module}.py:{node.lineno}"
        if isinstance(node, ast.Import):
            assert not [each.name for each in node.names if each.name.startswith("kingpost")]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/", "Afghanistan"),
        ("/search?q=österreich", "Austria"),
        ("/search?q=", "Write the beginning"),
        ("/countries", "Page 1 of 5, 249 in all"),
        ("/countries/ch", "Zürich"),
        ("/subdivisions?country=CH&kind=Canton", "26 in all"),
        ("/subdivisions/FR-38", "Isère"),
        ("/languages?q=german", "Low German"),
        ("/languages/deu", "Österreich"),
        ("/currencies/CHF", "Swiss Franc"),
        ("/corrections", "Corrections as CSV"),
    ],
)
def test_a_page_shows_what_it_is_about(atlas: TestClient, address: str, words: str) -> None:
    response = atlas.get(address, headers=BROWSER)
    assert response.status == 200
    assert response.media_type == "text/html"
    assert words in response.text


def test_what_is_searched_for_is_shown_as_text(atlas: TestClient) -> None:
    assert "<script>alert" not in atlas.get("/search?q=<script>alert(1)</script>").text


def test_search_takes_any_punctuation(atlas: TestClient) -> None:
    assert atlas.get("/search", params={"q": "\"'*-() OR AND"}).status == 200


def test_every_link_of_the_first_pages_leads_somewhere(atlas: TestClient) -> None:
    import re

    for address in ("/", "/countries?q=an&page=2", "/subdivisions/GB-ENG", "/currencies?q=franc"):
        found = re.findall(r'(?:href|action)="(/[^"]*)"', atlas.get(address).text)
        for link in {link.replace("&amp;", "&") for link in found[:60]}:
            assert atlas.get(link).status == 200, f"{link} on {address}"


def test_json_comes_in_pages(atlas: TestClient) -> None:
    page = atlas.get("/api/subdivisions?country=de&size=5&page=2").json()
    assert [entry["code"] for entry in page.pop("items")] == [
        "DE-HH", "DE-HE", "DE-MV", "DE-NI", "DE-NW"
    ]  # fmt: skip
    assert page == {"page": 2, "pages": 4, "total": 16}


def test_json_leaves_out_what_is_empty(atlas: TestClient) -> None:
    assert atlas.get("/api/currencies/chf").json() == {
        "topic": "currencies",
        "code": "CHF",
        "name": "Swiss Franc",
        "country": "CH",
        "number": "756",
    }


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/countries/xx", 404),
        ("/api/planets", 404),
        ("/api/countries?page=400", 404),
        ("/api/countries?page=0", 422),
        ("/api/countries?size=501", 422),
    ],
)
def test_a_program_is_told_of_mistakes_in_json(
    atlas: TestClient, address: str, status: int
) -> None:
    response = atlas.get(address)
    assert response.status == status
    assert response.media_type == "application/problem+json"


def test_a_person_is_told_of_them_on_a_page(atlas: TestClient) -> None:
    response = atlas.get("/countries/xx", headers=BROWSER)
    assert response.status == 404
    assert "The countries of the atlas have no xx." in response.text


def test_the_export_has_every_row(atlas: TestClient) -> None:
    with atlas.stream("GET", "/api/languages.csv") as response:
        assert "content-length" not in response.headers
        rows = list(csv.DictReader(io.StringIO(response.read().decode())))
    assert len(rows) == atlas.get("/api/languages").json()["total"]
    assert {"code": "tlh", "name": "Klingon"}.items() <= next(
        row for row in rows if row["code"] == "tlh"
    ).items()


def test_an_export_obeys_the_filter(atlas: TestClient) -> None:
    lines = atlas.get("/api/subdivisions.csv?country=CH&kind=Canton").text.splitlines()
    assert len(lines) == 1 + 26


def test_corrections_of_a_form_are_made_and_shown(atlas: TestClient) -> None:
    response = atlas.post("/corrections", form={"csv": "languages,vol,name,Volapük (1879)\r\n"})
    assert (response.status, response.headers["location"]) == (303, "/corrections")
    assert "Volapük (1879)" in atlas.get("/corrections").text
    assert atlas.get("/api/languages/vol").json()["name"] == "Volapük (1879)"
    assert atlas.get("/api/languages?q=1879").json()["total"] == 1


def test_corrections_are_taken_as_csv_too(atlas: TestClient) -> None:
    response = atlas.post(
        "/corrections",
        content='countries,TR,official_name,"Türkiye, Republic of"\n',
        headers={"content-type": "text/csv; charset=utf-8"},
    )
    assert response.status == 303
    assert atlas.get("/api/countries/tr").json()["official_name"] == "Türkiye, Republic of"


def test_one_wrong_line_refuses_all_of_them(atlas: TestClient) -> None:
    written = (
        "currencies,EUR,name,Euros\ncurrencies,EUR,price,1\ncountries,XX,name,Nowhere\none,two\n"
    )
    response = atlas.post("/corrections", form={"csv": written})
    assert response.status == 422
    assert [error["location"] for error in response.json()["errors"]] == [
        ["body", "line 2"],
        ["body", "line 3"],
        ["body", "line 4"],
    ]
    assert atlas.get("/api/currencies/EUR").json()["name"] == "Euro"


def test_a_second_start_keeps_the_database(app: App, atlas: TestClient) -> None:
    world = import_module("world")
    before = world.AtlasSettings.load().database.stat().st_mtime_ns
    world.prepare()
    assert world.AtlasSettings.load().database.stat().st_mtime_ns == before
