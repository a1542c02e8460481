"""Showing any value: bounded, never raising, without secrets."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, NoReturn

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost import limits
from kingpost.app.pages.values import is_secret_name, masked_text, shown
from kingpost.settings import Secret


class Login(msgspec.Struct):
    name: str
    password: str


@dataclass
class Card:
    holder: str
    card_token: str
    quiet: str = field(default="quiet", repr=False)


class Broken:
    def __repr__(self) -> NoReturn:
        raise RuntimeError("no")


class Endless:
    def __repr__(self) -> str:
        return repr(self)


class Wordy:
    def __repr__(self) -> str:
        return "x" * 100_000


class Telling:
    def __repr__(self) -> str:
        return "<User name='ann' password='hunter2' token=abc>"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        ("a", "'a'"),
        (b"a", "b'a'"),
        (None, "None"),
        ([1, (2,), {3}], "[1, (2), {3}]"),
        ({"a": 1}, "{'a': 1}"),
        (frozenset({1}), "frozenset({1})"),
        (Login("ann", "hunter2"), "Login(name='ann', password=***)"),
        (Card("ann", "tok_1"), "Card(holder='ann', card_token=***)"),
        ({"password": "hunter2", "n": 1}, "{'password': ***, 'n': 1}"),
        ([{"api_key": "hunter2"}], "[{'api_key': ***}]"),
        (Secret("hunter2"), "Secret('***')"),
        ([Secret("hunter2")], "[Secret('***')]"),
        (Broken(), "<Broken, whose repr() raised RuntimeError>"),
        (Endless(), "<Endless, whose repr() raised RecursionError>"),
        (Telling(), "<User name='ann' password=*** token=***>"),
        ({"password": None}, "{'password': None}"),
        (OrderedDict(a=1), "{'a': 1}"),
        pytest.param(1 << 20_000, "<int of 20001 bits>", id="a large int"),
    ],
)
def test_a_value_is_shown(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_value_that_holds_itself_is_shown_to_a_depth() -> None:
    loop: list[Any] = []
    loop.append(loop)

    assert shown(loop) == "[[[[<list>]]]]"


def test_a_broken_part_spoils_only_its_whole() -> None:
    assert shown([Broken()]) == "<list, whose repr() raised RuntimeError>"


@pytest.mark.parametrize(
    "value",
    [
        Wordy(),
        "x" * 10_000_000,
        b"x" * 10_000_000,
        list(range(1_000_000)),
        {n: n for n in range(9_999)},
    ],
    ids=["repr", "str", "bytes", "list", "dict"],
)
def test_a_large_value_is_cut(value: object) -> None:
    started = time.thread_time()

    text = shown(value)

    assert len(text) < limits.TRACEBACK_VALUE_CHARACTERS + 100
    assert time.thread_time() - started < 0.5


def test_a_cut_text_tells_its_length() -> None:
    assert shown("x" * 401).endswith("'… 401 characters")
    assert shown("x" * 400) == repr("x" * 400)


def test_a_long_list_tells_how_many_more() -> None:
    assert shown(list(range(22))).endswith(", 19, … 2 more]")


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "user_password",
        "PASSWORD2",
        "api_key",
        "X-Api-Key",
        "accessToken",
        "Cookie",
        "csrf",
    ],
)
def test_what_is_named_like_a_secret_is_hidden(name: str) -> None:
    assert is_secret_name(name)
    assert shown("hunter2", name=name) == "***"


@pytest.mark.parametrize("name", ["name", "id", "key", "laptop", "session", "author", "passenger"])
def test_other_names_are_shown(name: str) -> None:
    assert shown("x", name=name) == "'x'"


def test_functions_and_nothings_are_no_secrets() -> None:
    def check_token() -> None: ...

    assert "check_token" in shown(check_token, name="check_token")
    assert shown(None, name="token") == "None"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("token=abc&page=2", "token=***&page=2"),
        ("page=2&access_token=abc", "page=2&access_token=***"),
        ('{"password": "a b", "n": 1}', '{"password": ***, "n": 1}'),
        ("password='it\\'s' x", "password=*** x"),
        ("password = 'open", "password = ***"),
        ("no secret here", "no secret here"),
        ("Cookie: a=b", "Cookie: ***"),
        ("Authorization: Bearer abc, x", "Authorization: ***, x"),
        ("note='token=abc'", "note='token=***"),
        ("a=1 b: 2", "a=1 b: 2"),
    ],
)
def test_secrets_inside_text_are_masked(text: str, masked: str) -> None:
    assert masked_text(text) == masked


@pytest.mark.parametrize("piece", ["token", "token=", "token='", "token=\\'", "a", "'", "token = "])
def test_masking_is_linear(piece: str) -> None:
    text = piece * (20_000 // len(piece))
    started = time.thread_time()

    masked_text(text)

    assert time.thread_time() - started < 0.5


@given(st.recursive(st.none() | st.text() | st.binary() | st.floats(), st.lists, max_leaves=30))
def test_nothing_raises(value: object) -> None:
    assert isinstance(shown(value), str)
