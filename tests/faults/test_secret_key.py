"""A program that needs a secret key: development makes one, production refuses to start without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.program import running

APP = """
from kingpost import App, Secret, Settings


class ShopSettings(Settings):
    secret_key: Secret[str]


app = App(settings=ShopSettings)


@app.get("/")
def home(settings: ShopSettings) -> int:
    return len(settings.secret_key.reveal())
"""
OTHER = APP.replace("    secret_key: Secret[str]", "    pass").replace(
    "len(settings.secret_key.reveal())", "settings.secret_key is None"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def test_production_refuses_to_start_without_the_key_that_a_program_needs(folder: Path) -> None:
    with running(folder, "run", "--port", "0") as program:
        assert program.end() == 1

    assert "SECRET_KEY is missing: ShopSettings.secret_key has no default" in program.said
    assert "kingpost explain settings.missing" in program.said
    assert "Traceback" not in program.said
    assert "ready" not in program.said
    # None is made up: two workers would make two.
    assert not (folder / ".env").exists()


def test_production_starts_with_the_key_of_the_environment(folder: Path) -> None:
    with running(folder, "run", "--port", "0", environment={"SECRET_KEY": "x" * 40}) as program:
        assert program.body() == "40"

    assert not (folder / ".env").exists()


def test_development_makes_the_key_and_production_beside_it_starts_with_that(folder: Path) -> None:
    with running(folder, "dev", "--port", "0") as program:
        length = program.body()
        assert int(length) >= 32
        program.until_said(r"made SECRET_KEY and kept it in \.env")
    line = (folder / ".env").read_text()

    with running(folder, "run", "--port", "0") as program:
        assert program.body() == length

    assert (folder / ".env").read_text() == line


def test_a_program_that_needs_no_key_starts_without(folder: Path) -> None:
    (folder / "app.py").write_text(OTHER)

    with running(folder, "run", "--port", "0") as program:
        assert program.body() == "true"


SIGNING = """
from kingpost import App
from kingpost.signing import SignedUrls

app = App()


@app.get("/")
def home(urls: SignedUrls) -> str:
    return urls.sign("/x")
"""


@pytest.mark.parametrize("environment", [{}, {"SECRET_KEY": ""}])
def test_production_refuses_to_start_when_a_program_signs_and_has_no_key(
    folder: Path, environment: dict[str, str]
) -> None:
    (folder / "app.py").write_text(SIGNING)

    with running(folder, "run", "--port", "0", environment=environment) as program:
        assert program.end() == 1

    assert "SECRET_KEY is missing, and kingpost.signing signs with it" in program.said
    assert "kingpost explain settings.no-secret-key" in program.said
    assert "Traceback" not in program.said
    assert not (folder / ".env").exists()


@pytest.mark.parametrize("options", [[], ["--no-reload"]])
@pytest.mark.parametrize("environment", [{}, {"SECRET_KEY": ""}])
def test_development_makes_the_key_of_a_program_that_signs_though_it_has_no_settings(
    folder: Path, environment: dict[str, str], options: list[str]
) -> None:
    (folder / "app.py").write_text(SIGNING)

    with running(folder, "dev", "--port", "0", *options, environment=environment) as program:
        assert program.body().startswith("/x?signature=")
        program.until_said(r"made SECRET_KEY and kept it in \.env")

    with running(folder, "run", "--port", "0", environment=environment) as program:
        assert program.body().startswith("/x?signature=")
