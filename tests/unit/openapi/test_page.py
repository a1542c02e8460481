"""The page of an API, as it is sent: what it loads, what it may load, and what it says where nothing is there to load."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from kingpost import App
from kingpost.openapi import OpenAPI, page
from kingpost.openapi.origins import origins
from kingpost.openapi.page import SWAGGER_UI
from kingpost.testing import TestClient

FOR_EVER = "public, immutable, max-age=31536000"


@pytest.fixture(autouse=True)
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files in the place of the fetched ones: what is in those is tests/browser's to say."""
    for name in (*SWAGGER_UI, "swagger-ui.LICENSE.txt"):
        (tmp_path / name).write_text(f"this is {name}", encoding="utf-8")
    (tmp_path / ".pinned.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(page, "FOLDER", tmp_path)
    return tmp_path


def directives(policy: str) -> dict[str, list[str]]:
    parts = [directive.split() for directive in policy.split(";")]
    return {name: sources for name, *sources in parts}


def test_what_it_loads_is_kept_for_ever_under_its_digest() -> None:
    app = App(plugins=[OpenAPI("/api")])

    with TestClient(app) as client:
        shown = client.get("/api").text
        loaded = re.findall(r'(?:<script src|stylesheet" href)="([^"]+)"', shown)
        assert len(loaded) == 2
        for address in loaded:
            found = re.fullmatch(r"api/swagger-ui/(.+)\.[0-9a-f]{16}(\..+)", address)
            assert found is not None
            answer = client.get(f"/{address}")
            assert answer.text == f"this is {found[1]}{found[2]}"
            assert answer.headers["cache-control"] == FOR_EVER
        back = client.get("/api/oauth2-redirect.html").text
        (script,) = re.findall('<script src="([^"]+)"', back)
        assert client.get(f"/api/{script}").text == "this is oauth2-redirect.js"


def test_its_licences_are_sent_and_nothing_else_is() -> None:
    with TestClient(App(plugins=[OpenAPI()])) as client:
        licence = client.get("/docs/swagger-ui/swagger-ui.LICENSE.txt")
        assert licence.text == "this is swagger-ui.LICENSE.txt"
        assert licence.headers["cache-control"] == "no-cache"
        for name in ("swagger-ui.css", ".pinned.json", "..", "%2e%2e%2fpage.py"):
            assert client.get(f"/docs/swagger-ui/{name}").status == 404


@pytest.mark.parametrize(
    ("path", "mount", "at", "base"),
    [
        ("/", "", "/", "."),
        ("/of/the/api", "", "/of/the/api", "api"),
        ("/docs", "/inner", "/inner/docs", "docs"),
        ("/", "/inner", "/inner/", "."),
    ],
)
def test_all_of_it_is_below_its_own_address(path: str, mount: str, at: str, base: str) -> None:
    inner = App(plugins=[OpenAPI(path)])
    outer = App()
    outer.mount(mount or "/other", inner)

    with TestClient(outer if mount else inner) as client:
        shown = client.get(at).text

    assert set(re.findall(r'(?:href|src)="(.+?)/(?:swagger-ui/|openapi\.)', shown)) == {base}
    assert f'data-path="{at.rstrip("/")}" data-base="{base}"' in shown


def test_its_policy_lets_in_what_is_there_and_nothing_else() -> None:
    with TestClient(App(plugins=[OpenAPI()])) as client:
        answers = [client.get(path) for path in ("/docs", "/docs/oauth2-redirect.html")]

    for answer in answers:
        policy = directives(answer.headers["content-security-policy"])
        assert policy["default-src"] == ["'none'"]
        assert policy["connect-src"] == ["'self'"]
        assert not [
            source for sources in policy.values() for source in sources if "unsafe" in source
        ]
        for element in ("script", "style"):
            for text in re.findall(f"<{element}>(.*?)</{element}>", answer.text, re.DOTALL):
                digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
                assert policy[f"{element}-src"] == ["'self'", f"'sha256-{digest}'"]
        assert " style=" not in answer.text
        assert " onload=" not in answer.text


def test_requests_go_to_declared_servers_too() -> None:
    app = App(plugins=[OpenAPI(servers=["https://api.example.org/v1", "/v1"])])

    with TestClient(app) as client:
        policy = directives(client.get("/docs").headers["content-security-policy"])

    assert policy["connect-src"] == ["'self'", "https://api.example.org"]


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({}, []),
        ({"servers": [{"url": "/v1"}, {"url": "../v2"}, {"url": "ftp://a.example"}]}, []),
        ({"servers": [{"url": "https://a.example/v1"}, {"url": "https://a.example?x"}]}, ["https://a.example"]),
        ({"servers": [{"url": "http://me:pw@[::1]:8000"}]}, ["http://[::1]:8000"]),
        # What would be a directive of its own, or another source.
        ({"servers": [{"url": "https://a.example; script-src *"}, {"url": "https://a.example *"}]}, []),
        (
            {"servers": [{"url": "https://{at}.example/{v}", "variables": {"at": {"default": "eu", "enum": ["eu", "us"]}, "v": {"default": "1"}}}]},
            ["https://eu.example", "https://us.example"],
        ),
        ({"paths": {"/a": {"servers": [{"url": "https://a.example"}], "get": {"servers": [{"url": "https://b.example"}]}}}}, ["https://a.example", "https://b.example"]),
        (
            {"components": {"securitySchemes": {
                "login": {"type": "openIdConnect", "openIdConnectUrl": "https://id.example/.well-known"},
                "oauth": {"type": "oauth2", "flows": {"password": {"tokenUrl": "https://t.example/t", "refreshUrl": "https://r.example"}}},
                "bearer": {"type": "http", "scheme": "bearer"},
            }}},
            ["https://id.example", "https://t.example", "https://r.example"],
        ),
        ({"servers": ["https://a.example"], "paths": {"/a": None}}, []),
    ],
)  # fmt: skip
def test_where_else_requests_go(document: dict[str, Any], found: list[str]) -> None:
    assert origins(document) == found


def test_without_its_files_it_says_what_to_do_and_links_the_document(packed: Path) -> None:
    (packed / "swagger-ui-bundle.js").unlink()

    with TestClient(App(plugins=[OpenAPI(title="Shop")])) as client:
        shown = client.get("/docs")
        assert shown.status == 200
        assert "<h1>Shop</h1>" in shown.text
        assert "<code>python3 -m tools.assets</code>" in shown.text
        assert '<a href="docs/openapi.json">' in shown.text
        assert "<script" not in shown.text
        assert client.get("/docs/openapi.json").json()["info"]["title"] == "Shop"
        assert client.get("/docs/swagger-ui/swagger-ui.LICENSE.txt").status == 404
        assert client.get("/docs/oauth2-redirect.html").status == 200


def test_who_has_no_scripts_is_led_to_the_document() -> None:
    with TestClient(App(plugins=[OpenAPI()])) as client:
        shown = client.get("/docs").text

    (said,) = re.findall("<noscript>(.*?)</noscript>", shown, re.DOTALL)
    assert re.findall('href="([^"]+)"', said) == ["docs/openapi.json", "docs/openapi.yaml"]
