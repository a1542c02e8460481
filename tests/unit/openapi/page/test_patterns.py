"""Examples for patterns."""

import re

import pytest

from kingpost.openapi.page.forms import Unknown, example_of
from kingpost.openapi.page.look import Document
from kingpost.openapi.page.patterns import matching


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^[0-9]{5}$", "00000"),
        (r"^\d{3}-\d{4}$", "000-0000"),
        ("^[A-Z]{2}[0-9]+$", "AA0"),
        (r"^v\.[a-z]*$", "v.a"),
        ("^x?y$", "y"),
        (r"^[\d]{2,}$", "00"),
        ("abc", "abc"),
        ("^.{3}$", "aaa"),
    ],
)
def test_a_simple_pattern_has_an_example(pattern: str, text: str) -> None:
    assert matching(pattern) == text
    assert re.search(pattern, text)


@pytest.mark.parametrize(
    "pattern", ["^(a|b)$", "a|b", "[^a]", "(?i)a", "[", r"\bx", "^$", r"[\]a]"]
)
def test_no_example_is_made_that_might_not_fit(pattern: str) -> None:
    assert matching(pattern) is None


def test_an_example_is_as_long_as_it_has_to_be() -> None:
    assert matching("^[a-z]+$", 6) == "aaaaaa"
    assert matching("^[a-z]{2}$", 6) is None


def test_the_body_to_begin_with_obeys_its_own_rules() -> None:
    schema = {
        "type": "object",
        "required": ["zip", "colour"],
        "properties": {
            "zip": {"type": "string", "pattern": "^[0-9]{5}$"},
            "colour": {"type": "string", "pattern": "^(red|blue)$"},
            "size": {"type": "string", "pattern": "^(s|m)$"},
            "name": {"type": "string", "minLength": 6},
            "code": {"type": "string", "maxLength": 2},
            "short": {"type": "string", "pattern": "^[a-z]{4}$", "maxLength": 3},
        },
    }

    assert example_of(Document({}), schema) == {
        "zip": "00000",
        "colour": "matches ^(red|blue)$",
        "name": "texttt",
        "code": "te",
    }
    assert isinstance(example_of(Document({}), schema["properties"]["size"]), Unknown)  # type: ignore[index]  # a dict
