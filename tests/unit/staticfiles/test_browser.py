"""What Kingpost brings along for browsers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kingpost import App
from kingpost.errors import ConfigurationError
from kingpost.staticfiles import BrowserAssets, Static, browser, static_url
from kingpost.staticfiles.static import BROUGHT_ALONG
from kingpost.testing import TestClient

FOR_EVER = "public, immutable, max-age=31536000"


@pytest.fixture(autouse=True)
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files in the place of the fetched ones: what is in those is tests/browser's to say."""
    folder = tmp_path / "packed"
    folder.mkdir()
    for name in (*BROUGHT_ALONG, "htmx.LICENSE.txt"):
        (folder / name).write_text(f"this is {name}", encoding="utf-8")
    (folder / ".pinned.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(browser, "FOLDER", folder)
    return folder


def addresses(app: App) -> str:
    app.add_route("/", lambda: " ".join(static_url(name) for name in sorted(BROUGHT_ALONG)))
    with TestClient(app) as client:
        return client.get("/").text


def test_they_are_kept_for_ever_under_their_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINGPOST_ENV", "production")
    app = App()
    app.include(BrowserAssets())

    found = addresses(app).split()

    with TestClient(app) as client:
        for address, name in zip(found, sorted(BROUGHT_ALONG), strict=True):
            stem, dot, end = name.rpartition(".")
            assert address.startswith(f"/assets/{stem}.")
            assert address.endswith(dot + end)
            answer = client.get(address)
            assert (answer.text, answer.headers["cache-control"]) == (f"this is {name}", FOR_EVER)
        assert client.get("/assets/htmx.js").headers["cache-control"] == "no-cache"


def test_their_licences_are_served_and_the_record_is_not() -> None:
    app = App()
    app.include(BrowserAssets("/brought"))

    with TestClient(app) as client:
        assert client.get("/brought/htmx.LICENSE.txt").status == 200
        assert client.get("/brought/.pinned.json").status == 404
        assert client.get("/brought/").status == 404


def test_a_file_of_ones_own_takes_the_place_of_one(tmp_path: Path) -> None:
    (tmp_path / "htmx.js").write_text("mine", encoding="utf-8")
    app = App()
    app.include(Static("/static", tmp_path))
    app.include(BrowserAssets())

    address = addresses(app).split()[0]

    assert address.startswith("/static/htmx.")


def test_who_asks_for_one_without_including_them_is_told_how() -> None:
    app = App()
    app.add_route("/", lambda: static_url("htmx.js"))

    with TestClient(app) as client, pytest.raises(LookupError) as raised:
        client.get("/")

    assert str(raised.value) == (
        "there is no static file 'htmx.js' (the App includes no Static); "
        "from kingpost.staticfiles import BrowserAssets; app.include(BrowserAssets())"
    )


def test_a_build_without_them_is_told_at_once_with_the_remedy(packed: Path) -> None:
    (packed / "icons.svg").unlink()

    with pytest.raises(ConfigurationError) as raised:
        BrowserAssets()

    error = raised.value
    assert error.code == "static.no-assets"
    assert "this Kingpost was built without icons.svg" in str(error)
    assert "`python3 -m tools.assets` fetches them" in str(error)
    assert Path(__file__).name in str(error)


def test_an_app_that_does_not_include_them_looks_at_none() -> None:
    program = (
        "import sys; opened = []\n"
        "sys.addaudithook(lambda event, found: event == 'open' and opened.append(str(found[0])))\n"
        "from kingpost import App, Html\n"
        "from kingpost.staticfiles import Static\n"
        "from kingpost.testing import TestClient\n"
        "app = App(); app.add_route('/', lambda: 'x')\n"
        "TestClient(app).get('/')\n"
        "print([name for name in opened if 'packed' in name])\n"
    )

    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )

    assert done.stdout.strip() == "[]"
