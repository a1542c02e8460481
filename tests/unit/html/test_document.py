"""The shell of a page."""

from __future__ import annotations

import pytest

from kingpost.html import Html, page


def test_the_title_is_escaped_and_the_body_is_html() -> None:
    shown = page("a < b", Html("<p>x</p>"))

    assert "<title>a &lt; b</title>" in shown
    assert "<body>\n<p>x</p>\n</body>" in shown


def test_a_body_that_is_no_html_is_escaped() -> None:
    assert "&lt;p&gt;" in page("t", "<p>")  # type: ignore[arg-type]  # what a caller without a checker might do


def test_a_style_that_would_end_its_element_is_refused() -> None:
    with pytest.raises(ValueError, match="would end the <style> element"):
        page("t", Html(), style="</style><script>")


def test_a_page_asks_no_other_server_for_anything() -> None:
    shown = page("t", Html("<p>x</p>"), style="p{color:red}")

    assert "http" not in shown
    assert "src=" not in shown


def test_a_page_can_always_be_sent() -> None:
    shown = page("zażółć \ud800", Html("<p>\udfff</p>"))

    assert "<title>zażółć ?</title>" in shown
    assert shown.encode()
