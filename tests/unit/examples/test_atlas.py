"""The example application, as its users see it."""

from __future__ import annotations

import ast
import contextlib
import csv
import html
import io
import re
import sqlite3
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from kingpost import App
from kingpost.testing import TestClient
from tests.needs import need
from tools import assets

ATLAS = Path(__file__).parents[3] / "examples" / "atlas"
MODULES = sorted(file.stem for file in ATLAS.glob("*.py"))
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    need(assets.are_there(), "htmx", remedy="python -m tools.assets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATLAS_DATABASE", str(tmp_path_factory.mktemp("atlas") / "atlas.db"))
        patch.syspath_prepend(ATLAS)
        app: App = import_module("app").app
        # Read while the environment says so, and kept.
        assert app.settings
        yield app
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def atlas(app: App) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


def test_it_has_some_400_lines() -> None:
    lines = [line for file in ATLAS.glob("*.py") for line in file.read_text("utf-8").splitlines()]
    assert len(lines) <= 410


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


WRITTEN = [
    file for end in ("py", "html", "css", "sql", "md") for file in sorted(ATLAS.rglob(f"*.{end}"))
]


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: file.name)
def test_no_line_of_it_exists_for_a_test(file: Path) -> None:
    assert not re.search(r"pytest|benchmark|\btest", file.read_text("utf-8"), re.IGNORECASE)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/", "Afghanistan"),
        ("/search?q=österreich", "Austria"),
        ("/search?q=", "Write the beginning"),
        ("/search?q=zzzz", "Nothing is called “zzzz”."),
        ("/countries", "249 in all"),
        ("/countries?page=2", "Page 3 of 5"),
        ("/countries/ch", "Zürich"),
        ("/subdivisions?country=CH&kind=Canton", "26 in all"),
        ("/subdivisions/FR-38", "Isère"),
        ("/languages?q=german", "Low German"),
        ("/languages/deu", "Österreich"),
        ("/currencies/CHF", "Swiss Franc"),
        ("/currencies/chf/edit", 'value="Swiss Franc"'),
        ("/corrections", "a file of CSV"),
    ],
)
def test_a_page_shows_what_it_is_about(atlas: TestClient, address: str, words: str) -> None:
    response = atlas.get(address, headers=BROWSER)
    assert response.status == 200
    assert response.media_type == "text/html"
    assert words in response.text
    assert response.text.startswith("<!doctype html>")


def test_what_is_searched_for_is_shown_as_text(atlas: TestClient) -> None:
    shown = atlas.get("/search?q=<script>alert(1)</script>").text
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)" in shown


def test_search_takes_any_punctuation(atlas: TestClient) -> None:
    assert atlas.get("/search", params={"q": "\"'*-() OR AND"}).status == 200


@pytest.mark.parametrize(
    "address", ["/", "/countries?q=an&page=2", "/subdivisions/GB-ENG", "/currencies?q=franc"]
)
def test_every_link_of_a_page_leads_somewhere(atlas: TestClient, address: str) -> None:
    found = re.findall(r'(?:href|src|action|hx-get)="(/[^"#]*)', atlas.get(address).text)
    assert len(found) > 10
    for link in {html.unescape(link) for link in found[:60]}:
        assert atlas.get(link).status == 200, link


def test_files_for_the_pages_are_kept_for_ever(
    atlas: TestClient, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = atlas.get("/").text
    links = re.findall(r'(?:href|src)="(/(?:assets|static)/[^"#]*)', page)
    assert {Path(link).name.partition(".")[0] for link in links} == {
        "simple", "atlas", "htmx", "globe", "icons"
    }  # fmt: skip
    monkeypatch.setenv("KINGPOST_ENV", "production")
    with TestClient(app) as client:
        for link in set(links):
            assert "immutable" in client.get(link).headers["cache-control"]


def test_pages_run_and_load_nothing_from_elsewhere(atlas: TestClient) -> None:
    response = atlas.get("/corrections")
    assert "default-src 'self'" in response.headers["content-security-policy"]
    assert not re.search(r"<style|<script>|style=|onclick=", response.text)
    assert not re.search(r'(?:src|href)="(?:https?:)?//(?!github)', response.text)


# -- parts of pages, for htmx

HTMX = {"hx-request": "true"}


def test_a_search_is_a_part_and_goes_into_the_history_once(atlas: TestClient) -> None:
    first = atlas.get("/search?q=öster", headers={**HTMX, "hx-current-url": "http://localhost/"})
    assert first.text.lstrip().startswith("<h1>Search</h1>")
    assert first.headers["hx-push-url"] == "/search?q=%C3%B6ster"
    assert first.headers["vary"].startswith("hx-request, ")

    there = {**HTMX, "hx-current-url": "http://localhost/search?q=%C3%B6ster"}
    second = atlas.get("/search?q=östr", headers=there)
    assert "hx-push-url" not in second.headers
    assert second.headers["hx-replace-url"] == "/search?q=%C3%B6str"


def test_a_list_comes_without_its_page_and_goes_on_by_rows(atlas: TestClient) -> None:
    filtered = atlas.get("/languages?q=german", headers={**HTMX, "hx-target": "div#found"}).text
    assert "<h1>" not in filtered
    assert "<table>" in filtered

    rows = atlas.get("/languages?page=2", headers={**HTMX, "hx-target": "tr#more"}).text
    assert "<table>" not in rows
    assert rows.count("<tr>") == 50
    assert 'id="more" hx-get="/languages?page=3"' in rows

    last = atlas.get("/languages?page=159", headers={**HTMX, "hx-target": "tr#more"}).text
    assert 0 < last.count("<tr>") <= 50
    assert 'id="more"' not in last


def test_an_entry_is_corrected_with_and_without_scripts(atlas: TestClient) -> None:
    address = "/currencies/XAU/edit"
    values = {"name": "Gold, a troy ounce", "official_name": "", "kind": "", "number": "959"}

    plain = atlas.post(address, form=values)
    assert (plain.status, plain.headers["location"]) == (303, "/currencies/XAU")
    assert "Gold, a troy ounce" in atlas.get("/currencies/XAU").text

    part = atlas.post(address, form={**values, "name": "Gold"}, headers=HTMX)
    assert part.status == 200
    assert part.text.lstrip().startswith("<h1> Gold</h1>")
    history = atlas.get("/corrections").text
    assert history.count("Gold, a troy ounce") == 2


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["browser", "htmx"])
def test_what_cannot_be_a_correction_comes_back_with_the_reason(
    atlas: TestClient, headers: dict[str, str]
) -> None:
    response = atlas.post("/currencies/XAG/edit", form={"name": "", "kind": "<b>"}, headers=headers)
    assert response.status == 422
    assert "must have 1 character or more" in response.text
    assert 'value="&lt;b&gt;"' in response.text
    assert ("<!doctype html>" in response.text) == (not headers)
    assert atlas.get("/api/currencies/XAG").json()["name"] == "Silver"


