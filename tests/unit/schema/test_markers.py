"""What classes and annotations say beyond their types."""

from __future__ import annotations

import subprocess
import sys
from typing import TypedDict

import pytest

from kingpost.errors import ConfigurationError
from kingpost.schema import Decoder, Only, Partial, Private, Without, check, closed


class Used(TypedDict):
    x: int


def test_rules_come_before_the_first_use() -> None:
    Decoder(Used)

    with pytest.raises(ConfigurationError, match="Used is to be closed") as refused:
        closed(Used)
    with pytest.raises(ConfigurationError, match="Used is to be checked"):
        check(Used)(lambda used: None)

    assert refused.value.code == "schema.late-rule"
    assert "test_markers.py" in str(refused.value)


def test_markers_say_what_they_are() -> None:
    assert [repr(each) for each in (Only("a", "b"), Without("a.b"), Partial(), Private())] == [
        "Only('a', 'b')",
        "Without('a.b')",
        "Partial()",
        "Private()",
    ]


def run(program: str) -> str:
    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_process_without_private_fields_pays_nothing_for_them() -> None:
    assert (
        run(
            "import kingpost.app.json as j, sys; "
            "assert j._encode == j._encoder.encode; "
            "assert 'kingpost.schema.private' not in sys.modules; "
            "from kingpost.schema import Private; "
            "print(j._encode is j._encode_without_private)"
        )
        == "True"
    )


def test_pydantic_and_attrs_are_not_imported_by_us() -> None:
    assert (
        run(
            "import kingpost, sys, kingpost.schema, kingpost.app.application; "
            "print(sorted({'pydantic', 'pydantic_core', 'attr', 'attrs', 'annotated_types'} & set(sys.modules)))"
        )
        == "[]"
    )


def test_there_is_no_other_name() -> None:
    import kingpost.schema

    with pytest.raises(AttributeError, match="has no attribute 'Public'"):
        kingpost.schema.Public  # type: ignore[attr-defined]  # noqa: B018 - the mistake itself
