import pytest

from kingpost.server.reply import ReplyHead
from kingpost.testing import CookieJar, TestResponse


def response(content: bytes = b"", *fields: tuple[str, str], status: int = 200) -> TestResponse:
    return TestResponse(ReplyHead(status, "OK", list(fields)), content, "/x", CookieJar())


def test_names_of_headers_compare_without_case_and_repeats_are_kept() -> None:
    headers = response(b"", ("vary", "a"), ("x", "1"), ("vary", "b")).headers

    assert headers["Vary"] == "a"
    assert headers.get_all("VARY") == ["a", "b"]
    assert list(headers) == ["vary", "x"]
    assert "x" in headers
    with pytest.raises(KeyError):
        headers["y"]


def test_text_is_read_in_the_encoding_that_is_declared() -> None:
    latin = response("ż".encode("iso-8859-2"), ("content-type", 'text/plain; charset="ISO-8859-2"'))

    assert latin.text == "ż"
    assert response("ż".encode()).text == "ż"


def test_json_is_parsed() -> None:
    assert response(b'{"a": [1, null]}').json() == {"a": [1, None]}


def test_what_is_not_json_is_shown() -> None:
    with pytest.raises(ValueError, match=r"answer 200 to /x is not JSON .* begins '<html>'"):
        response(b"<html>").json()


def test_the_cookies_of_an_answer_are_those_that_it_sets() -> None:
    cookies = response(b"", ("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2")).cookies

    assert cookies == {"a": "1", "b": "2"}


@pytest.mark.parametrize(("status", "is_redirect"), [(303, True), (304, False), (200, False)])
def test_a_redirect_is_told_by_its_status(status: int, is_redirect: bool) -> None:
    assert response(b"", ("location", "/"), status=status).is_redirect is is_redirect


def test_the_request_id_is_there_for_log_lookups() -> None:
    assert response(b"", ("x-request-id", "00ff")).request_id == "00ff"
    assert response().request_id == ""
