"""What signing and encrypting have in common: one suite for both."""

from __future__ import annotations

import logging
import string
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost import limits
from kingpost.signing import BadSignature, Encrypter, KeyRing, Sealer, Signer
from kingpost.signing.stamp import Clock
from tests.unit.signing.conftest import GivenClock

KEYS = KeyRing("n" * 32)
ALPHABET = string.ascii_letters + string.digits + "-_.=+/ \n\x00é"


@dataclass
class Tool:
    """One of the two, by the names that the tests use."""

    kind: type[Signer | Encrypter]

    def make(self, keys: KeyRing = KEYS, purpose: str = "test", clock: Clock = time.time) -> Any:
        return self.kind(keys, purpose, clock=clock)

    def close(self, sealer: Any, value: bytes | str, **options: Any) -> str:
        text: str = (sealer.sign if self.kind is Signer else sealer.encrypt)(value, **options)
        return text

    def open(self, sealer: Any, text: str, **options: Any) -> bytes:
        value: bytes = (sealer.verify if self.kind is Signer else sealer.decrypt)(text, **options)
        return value


TOOLS = [pytest.param(Tool(Signer), id="sign"), pytest.param(Tool(Encrypter), id="encrypt")]
both = pytest.mark.parametrize("tool", TOOLS)


@both
@given(value=st.binary(max_size=300))
def test_what_went_out_comes_back(tool: Tool, value: bytes) -> None:
    sealer = tool.make()

    text = tool.close(sealer, value)

    assert tool.open(sealer, text) == value
    # Fit for a cookie and for a URL as it is.
    assert set(text) <= set(string.ascii_letters + string.digits + "-_.")


@both
@given(value=st.binary(max_size=60), data=st.data())
def test_any_character_altered_added_or_taken_away_is_refused(
    tool: Tool, value: bytes, data: st.DataObject
) -> None:
    sealer = tool.make()
    text = tool.close(sealer, value)
    place = data.draw(st.integers(0, len(text)))
    how = data.draw(st.sampled_from(["alter", "add", "take", "cut", "swap"]))
    letter = data.draw(st.sampled_from(ALPHABET))
    altered = {
        "alter": text[:place] + letter + text[place + 1 :],
        "add": text[:place] + letter + text[place:],
        "take": text[:place] + text[place + 1 :],
        "cut": text[:place],
        "swap": text[place:] + text[:place],
    }[how]

    if altered != text:
        with pytest.raises(BadSignature):
            tool.open(sealer, altered)


@both
def test_every_character_is_looked_at(tool: Tool) -> None:
    """Also the last one of each part, of which some bits mean nothing."""
    sealer = tool.make()
    for length in range(6):
        text = tool.close(sealer, "x" * length)
        for place in range(len(text)):
            for letter in string.ascii_letters + string.digits + "-_.":
                if letter != text[place]:
                    with pytest.raises(BadSignature):
                        tool.open(sealer, text[:place] + letter + text[place + 1 :])


@both
@given(text=st.text(max_size=200))
def test_what_a_stranger_makes_up_is_refused(tool: Tool, text: str) -> None:
    with pytest.raises(BadSignature):
        tool.open(tool.make(), text)


@both
def test_a_signature_of_one_value_is_none_of_another(tool: Tool) -> None:
    sealer = tool.make()
    one, other = tool.close(sealer, "one"), tool.close(sealer, "other")
    mixed = f"{one.partition('.')[0]}.{other.partition('.')[2]}"

    with pytest.raises(BadSignature):
        tool.open(sealer, mixed)


@both
@given(one=st.text(min_size=1, max_size=20), other=st.text(min_size=1, max_size=20))
def test_a_purpose_does_not_pass_for_another(tool: Tool, one: str, other: str) -> None:
    text = tool.close(tool.make(purpose=one), "x")

    if one == other:
        assert tool.open(tool.make(purpose=other), text) == b"x"
    else:
        with pytest.raises(BadSignature):
            tool.open(tool.make(purpose=other), text)


@both
def test_a_purpose_has_a_name(tool: Tool) -> None:
    with pytest.raises(ValueError, match='purpose="" is no purpose'):
        tool.make(purpose="")


