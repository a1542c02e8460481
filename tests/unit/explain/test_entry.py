"""The format of an entry."""

from __future__ import annotations

import pytest

from kingpost.explain import Entry, closest, codes, explain

TEXT = """\
# area.slug
One sentence
over two lines.

More of it.

And more.

## Wrong
```python
x = 1

y = 2
```

## Right
```python
x = 2
```
"""


def test_an_entry_is_read() -> None:
    assert Entry.parse(TEXT) == Entry(
        "area.slug",
        "One sentence over two lines.",
        "More of it.\n\nAnd more.",
        "x = 1\n\ny = 2\n",
        "x = 2\n",
    )


def test_an_entry_is_shown() -> None:
    assert Entry.parse(TEXT).text() == (
        "area.slug\n\n"
        "One sentence over two lines.\n\n"
        "More of it.\n\nAnd more.\n\n"
        "Wrong:\n\n    x = 1\n\n    y = 2\n\n"
        "Right:\n\n    x = 2\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("area.slug\nSentence.", "the first line"),
        ("# area.slug\n", "no sentence"),
        ("# area.slug\nSentence.", "below '## Wrong'"),
        (TEXT.replace("## Right", "## Left"), "below '## Right'"),
        (TEXT.rpartition("```")[0], "below '## Right'"),
    ],
)
def test_a_file_of_another_format_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Entry.parse(text)


def test_a_code_is_found_whatever_its_case() -> None:
    entry = explain(" Not-Found ")

    assert entry is not None
    assert entry.code == "not-found"


def test_an_unknown_code_has_no_entry_but_neighbours() -> None:
    assert explain("json.too-depe") is None
    assert "json.too-deep" in closest("json.too-depe")
    assert closest("zzzzzzzz") == []


def test_a_path_is_no_code() -> None:
    assert explain("../entry") is None


def test_codes_are_sorted() -> None:
    assert codes() == sorted(codes())
