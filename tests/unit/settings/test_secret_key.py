"""The secret key: made in development, demanded in production."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from kingpost.errors import SettingsError
from kingpost.settings import Secret, Settings, explain
from kingpost.settings.dotenv import read_dotenv
from kingpost.settings.secret_key import ensure_secret_key, require_secret_key


class Prefixed(Settings, prefix="SHOP_"):
    pass


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SECRET_KEY", raising=False)
    return tmp_path


def key(name: str = "SECRET_KEY") -> str:
    return read_dotenv(Path(".env"))[name].value


def test_a_missing_key_is_made_and_kept() -> None:
    said = ensure_secret_key()

    assert said == "made SECRET_KEY and kept it in .env; keep that file out of version control"
    assert len(key()) >= 32


def test_the_file_is_the_owners_alone() -> None:
    ensure_secret_key()

    assert stat.S_IMODE(Path(".env").stat().st_mode) == 0o600


def test_a_key_that_is_there_stays() -> None:
    ensure_secret_key()
    before = Path(".env").read_bytes()

    assert ensure_secret_key() == ""
    assert Path(".env").read_bytes() == before


def test_a_key_in_the_environment_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "x" * 32)

    assert ensure_secret_key() == ""
    assert not Path(".env").exists()


def test_other_lines_and_the_mode_of_the_file_stay() -> None:
    Path(".env").write_text("# mine\nA=1", encoding="utf-8")
    Path(".env").chmod(0o640)

    ensure_secret_key()

    assert Path(".env").read_text(encoding="utf-8") == f"# mine\nA=1\nSECRET_KEY={key()}\n"
    assert stat.S_IMODE(Path(".env").stat().st_mode) == 0o640


def test_an_empty_line_is_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "")
    Path(".env").write_text("A=1\nSECRET_KEY=\nB=2\n", encoding="utf-8")

    ensure_secret_key()

    assert Path(".env").read_text(encoding="utf-8") == f"A=1\nSECRET_KEY={key()}\nB=2\n"
    assert "SECRET_KEY" not in os.environ


def test_the_prefix_of_the_class_counts() -> None:
    ensure_secret_key(Prefixed)

    assert len(key("SHOP_SECRET_KEY")) >= 32


def test_no_two_keys_are_alike(tmp_path: Path) -> None:
    ensure_secret_key(file=tmp_path / "a")
    ensure_secret_key(file=tmp_path / "b")

    assert (tmp_path / "a").read_text() != (tmp_path / "b").read_text()


def test_a_folder_that_cannot_be_written_gives_a_key_for_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "")

    said = ensure_secret_key(file=tmp_path / "missing" / ".env")

    assert "the secret key lives until the server stops" in said
    assert len(os.environ["SECRET_KEY"]) >= 32


def test_a_failed_write_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "")
    Path(".env").write_text("A=1\n", encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    ensure_secret_key()

    assert [entry.name for entry in tmp_path.iterdir()] == [".env"]
    assert Path(".env").read_text(encoding="utf-8") == "A=1\n"


def test_a_key_of_32_characters_is_enough_and_one_less_is_refused() -> None:
    assert require_secret_key(Settings(secret_key=Secret("x" * 32)), needed_by="x") == "x" * 32
    with pytest.raises(SettingsError) as caught:
        require_secret_key(Settings(secret_key=Secret("x" * 31)), needed_by="Sessions()")
    assert caught.value.code == "settings.weak-secret-key"
    assert caught.value.message == (
        "SECRET_KEY has 31 characters, and Sessions() needs at least 32"
    )


@pytest.mark.parametrize("secret", [None, Secret("")])
def test_a_missing_key_is_refused_by_who_needs_it(secret: Secret[str] | None) -> None:
    with pytest.raises(SettingsError) as caught:
        require_secret_key(Prefixed(secret_key=secret), needed_by="Sessions()")
    assert caught.value.code == "settings.no-secret-key"
    assert caught.value.message == "SHOP_SECRET_KEY is missing, and Sessions() signs with it"


def test_the_file_is_named_before_it_is_written_and_only_then() -> None:
    named: list[tuple[Path, bool]] = []

    def before(file: Path) -> None:
        named.append((file, file.exists()))

    ensure_secret_key(before_writing=before)
    ensure_secret_key(before_writing=before)

    assert named == [(Path(".env"), False)]


@pytest.mark.parametrize("kind", [Settings, Prefixed])
def test_an_empty_key_counts_as_missing(
    kind: type[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = kind.__prefix__ + "SECRET_KEY"
    monkeypatch.setenv(name, "")
    monkeypatch.setattr("kingpost.settings.settings._LOADED", {})
    assert kind.load().secret_key is None
    Path(".env").write_text(f"{name}={'x' * 32}\n", encoding="utf-8")
    monkeypatch.setattr("kingpost.settings.settings._LOADED", {})

    # What stands below an empty one counts, as it does for ensure_secret_key.
    assert kind.load().secret_key == Secret("x" * 32)
    assert ensure_secret_key(kind) == ""
    assert explain(kind, "secret_key").source == ".env:1"


def test_an_empty_key_is_missing_where_one_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    class Required(Settings, prefix="R_"):
        secret_key: Secret[str]

    monkeypatch.setenv("R_SECRET_KEY", "")

    with pytest.raises(SettingsError, match="R_SECRET_KEY is missing") as caught:
        Required.load()

    assert caught.value.code == "settings.missing"


def test_settings_that_were_read_before_the_key_was_made_are_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kingpost.settings.settings._LOADED", {})
    assert Settings.load().secret_key is None

    ensure_secret_key()

    assert Settings.load().secret_key == Secret(key())


def test_former_keys_are_a_list_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORMER_SECRET_KEYS", "one, two")
    monkeypatch.setattr("kingpost.settings.settings._LOADED", {})

    assert Settings.load().former_secret_keys == (Secret("one"), Secret("two"))
    assert explain(Settings, "former_secret_keys").value == "***"
