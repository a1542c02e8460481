"""What does not run under other hosts is there, and says why."""

from pathlib import Path

import pytest

from tests.hosts import EXCLUDED, WEB, Excluded

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("each", EXCLUDED, ids=lambda each: each.test)
def test_what_is_excluded_exists_and_has_a_reason(each: Excluded) -> None:
    path, _, name = each.test.partition("::")

    text = (ROOT / path).read_text("utf-8")
    assert not name or f"def {name}(" in text
    assert each.test.startswith(WEB["asgi"])
    assert len(each.reason) > 20
    assert each.hosts <= {"asgi", "wsgi"}
