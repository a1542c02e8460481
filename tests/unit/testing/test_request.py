from dataclasses import dataclass
from typing import Any

import pytest

from kingpost.testing.request import (
    RequestOptions,
    WireRequest,
    check_options,
    make_request,
    path_of,
    redirect_target,
    with_params,
)


def made(method: str = "GET", url: str = "/", cookie: str = "", **options: Any) -> WireRequest:
    given: RequestOptions = options  # type: ignore[assignment]  # also those that it refuses
    check_options(given)
    return make_request(method, url, given, host="localhost", headers=[("x-a", "1")], cookie=cookie)


def test_a_plain_request_is_what_a_client_would_send() -> None:
    assert made().head == b"GET / HTTP/1.1\r\nhost: localhost\r\nx-a: 1\r\n\r\n"


def test_a_header_of_the_request_replaces_that_of_the_client() -> None:
    request = made(headers={"X-A": "2", "Host": "example.org"})

    assert request.head == b"GET / HTTP/1.1\r\nX-A: 2\r\nHost: example.org\r\n\r\n"


def test_a_header_can_be_sent_twice() -> None:
    request = made(headers=[("x-b", "1"), ("x-b", "2")])

    assert b"x-b: 1\r\nx-b: 2\r\n" in request.head


def test_json_is_sent_with_its_type_and_length() -> None:
    request = made("POST", json={"name": "Łódź"})

    assert request.body == '{"name":"Łódź"}'.encode()
    assert b"content-type: application/json\r\ncontent-length: 18\r\n" in request.head


def test_a_model_can_be_sent_as_json() -> None:
    @dataclass
    class Todo:
        title: str

    assert made("POST", json=Todo("x")).body == b'{"title":"x"}'


def test_none_can_be_sent_as_json() -> None:
    assert made("POST", json=None).body == b"null"


def test_a_form_is_encoded() -> None:
    request = made("POST", form={"name": "a b", "tags": ["x", "y"], "no": None, "on": True})

    assert request.body == b"name=a+b&tags=x&tags=y&on=true"
    assert b"content-type: application/x-www-form-urlencoded" in request.head


@pytest.mark.parametrize(
    ("content", "body", "framing"),
    [("żółw", "żółw".encode(), "length"), (b"\0", b"\0", "length"), (b"", b"", "length")],
)
def test_content_is_sent_as_it_is(content: Any, body: bytes, framing: str) -> None:
    request = made("PUT", content=content)

    assert (request.body, request.framing) == (body, framing)


def test_an_iterable_body_is_sent_in_chunks() -> None:
    request = made("POST", content=iter([b"a", b"b"]))

    assert request.framing == "chunked"
    assert b"transfer-encoding: chunked" in request.head


def test_get_says_nothing_of_a_body_that_it_does_not_have() -> None:
    assert b"content-length" not in made().head


def test_post_says_that_its_body_is_empty() -> None:
    assert b"content-length: 0" in made("POST").head


def test_cookies_of_the_jar_and_of_the_request_are_sent_in_one_field() -> None:
    assert b"cookie: a=1; b=2\r\n" in made(cookie="a=1", cookies={"b": "2"}).head


@pytest.mark.parametrize(
    ("name", "meant"), [("data", "form"), ("body", "content"), ("query", "params")]
)
def test_the_words_of_other_clients_are_answered_with_ours(name: str, meant: str) -> None:
    with pytest.raises(TypeError, match=f"did you mean {meant}="):
        check_options({name: 1})


def test_two_bodies_are_refused() -> None:
    with pytest.raises(TypeError, match="json= and form= were given"):
        check_options({"json": 1, "form": {}})


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\0"])
def test_a_header_that_breaks_its_line_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        made(headers={"x": value})


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("/", "/"),
        ("/a b/ż?q=ł&x=1", "/a%20b/%C5%BC?q=%C5%82&x=1"),
        ("/a%2Fb", "/a%2Fb"),
        ("/x#fragment", "/x"),
        ("//x/y", "//x/y"),
        ("http://localhost/x?y", "/x?y"),
        ("http://localhost", "/"),
        ("*", "*"),
    ],
)
def test_an_address_is_percent_encoded_once(url: str, target: str) -> None:
    assert path_of(url) == target


def test_an_address_without_a_slash_is_refused_with_it() -> None:
    with pytest.raises(ValueError, match="such as '/todos'"):
        path_of("todos")


def test_params_come_after_those_of_the_address() -> None:
    assert with_params("/x?a=1", {"b": [2, 3], "c": None}) == "/x?a=1&b=2&b=3"


@pytest.mark.parametrize(
    ("location", "target"),
    [("/login", "/login"), ("next?x=1", "/shop/next?x=1"), ("http://localhost/y", "/y")],
)
def test_a_location_is_read_from_where_it_was_given(location: str, target: str) -> None:
    assert redirect_target("/shop/cart", location, "localhost") == target


@pytest.mark.parametrize("location", ["https://example.org/", "//example.org/x"])
def test_a_redirect_to_another_site_is_refused(location: str) -> None:
    with pytest.raises(ValueError, match="leaves the site"):
        redirect_target("/", location, "localhost")
