import asyncio
import base64
import hashlib
import re
from types import SimpleNamespace
from typing import Any

import pytest

from kingpost import _native
from kingpost.http.response import Response
from kingpost.server.child import Failure
from kingpost.server.notice import NoticedDispatch, allowing, bar
from tests.unit.server.service import TestDispatch

FAILURE = Failure("SyntaxError in app.py, line 3: <bad>", "Traceback & more")
HTML = ("content-type", "text/html; charset=utf-8")
REQUEST: Any = SimpleNamespace(host="localhost")


def is_local(host: str) -> bool:
    return host == "localhost"


def page(*fields: tuple[str, str], body: Any = b"<h1>page</h1>") -> _native.Answer:
    return _native.Answer(200, fields, body)


def noticed(answer: _native.Answer, notice: Failure | None = FAILURE) -> _native.Answer:
    dispatch = NoticedDispatch(TestDispatch(), is_local)
    dispatch.notice = notice
    return dispatch.answer(REQUEST, 0, answer)


def test_a_page_says_that_it_comes_from_older_code() -> None:
    answer = noticed(page(HTML, ("x-mine", "1")))

    assert answer.body == b"<h1>page</h1>" + bar(FAILURE)
    assert ("x-mine", "1") in answer.headers


def test_what_python_said_is_escaped() -> None:
    text = bar(Failure("<script>", "</pre> & \"x\" 'y'")).decode()

    assert "<script>" not in text
    assert "&lt;/pre&gt; &amp; &quot;x&quot; &#39;y&#39;" in text


def test_without_a_failure_nothing_is_added() -> None:
    assert noticed(page(HTML), None).body == b"<h1>page</h1>"


def test_only_whole_plain_html_is_added_to() -> None:
    for answer in (
        page(("content-type", "application/json")),
        page(HTML, ("content-encoding", "gzip")),
        page(HTML, body=b""),
        page(HTML, body=iter([b"streamed"])),
    ):
        body = answer.body
        assert noticed(answer).body == body


def test_pages_of_errors_and_missing_pages_carry_it_too() -> None:
    dispatch = NoticedDispatch(TestDispatch(), is_local)
    dispatch.notice = FAILURE

    missed = dispatch.miss(REQUEST, None)

    assert isinstance(missed, _native.Answer)
    assert missed.body == b"<p>no</p>" + bar(FAILURE)


def test_an_answer_that_is_awaited_carries_it_too() -> None:
    class Later(TestDispatch):
        def fail(self, request: Any, plan: int | None, error: BaseException) -> Any:
            async def answer() -> _native.Answer:
                return page(HTML)

            return answer()

    dispatch = NoticedDispatch(Later(), is_local)
    dispatch.notice = FAILURE

    async def ask() -> Any:
        return await dispatch.fail(REQUEST, 0, ValueError())  # type: ignore[misc]  # an awaitable in this mode

    assert asyncio.run(ask()).body == b"<h1>page</h1>" + bar(FAILURE)


def test_everything_else_is_the_wrapped_dispatchs_own() -> None:
    assert NoticedDispatch(TestDispatch(), is_local).request_type is _native.Request


def test_nothing_is_told_to_those_who_may_not_read_the_source() -> None:
    dispatch = NoticedDispatch(TestDispatch(), lambda host: False)
    dispatch.notice = FAILURE

    assert dispatch.answer(REQUEST, 0, page(HTML)).body == b"<h1>page</h1>"


def style_of(notice: bytes) -> str:
    found = re.search(r"<style[^>]*>(.*)</style>", notice.decode())
    assert found is not None
    return found[1]


def digest() -> str:
    made = hashlib.sha256(style_of(bar(FAILURE)).encode()).digest()
    return f"'sha256-{base64.b64encode(made).decode()}'"


@pytest.mark.parametrize(
    ("policy", "allows"),
    [
        ("style-src 'self' 'nonce-a'; img-src x", "style-src 'self' 'nonce-a' {}; img-src x"),
        ("Style-Src 'NONE'", "Style-Src {}"),
        ("style-src a; style-src-elem b", "style-src a; style-src-elem b {}"),
        ("default-src 'none'", "default-src 'none'; style-src {}"),
        ("default-src 'self'", "default-src 'self'; style-src 'self' {}"),
        ("style-src 'unsafe-inline'", "style-src 'unsafe-inline'"),
        (
            "style-src 'unsafe-inline' 'sha256-abc='",
            "style-src 'unsafe-inline' 'sha256-abc=' {}",
        ),
        ("script-src 'self'", "script-src 'self'"),
        ("style-src a, style-src b", "style-src a {0}, style-src b {0}"),
        ("", ""),
    ],
)
def test_a_policy_lets_the_notice_have_its_looks(policy: str, allows: str) -> None:
    assert allowing(policy) == allows.format(digest())


def test_the_pages_policy_is_told_of_the_notice() -> None:
    policy = ("Content-Security-Policy", "style-src 'self'")

    answer = noticed(page(HTML, policy))

    assert f"style-src 'self' {digest()}" in [value for _, value in answer.headers]
    assert noticed(page(HTML, policy), None).headers == page(HTML, policy).headers


def test_the_notice_needs_no_style_attribute_and_covers_nothing() -> None:
    notice = bar(FAILURE).decode()

    assert "style=" not in notice.replace('"notice-style"', "")
    assert "html{padding-bottom" in style_of(bar(FAILURE))


def test_no_response_is_sent_before_the_notice_was_put_in() -> None:
    assert NoticedDispatch(TestDispatch(), is_local).response_type is not Response