# -- keys ----------------------------------------------------------------------------------------------------------------


@both
def test_after_a_rotation_old_values_are_read_and_new_ones_are_not_read_by_old_keys(
    tool: Tool,
) -> None:
    old, new = KeyRing("o" * 32), KeyRing("n" * 32, "m" * 32, "o" * 32)
    before = tool.close(tool.make(old), "before")

    after = tool.close(tool.make(new), "after")

    assert tool.open(tool.make(new), before) == b"before"
    assert tool.open(tool.make(new), after) == b"after"
    # The newest key makes: who knows the old one cannot read it, nor could have made it.
    assert tool.open(tool.make(KeyRing("n" * 32)), after) == b"after"
    with pytest.raises(BadSignature):
        tool.open(tool.make(old), after)


@both
def test_when_an_old_key_is_taken_away_its_values_end(tool: Tool) -> None:
    before = tool.close(tool.make(KeyRing("o" * 32)), "before")

    with pytest.raises(BadSignature):
        tool.open(tool.make(KeyRing("n" * 32)), before)


# -- time ----------------------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("hour", [3600, 3600.0, timedelta(hours=1)])
def test_a_value_is_good_until_its_end_and_not_at_it(
    tool: Tool, clock: GivenClock, hour: float | timedelta
) -> None:
    sealer = tool.make(clock=clock)
    text = tool.close(sealer, "x", expires_in=hour)

    clock.now += 3599.9
    assert tool.open(sealer, text) == b"x"
    clock.now += 0.1
    with pytest.raises(BadSignature) as caught:
        tool.open(sealer, text)

    assert caught.value.has_expired


@both
def test_who_reads_may_be_stricter_and_never_milder(tool: Tool, clock: GivenClock) -> None:
    sealer = tool.make(clock=clock)
    text = tool.close(sealer, "x", expires_in=100)

    clock.now += 50
    assert tool.open(sealer, text, max_age=51) == b"x"
    with pytest.raises(BadSignature) as caught:
        tool.open(sealer, text, max_age=timedelta(seconds=50))
    assert caught.value.has_expired
    clock.now += 50
    with pytest.raises(BadSignature):
        tool.open(sealer, text, max_age=1_000)


@both
def test_without_an_end_it_lasts(tool: Tool, clock: GivenClock) -> None:
    sealer = tool.make(clock=clock)
    text = tool.close(sealer, "x")

    clock.now += 10 * 365 * 24 * 3600

    assert tool.open(sealer, text) == b"x"


@both
def test_a_clock_may_be_a_minute_ahead_and_no_more(tool: Tool, clock: GivenClock) -> None:
    sealer = tool.make(clock=clock)
    text = tool.close(sealer, "x")

    clock.now -= limits.SIGNED_SKEW_SECONDS
    assert tool.open(sealer, text) == b"x"
    clock.now -= 1
    with pytest.raises(BadSignature) as caught:
        tool.open(sealer, text)

    assert not caught.value.has_expired


@both
@pytest.mark.parametrize("bad", [0, -1, True, "60", float("nan"), float("inf"), timedelta(0)])
def test_a_duration_is_a_number_of_seconds_above_0(tool: Tool, bad: Any) -> None:
    sealer = tool.make()
    text = tool.close(sealer, "x")

    with pytest.raises(ValueError, match=r"expires_in=.* is no number of seconds above 0"):
        tool.close(sealer, "x", expires_in=bad)
    with pytest.raises(ValueError, match=r"max_age=.* is no number of seconds above 0"):
        tool.open(sealer, text, max_age=bad)


# -- size ----------------------------------------------------------------------------------------------------------------


def longest(tool: Tool, sealer: Any) -> int:
    """Bytes of the largest value."""
    low, high = 0, limits.SIGNED_CHARACTERS
    while high - low > 1:
        middle = (low + high) // 2
        try:
            tool.close(sealer, b"x" * middle)
            low = middle
        except ValueError:
            high = middle
    return low