def test_a_correction_is_told_to_who_looks(atlas: TestClient) -> None:
    with atlas.websocket("/corrections/live") as live:
        atlas.patch("/api/languages/tlh", json={"name": 5})
        atlas.get("/languages/tlh")
        atlas.patch("/api/languages/tlh", json={"kind": "spoken on ships"})
        assert live.receive() == "more"
        atlas.patch("/api/languages/tlh", json={"kind": "spoken on ships"})
        live.close()
        assert list(live) == []


# -- files of corrections


def upload(atlas: TestClient, lines: str) -> Any:
    content = f"topic,code,name,kind\r\n{lines}".encode()
    file = ("corrections.csv", content, "text/csv")
    return atlas.post("/corrections", files={"file": file}, headers=BROWSER)


def test_a_file_of_corrections_is_taken_and_shown(atlas: TestClient) -> None:
    response = upload(atlas, "languages,vol,Volapük (1879),\r\nlanguages,epo,Esperanto,planned\r\n")
    assert (response.status, response.headers["location"]) == (303, "/corrections")
    assert "Volapük (1879)" in atlas.get("/corrections").text
    assert atlas.get("/api/languages/vol").json()["name"] == "Volapük (1879)"
    assert atlas.get("/api/languages/epo").json()["kind"] == "planned"
    assert atlas.get("/api/languages?q=1879").json()["total"] == 1


def test_one_wrong_line_undoes_all_of_them(atlas: TestClient) -> None:
    before = atlas.get("/api/languages.csv").text
    response = upload(
        atlas,
        "languages,tlh,Klingonisch,\r\ncurrencies,XYZ,x,\r\nplanets,tlh,x,\r\nlanguages\r\n",
    )
    assert response.status == 422
    assert re.findall(r"<li>(Line \d+)", response.text) == ["Line 3", "Line 4", "Line 5"]
    assert "The currencies of the atlas have no XYZ." in response.text
    # The first line was written already; the provider of the connection took it back.
    assert atlas.get("/api/languages.csv").text == before
    assert "Klingonisch" not in atlas.get("/corrections").text


def test_what_was_exported_can_be_changed_and_sent_back(atlas: TestClient) -> None:
    exported = atlas.get("/api/currencies.csv?q=dong").text
    file = ("currencies.csv", exported.replace("Dong", "Đồng").encode(), "text/csv")
    assert atlas.post("/corrections", files={"file": file}).status == 303
    assert atlas.get("/api/currencies/VND").json()["name"] == "Đồng"


# -- for programs


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


def test_a_program_corrects_what_it_names(atlas: TestClient) -> None:
    response = atlas.patch("/api/countries/tr", json={"official_name": "Türkiye Cumhuriyeti"})
    assert (response.status, response.json()["name"]) == (200, "Türkiye")
    assert atlas.get("/api/countries/TR").json()["official_name"] == "Türkiye Cumhuriyeti"


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


def test_all_of_it_can_be_had_as_a_database(atlas: TestClient, tmp_path: Path) -> None:
    response = atlas.get("/api/atlas.db")
    assert response.headers["content-disposition"] == 'attachment; filename="atlas.db"'
    (tmp_path / "copy.db").write_bytes(response.content)
    with contextlib.closing(sqlite3.connect(tmp_path / "copy.db")) as db:
        found = db.execute("select count(*) from entries where topic = 'countries'").fetchone()
    assert found == (249,)


def test_the_api_page_has_the_api_and_nothing_else(atlas: TestClient) -> None:
    paths = atlas.get("/docs/openapi.json").json()["paths"]
    assert {path: sorted(item) for path, item in paths.items()} == {
        "/api/atlas.db": ["get"],
        "/api/{of}": ["get"],
        "/api/{of}.csv": ["get"],
        "/api/{of}/{code}": ["get", "patch"],
    }


def test_a_second_start_keeps_the_database(app: App, atlas: TestClient) -> None:
    assert atlas.get("/").status == 200
    database = import_module("world").AtlasSettings.load().database
    before = database.stat().st_mtime_ns
    with TestClient(app) as again:
        assert again.get("/countries/CH").status == 200
    assert database.stat().st_mtime_ns == before


def test_a_database_of_another_shape_is_refused_with_the_remedy(tmp_path: Path, app: App) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "old.db")) as db:
        db.execute("create table entries (topic text)")
    settings = import_module("world").AtlasSettings(database=tmp_path / "old.db")
    with pytest.raises(SystemExit, match="is older than Entry: delete it, corrections too"):
        next(import_module("making").make(settings))
