"""JSON within limits."""

from __future__ import annotations

import json as standard

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost.errors import BadRequest
from kingpost.http.media.json import decode, is_too_deep


def nested(depth: int) -> bytes:
    return b'{"a":[' * (depth // 2) + b"{}" * (depth % 2) + b"]}" * (depth // 2)


@pytest.mark.parametrize(
    ("document", "too_deep"),
    [
        (nested(64), False),
        (nested(65), True),
        (b"[" + b"[]," * 1000 + b"[]]", False),
        (b"[" + nested(62) + b"," + nested(63) + b"]", False),
        (b"[" + nested(62) + b"," + nested(64) + b"]", True),
        (b'["' + b"[" * 100 + b'"]', False),
        (b'["' + b"[" * 100 + b'\\"' + b"]" * 5 + b'"]', False),
        (b'["\\\\","' + b"{" * 100 + b'"]', False),
        (b'{"' + b"[" * 100 + b'":1}', False),
        (b"[" * 65 + b'"]]]]]"' + b"]" * 65, True),
    ],
)
def test_depth_is_counted_outside_strings(document: bytes, too_deep: bool) -> None:
    standard.loads(document)

    assert is_too_deep(document) is too_deep


@given(
    st.recursive(
        st.none() | st.integers() | st.text(alphabet='[]{}\\"a'),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='[{"\\'), inner),
        max_leaves=60,
    ),
    st.integers(0, 70),
)
def test_depth_agrees_with_the_value(value: object, more: int) -> None:
    for _ in range(more):
        value = [value]
    document = standard.dumps(value).encode()

    assert is_too_deep(document) is (depth_of(value) > 64)


def depth_of(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max((depth_of(item) for item in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((depth_of(item) for item in value), default=0)
    return 0


def test_the_longest_integer_is_taken_and_a_digit_more_is_refused() -> None:
    assert decode(b"1" * 4300) > 0
    with pytest.raises(BadRequest) as caught:
        decode(b"1" * 4301)
    assert caught.value.code == "json.number-too-long"


def test_a_typed_decoder_checks_types_itself() -> None:
    decoder = msgspec.json.Decoder(list[int])

    assert decode(b"[1,2]", decoder.decode) == [1, 2]
    with pytest.raises(msgspec.ValidationError):
        decode(b'["x"]', decoder.decode)


def test_a_typed_document_is_held_to_the_depth_too() -> None:
    decoder = msgspec.json.Decoder(dict[str, object])

    with pytest.raises(BadRequest) as caught:
        decode(nested(66), decoder.decode)
    assert caught.value.code == "json.too-deep"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b'{"name":"\xff"}', "invalid start byte at byte 9"),
        (b'["ab\xc3"]', "invalid continuation byte at byte 4"),
        (
            rb'["\ud800"]',
            r"\ud800 at byte 2 is half of a surrogate pair, and stands for no character alone",
        ),
        (
            rb'["\\ud800", "\ud83d\ude00", "\ud800x"]',
            r"\ud800 at byte 29 is half of a surrogate pair, and stands for no character alone",
        ),
        (
            rb'["a\udc00"]',
            r"\udc00 at byte 3 is half of a surrogate pair, and stands for no character alone",
        ),
        (rb'["\\ud800', "Input data was truncated"),
    ],
)
def test_a_broken_text_is_named_with_its_place(document: bytes, reason: str) -> None:
    with pytest.raises(BadRequest) as refused:
        decode(document)

    assert refused.value.detail == f"the body is no JSON: {reason}"