@both
def test_what_is_given_out_can_be_read_again_and_more_is_not_given_out(tool: Tool) -> None:
    sealer = tool.make()
    most = longest(tool, sealer)

    text = tool.close(sealer, b"x" * most)

    assert limits.SIGNED_CHARACTERS - 100 < len(text) <= limits.SIGNED_CHARACTERS
    assert len(tool.open(sealer, text)) == most
    with pytest.raises(ValueError, match="65536 are read; keep the data on the server"):
        tool.close(sealer, b"x" * (most + 50))


@both
def test_a_huge_text_is_refused_before_any_work(tool: Tool, monkeypatch: Any) -> None:
    sealer = tool.make()
    monkeypatch.setattr(tool.kind, "_open", lambda *_: pytest.fail("it was worked on"))

    with pytest.raises(BadSignature):
        tool.open(sealer, "x" * (limits.SIGNED_CHARACTERS + 1))


# -- types ---------------------------------------------------------------------------------------------------------------


class Item(msgspec.Struct):
    name: str
    count: int = 1


@both
@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (Item("milk"), Item),
        ([Item("milk", 2)], list[Item]),
        ({"a": [1, None, True]}, Any),
        ("ä", str),
        (None, type(None)),
    ],
)
def test_values_of_a_type(tool: Tool, value: object, type_: Any) -> None:
    sealer: Sealer = tool.make()

    assert sealer.loads(sealer.dumps(value), type_) == value


@both
def test_a_value_of_another_type_is_refused_like_any_other(
    tool: Tool, caplog: pytest.LogCaptureFixture
) -> None:
    sealer: Sealer = tool.make()
    caplog.set_level(logging.INFO, "kingpost.signing")

    with pytest.raises(BadSignature):
        sealer.loads(sealer.dumps({"name": "milk", "count": "many"}), Item)
    with pytest.raises(BadSignature):
        sealer.loads(tool.close(sealer, b"\xffno JSON"), Item)

    with pytest.raises(BadSignature):
        sealer.loads(sealer.dumps({"name": ["a secret"]}), dict[str, list[Literal["open"]]])

    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "it is of another type, at `$.count`",
        "it is of another type, at `$`",
        "it is of another type, at `$[...][0]`",
    ]


@both
def test_typed_values_end_as_well(tool: Tool, clock: GivenClock) -> None:
    sealer: Sealer = tool.make(clock=clock)
    text = sealer.dumps([1], expires_in=10)

    clock.now += 5
    assert sealer.loads(text, list[int]) == [1]
    with pytest.raises(BadSignature):
        sealer.loads(text, list[int], max_age=5)
    clock.now += 5
    with pytest.raises(BadSignature):
        sealer.loads(text)


# -- what is said --------------------------------------------------------------------------------------------------------


@both
def test_whatever_is_wrong_is_refused_with_the_same_words(
    tool: Tool, clock: GivenClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "kingpost.signing")
    sealer = tool.make(clock=clock)
    good = tool.close(sealer, "x", expires_in=10)
    clock.now += 11
    wrong: list[Callable[[], object]] = [
        lambda: tool.open(sealer, good),
        lambda: tool.open(sealer, good[:-1]),
        lambda: tool.open(sealer, ""),
        lambda: tool.open(sealer, "é"),
        lambda: tool.open(sealer, "x" * 100_000),
        lambda: tool.open(tool.make(purpose="other"), good),
    ]
    said = set[tuple[int, str, str, str]]()
    for each in wrong:
        with pytest.raises(BadSignature) as caught:
            each()
        error = caught.value
        said.add((error.status, error.code, error.detail, str(error)))

    words = "the signature is missing, wrong or no longer valid"
    assert said == {(403, "signing.bad-signature", words, words)}
    # The developer is told, and not by quoting what came.
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "it ended 1 seconds ago",
        *["it was altered, made for another purpose, or with a key that is gone"] * 3,
        "it has more than 65536 characters",
        "it was altered, made for another purpose, or with a key that is gone",
    ]
    assert "'test'" in caplog.records[0].getMessage()
    assert good not in caplog.text


@both
def test_it_shows_its_purpose_and_no_key(tool: Tool) -> None:
    assert repr(tool.make()) == f"<{tool.kind.__name__} for 'test'>"
