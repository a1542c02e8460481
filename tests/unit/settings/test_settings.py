"""Where settings come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from kingpost.errors import SettingsError
from kingpost.settings import Secret, Settings, explain
from kingpost.settings.dotenv import parse_dotenv
from kingpost.settings.settings import read, variable_of


class Shop(Settings, prefix="SHOP_"):
    database_url: str = "sqlite:///app.db"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8000
    tags: list[str] = []  # noqa: RUF012 - a Struct copies it for each object
    api_key: Secret[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_environment_wins_over_the_file_and_the_file_over_the_default() -> None:
    dotenv = parse_dotenv("SHOP_PORT=1\nSHOP_DATABASE_URL=x\nSHOP_API_KEY=k", ".env")

    settings = read(Shop, {"SHOP_PORT": "2"}, dotenv)

    assert settings == Shop(port=2, database_url="x", api_key=Secret("k"))


def test_a_required_field_may_follow_one_with_a_default() -> None:
    assert Shop(api_key=Secret("k")).port == 8000


def test_fields_are_given_by_name_only() -> None:
    with pytest.raises(TypeError):
        Shop("sqlite://")  # type: ignore[misc]  # the mistake itself


def test_a_class_without_prefix_takes_the_bare_names() -> None:
    class Plain(Settings):
        name: str = ""

    assert read(Plain, {"NAME": "x"}, {}) == Plain(name="x")


def test_the_prefix_is_written_in_capitals_and_inherited() -> None:
    class Base(Settings, prefix="my_"):
        a: str = ""

    class Below(Base):
        b: str = ""

    assert (variable_of(Below, "a"), variable_of(Below, "b")) == ("MY_A", "MY_B")


@pytest.mark.parametrize("prefix", ["MY-", "1", "é", "A B"])
def test_a_prefix_that_no_variable_can_have_is_refused(prefix: str) -> None:
    with pytest.raises(SettingsError) as caught:

        class Bad(Settings, prefix=prefix):
            pass

    assert caught.value.code == "settings.bad-prefix"
    assert caught.value.places[0].file.endswith("test_settings.py")


def test_everything_that_is_wrong_is_said_at_once() -> None:
    dotenv = parse_dotenv("\nSHOP_PORT=70000", ".env")

    with pytest.raises(SettingsError) as caught:
        read(Shop, {"SHOP_TAGS": "[1]"}, dotenv)
    assert caught.value.message == (
        "3 settings of Shop are refused:\n"
        "  - SHOP_PORT='70000' from .env:2 breaks a rule: expected `int` <= 65535\n"
        "  - SHOP_TAGS='[1]' from environment is no list\n"
        "  - SHOP_API_KEY is missing: Shop.api_key has no default"
    )
    assert caught.value.code == "settings.invalid"
    assert [str(place) for place in caught.value.places] == [".env:2"]


def test_what_is_only_missing_has_a_code_of_its_own() -> None:
    with pytest.raises(SettingsError) as caught:
        read(Shop, {}, {})
    assert caught.value.code == "settings.missing"
    assert caught.value.message == "SHOP_API_KEY is missing: Shop.api_key has no default"


def test_an_empty_value_is_no_default() -> None:
    with pytest.raises(SettingsError, match="leave the line out to get the default"):
        read(Shop, {"SHOP_API_KEY": "k", "SHOP_PORT": ""}, {})


def test_a_secret_is_not_repeated_when_it_is_refused() -> None:
    class Keys(Settings):
        pin: Secret[int]
        word: Secret[Annotated[str, Meta(max_length=2)]]

    with pytest.raises(SettingsError) as caught:
        read(Keys, {"PIN": "hunter2", "WORD": "hunter2"}, {})
    assert "hunter2" not in str(caught.value)
    assert "PIN=***" in str(caught.value)


def test_a_rule_of_the_class_is_reported_like_the_others() -> None:
    class Range(Settings):
        low: int = 0
        high: int = 1

        def __post_init__(self) -> None:
            if self.low > self.high:
                raise ValueError("LOW is above HIGH")

    with pytest.raises(SettingsError, match="LOW is above HIGH") as caught:
        read(Range, {"LOW": "5"}, {})
    assert caught.value.code == "settings.invalid"


def test_other_variables_are_nobodys_business() -> None:
    assert read(Settings, {"PATH": "/bin"}, parse_dotenv("OTHER=1", ".env")) == Settings()


def test_load_reads_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Mine(Settings):
        colour: str = "red"

    (folder / ".env").write_text("COLOUR=blue\n", encoding="utf-8")
    first = Mine.load()
    monkeypatch.setenv("COLOUR", "green")

    assert first.colour == "blue"
    assert Mine.load() is first


def test_each_class_has_its_own_object() -> None:
    class One(Settings):
        pass

    class Two(One):
        pass

    assert type(One.load()) is One
    assert type(Two.load()) is Two


def test_a_load_that_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mine(Settings):
        needed_here: str

    with pytest.raises(SettingsError):
        Mine.load()
    monkeypatch.setenv("NEEDED_HERE", "x")

    assert Mine.load().needed_here == "x"


def test_settings_print_without_their_secrets() -> None:
    assert "hunter2" not in repr(Shop(api_key=Secret("hunter2"), secret_key=Secret("hunter2")))


def test_explain_tells_where_a_value_comes_from(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text("SHOP_PORT=1\n", encoding="utf-8")
    monkeypatch.setenv("SHOP_PORT", "2")

    assert str(explain(Shop, "port")) == (
        "port = 2\n"
        "  from:     environment\n"
        "  over:     '1' from .env:1\n"
        "  over:     8000 from default\n"
        "  variable: SHOP_PORT\n"
        "  type:     Annotated[int, Meta(ge=1, le=65535)]"
    )


@pytest.mark.parametrize("name", ["port", "PORT", "SHOP_PORT", "shop_port"])
def test_explain_takes_the_field_or_its_variable(name: str) -> None:
    explanation = explain(Shop, name)

    assert (explanation.name, explanation.source, explanation.value) == ("port", "default", "8000")


def test_explain_masks_secrets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("SHOP_API_KEY=hunter1\n", encoding="utf-8")
    monkeypatch.setenv("SHOP_API_KEY", "hunter2")

    shown = str(explain(Shop, "api_key"))

    assert "hunter" not in shown
    assert "api_key = ***" in shown
    assert "over:     *** from .env:1" in shown


def test_explain_tells_what_is_missing() -> None:
    explanation = explain(Shop, "api_key")

    assert (explanation.source, explanation.value) == ("missing", "")
    assert explanation.problem == "SHOP_API_KEY is missing, and there is no default"
    assert str(explanation).startswith("api_key has no value\n")


def test_explain_tells_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PORT", "x")

    explanation = explain(Shop, "port")

    assert (explanation.value, explanation.problem) == (
        "'x'",
        "SHOP_PORT='x' from environment is no int",
    )


def test_explain_shows_a_default_that_is_made() -> None:
    class Made(Settings):
        names: list[str] = msgspec.field(default_factory=lambda: ["a"])

    assert explain(Made, "names").value == "['a']"


def test_explain_of_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(SettingsError) as caught:
        explain(Shop, "databse_url")
    assert caught.value.code == "settings.unknown-name"
    assert caught.value.remedy == "did you mean 'database_url'?"
    with pytest.raises(SettingsError, match="its settings are api_key, database_url"):
        explain(Shop, "zzzzzzzz")
