"""`.env` files."""

from __future__ import annotations

from pathlib import Path

import pytest

from kingpost import limits
from kingpost.errors import SettingsError
from kingpost.settings.dotenv import parse_dotenv, read_dotenv


def values(text: str) -> dict[str, str]:
    return {name: line.value for name, line in parse_dotenv(text, ".env").items()}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("  A = 1  ", "1"),
        ("export A=1", "1"),
        ("A=", ""),
        ("A=b=c", "b=c"),
        ("A=a b", "a b"),
        ("A=a#b", "a#b"),
        ("A=a # b", "a"),
        ("A=# b", ""),
        ("A='a # b' # c", "a # b"),
        ("A='$x \\n'", "$x \\n"),
        ('A="a\\n\\r\\t\\"\\\\\\$b"', 'a\n\r\t"\\$b'),
        ('A=""', ""),
        ("A=it's", "it's"),
        ("A=$HOME", "$HOME"),
        ("A=zażółć", "zażółć"),
    ],
)
def test_a_value_is_read(line: str, value: str) -> None:
    assert values(line) == {"A": value}


def test_comments_and_empty_lines_are_nothing() -> None:
    assert values("# a\n\n  # b\nA=1\r\nB=2\n") == {"A": "1", "B": "2"}


def test_every_value_knows_its_line() -> None:
    assert str(parse_dotenv("\nA=1", ".env")["A"].place) == ".env:2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A", ".env:1 is no NAME=value"),
        ("1A=x", ".env:1 is no NAME=value"),
        ("A-B=x", ".env:1 is no NAME=value"),
        ("=x", ".env:1 is no NAME=value"),
        ("É=x", ".env:1 is no NAME=value"),
        ("A=1\n\nA=2", "A stands twice: .env:1 and .env:3"),
        ("A='x", ".env:1: the quote of A is not closed on its line"),
        ('A="x', ".env:1: the quote of A is not closed on its line"),
        ('A="x\\', ".env:1: A has \\, and double quotes know"),
        ('A="\\x"', ".env:1: A has \\x, and double quotes know"),
        ("A='x'y", ".env:1: there is something after the closing quote of A"),
    ],
)
def test_a_line_that_could_be_misread_is_refused(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_dotenv(text, ".env")
    assert caught.value.message.startswith(message)
    assert caught.value.code == "settings.bad-env-file"


def test_a_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_dotenv("KEY='abc' hunter2", ".env")
    assert "hunter2" not in str(caught.value)


def test_a_missing_file_is_empty(tmp_path: Path) -> None:
    assert read_dotenv(tmp_path / ".env") == {}


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_dotenv(tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"\xef\xbb\xbfA=1\n")

    assert read_dotenv(file)["A"].value == "1"


def test_a_file_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"A=\xff\n")

    with pytest.raises(SettingsError, match="is no UTF-8: byte 2"):
        read_dotenv(file)


def test_a_file_at_its_size_is_read_and_a_byte_more_is_refused(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"A=" + b"x" * (limits.DOTENV_BYTES - 2))

    assert len(read_dotenv(file)["A"].value) == limits.DOTENV_BYTES - 2
    file.write_bytes(b"A=" + b"x" * (limits.DOTENV_BYTES - 1))
    with pytest.raises(SettingsError, match="more than 1048576 bytes"):
        read_dotenv(file)
