"""Names of downloads."""

from __future__ import annotations

import pytest

from kingpost.http.disposition import attachment


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report.pdf", 'attachment; filename="report.pdf"'),
        ("two words.txt", 'attachment; filename="two words.txt"'),
        ("naïve.txt", "attachment; filename=\"na_ve.txt\"; filename*=UTF-8''na%C3%AFve.txt"),
        ("€ rates", "attachment; filename=\"_ rates\"; filename*=UTF-8''%E2%82%AC%20rates"),
        ("100%.csv", "attachment; filename=\"100_.csv\"; filename*=UTF-8''100%25.csv"),
        # Nothing breaks out of the quotes or the field, and nothing is a path.
        ('a"; evil="b', 'attachment; filename="a_; evil=_b"'),
        ("a\r\nset-cookie: b", 'attachment; filename="a__set-cookie_ b"'),
        ("../../etc/passwd", 'attachment; filename=".._.._etc_passwd"'),
        ("C:\\Windows\\a", 'attachment; filename="C__Windows_a"'),
        # A mark that turns the direction of writing hides an ending.
        ("invoice\u202efdp.exe", 'attachment; filename="invoice_fdp.exe"'),
        ("lone \ud800", 'attachment; filename="lone _"'),
    ],
)
def test_a_name_stays_a_name(name: str, expected: str) -> None:
    assert attachment(name) == expected
