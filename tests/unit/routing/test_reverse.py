"""URLs by name."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kingpost import _native
from kingpost.errors import RoutingError
from kingpost.routing.converters import BUILT_IN, Converter
from kingpost.routing.pattern import parse_pattern
from kingpost.routing.reverse import Target, UrlError, Urls
from kingpost.types import Place


def target(text: str, line: int = 1) -> Target:
    pattern = parse_pattern(text)
    converters: dict[str, Converter[Any]] = {
        parameter.name: BUILT_IN[parameter.converter or "str"]() for parameter in pattern.parameters
    }
    return Target(pattern, converters, Place("app.py", line))


def urls(**targets: str) -> Urls:
    made = Urls()
    for name, text in targets.items():
        made.add(name.replace("__", "."), target(text))
    return made


@pytest.mark.parametrize(
    ("text", "params", "url"),
    [
        ("/", {}, "/"),
        ("/{id:int}", {"id": 3}, "/3"),
        ("/{name}", {"name": "a b?d#e%f"}, "/a%20b%3Fd%23e%25f"),
        ("/{name}", {"name": "żółw"}, "/%C5%BC%C3%B3%C5%82w"),
        ("/{name}", {"name": "a@b:c;d,e"}, "/a@b:c;d,e"),
        ("/files/{rest:path}", {"rest": "a b/c"}, "/files/a%20b/c"),
        ("/żółw", {}, "/%C5%BC%C3%B3%C5%82w"),
        ("/{page}.html", {"page": "x"}, "/x.html"),
        ("/", {"page": 2, "tag": ["a", "b c"]}, "/?page=2&tag=a&tag=b+c"),
        ("/", {"page": None}, "/"),
    ],
)
def test_values_are_written_into_the_pattern(
    text: str, params: dict[str, object], url: str
) -> None:
    assert urls(it=text).url_for("it", params) == url


@pytest.mark.parametrize(
    ("name", "params", "code"),
    [
        ("other", {}, "routing.unknown-name"),
        ("it", {}, "routing.url-parameters"),
        ("it", {"id": "3"}, "routing.url-value"),
        ("it", {"id": None}, "routing.url-value"),
    ],
)
def test_wrong_names_and_values_are_refused_at_the_call(
    name: str, params: dict[str, object], code: str
) -> None:
    with pytest.raises(UrlError) as refused:
        urls(it="/{id:int}").url_for(name, params)

    assert refused.value.code == code
    assert "test_reverse.py" in str(refused.value)


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_value_that_would_lead_elsewhere_is_refused(value: str) -> None:
    with pytest.raises(UrlError, match="another path"):
        urls(it="/a/{name}").url_for("it", {"name": value})


@pytest.mark.parametrize("value", ["a/b", "/a", "a\0b"])
def test_a_value_that_no_parameter_takes_is_refused(value: str) -> None:
    with pytest.raises(
        UrlError, match=r"one segment holds no slash and no NUL; \{name:path\} takes"
    ):
        urls(it="/a/{name}").url_for("it", {"name": value})


@pytest.mark.parametrize("value", ["", "/a", "a//b", "a/../b", "a/", "./a"])
def test_a_rest_that_would_lead_elsewhere_is_refused(value: str) -> None:
    with pytest.raises(UrlError, match="another path"):
        urls(it="/a/{rest:path}").url_for("it", {"rest": value})


def test_a_leading_dot_means_the_group_of_the_request() -> None:
    names = urls(home="/", shop__index="/shop", shop__todos__index="/shop/todos")

    assert names.url_for(".index", {}, below="shop") == "/shop"
    assert names.url_for(".index", {}, below="shop.todos") == "/shop/todos"
    assert names.url_for(".home", {}) == "/"


def test_two_routes_on_one_path_may_share_a_name() -> None:
    names = urls(todos="/todos")
    names.add("todos", target("/todos", 2))

    assert names.url_for("todos", {}) == "/todos"


@pytest.mark.parametrize(
    "second", [{"is_named": True}, {"includes": (Place("app.py", 9),)}], ids=["named", "included"]
)
def test_two_routes_on_two_paths_may_not_be_given_one_name(second: Any) -> None:
    names = urls(todos="/todos")

    with pytest.raises(RoutingError) as refused:
        names.add("todos", replace(target("/tasks", 2), **second))

    assert refused.value.code == "routing.name-taken"
    assert [str(place) for place in refused.value.places] == ["app.py:1", "app.py:2"]


def test_two_functions_of_one_name_are_refused_where_somebody_asks_for_it() -> None:
    names = urls(index="/todos", other="/other")
    names.add("index", target("/notes", 2))

    assert names.url_for("other", {}) == "/other"
    with pytest.raises(UrlError) as refused:
        names.url_for("index", {})
    assert refused.value.code == "routing.ambiguous-name"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_every_text_comes_back_from_its_address(text: str) -> None:
    router = _native.Router()
    router.add("/a/{name}/b", ["GET"], 7, "here")
    try:
        path = urls(it="/a/{name}/b").url_for("it", {"name": text})
    except UrlError:
        assert text in (".", "..") or "/" in text or "\0" in text
        return

    assert router.find("GET", path.encode()) == (7, {"name": text})
