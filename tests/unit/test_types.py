"""Places in the source."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kingpost.types import Place, short_path


def decorated(function: Callable[[], None]) -> Callable[[], None]:
    @functools.wraps(function)
    def wrapper() -> None:
        function()

    return wrapper


def plain() -> None: ...


class Kind:
    def method(self) -> None: ...


def test_a_function_is_found_where_it_was_written() -> None:
    place = Place.of(plain)

    assert Path(place.file).name == "test_types.py"
    assert place.line == plain.__code__.co_firstlineno


def test_a_wrapped_function_is_found_where_the_user_wrote_it() -> None:
    assert Place.of(decorated(plain)) == Place.of(plain)


def test_a_method_and_a_class_are_found() -> None:
    assert Place.of(Kind().method).line == Kind.method.__code__.co_firstlineno
    assert Place.of(Kind).line == Kind.method.__code__.co_firstlineno - 1


def test_what_has_no_source_is_unknown() -> None:
    assert Place.of(len) == Place("<unknown>", 0)
    assert str(Place.of(len)) == "<unknown>"


def test_the_caller_is_the_nearest_line_outside_the_package() -> None:
    place = Place.of_caller()

    assert str(place) == f"{short_path(__file__)}:{place.line}"
    assert place.line > 0


def test_paths_are_short_below_the_working_directory_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert short_path(str(tmp_path / "app.py")) == "app.py"
    assert short_path(str(tmp_path.parent / "app.py")) == str(tmp_path.parent / "app.py")
    assert short_path("<string>") == "<string>"


def test_what_the_command_adds_was_written_by_nobody() -> None:
    names: dict[str, Any] = {"__name__": "click.core", "Place": Place}
    exec("place = Place.of_caller()", names)  # noqa: S102 - a frame as it stands below the command

    assert str(names["place"]) == "the kingpost command"
