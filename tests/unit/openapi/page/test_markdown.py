"""Descriptions: what is shown as more than text, and that nothing becomes HTML that was not meant to."""

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost.openapi.page.markdown import blocks, inline


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**bold** and __bold__", "<strong>bold</strong> and <strong>bold</strong>"),
        ("*soft* and _soft_", "<em>soft</em> and <em>soft</em>"),
        ("**a *b* c**", "<strong>a <em>b</em> c</strong>"),
        ("`a < b` and ``c`d``", "<code>a &lt; b</code> and <code>c`d</code>"),
        ("`**not bold**`", "<code>**not bold**</code>"),
        ("[it](https://e.org/a)", '<a href="https://e.org/a" rel="noreferrer">it</a>'),
        ("<https://e.org>", '<a href="https://e.org" rel="noreferrer">https://e.org</a>'),
        ("[it](javascript:alert)", "[it](javascript:alert)"),
        ("[it](//e.org)", "[it](//e.org)"),
        (
            '[it](https://e.org/"x")',
            '<a href="https://e.org/&quot;x&quot;" rel="noreferrer">it</a>',
        ),
        ("<b>x</b> & <script>", "&lt;b&gt;x&lt;/b&gt; &amp; &lt;script&gt;"),
        ("snake_case_name and __init__", "snake_case_name and <strong>init</strong>"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("*args, **kwargs", "*args, **kwargs"),
        (r"\*not soft\*", "*not soft*"),
        ("a ` b", "a ` b"),
    ],
)
def test_marks_within_a_line(text: str, shown: str) -> None:
    assert inline(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\ntwo\n\nthree", "<p>one two</p>\n<p>three</p>"),
        ("- a\n- b\n  more\n", "<ul><li>a</li><li>b more</li></ul>"),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("so:\n\n* `a`\n\n* b", "<p>so:</p>\n<ul><li><code>a</code></li><li>b</li></ul>"),
        ("- a\n1. b", "<ul><li>a</li></ul>\n<ol><li>b</li></ol>"),
        (
            "```python\nx < **1**\n\ny\n```\nz",
            "<pre><code>x &lt; **1**\n\ny</code></pre>\n<p>z</p>",
        ),
        ("```\nnever closed", "<pre><code>never closed</code></pre>"),
        (
            "a\n\n    code\n      more\n\nb",
            "<p>a</p>\n<pre><code>code\n  more</code></pre>\n<p>b</p>",
        ),
        ("Args:\n    x: one\n    y: two", "<p>Args:<br>\nx: one<br>\ny: two</p>"),
        ("\n    One.\n\n    Two.\n    ", "<p>One.</p>\n<p>Two.</p>"),
        ("", ""),
    ],
)
def test_blocks(text: str, shown: str) -> None:
    assert blocks(text) == shown


class Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.hrefs: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        if tag != "br":
            self.open.append(tag)
        for name, value in attrs:
            assert name in ("href", "rel")
            if name == "href":
                self.hrefs.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@given(st.text(alphabet="ab <>&\"'*_`[]()\\\n-1.~:/#jhtps", max_size=80))
def test_whatever_is_written_the_page_stays_whole(text: str) -> None:
    elements = Elements(blocks(text))

    assert elements.open == []
    assert elements.names <= {"p", "ul", "ol", "li", "pre", "code", "em", "strong", "a", "br"}
    assert all(each.lower().startswith(("http://", "https://")) for each in elements.hrefs)


@pytest.mark.parametrize("piece", ["**a ", "*a ", "`a", "[a](", "_a ", "__a ", "- \n", "<http://"])
def test_marks_without_end_take_no_time(piece: str) -> None:
    started = time.perf_counter()

    blocks(piece * 20_000)
    inline((piece * 5_000)[:5_000])

    assert time.perf_counter() - started < 5
