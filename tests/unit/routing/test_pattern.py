"""Patterns, taken apart or refused."""

import pytest

from kingpost.errors import RoutingError
from kingpost.routing.pattern import Parameter, parse_pattern


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("/", ("/",)),
        ("/todos/", ("/todos/",)),
        ("/{id}", ("/", Parameter("id", None, None))),
        ("/{id:int}/edit", ("/", Parameter("id", "int", None), "/edit")),
        ("/v{n:int}.json", ("/v", Parameter("n", "int", None), ".json")),
        ("/{day:date(%Y-%m)}", ("/", Parameter("day", "date", "%Y-%m"))),
        ("/{day:date()}", ("/", Parameter("day", "date", ""))),
        ("/files/{rest:path}", ("/files/", Parameter("rest", "path", None))),
        ("/żółw/~a", ("/żółw/~a",)),
        ("/{id}:publish", ("/", Parameter("id", None, None), ":publish")),
        ("/a:b/c<d", ("/a:b/c<d",)),
    ],
)
def test_a_pattern_is_text_and_parameters(text: str, pieces: tuple[object, ...]) -> None:
    assert parse_pattern(text).pieces == pieces


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("todos", "a path begins with '/'"),
        ("", "a path begins with '/'"),
        ("/{id", "has no closing brace"),
        ("/id}", "'}' has no opening brace"),
        ("/{}", "is not a name"),
        ("/{2nd}", "is not a name"),
        ("/{id:Int}", "is not a name"),
        ("/{a}/{a}", "two parameters are called 'a'"),
        ("/{a}{b}", "has two parameters"),
        ("/{rest:path}/x", "must stand last"),
        ("/a b", "' ' cannot stand in a path"),
        ("/a?b", "'?' cannot stand in a path"),
        ("/<id>", "'<id>' is a parameter elsewhere; write '{id}', or '{id:int}' for a number"),
        ("/a/<path:rest>", "'<path:rest>' is a parameter elsewhere; write '{rest:path}'"),
        ("/<string:name>.html", "'<string:name>' is a parameter elsewhere; write '{name}'"),
        ("/{a}/:b/c", "':b' is a parameter elsewhere; write '{b}', or '{b:int}' for a number"),
        ("/a#b", "'#' cannot stand in a path"),
        ("/a//b", "'//' cannot stand in a path"),
        ("/a\\b", "cannot stand in a path"),
        ("/a\nb", "cannot stand in a path"),
    ],
)
def test_what_is_no_pattern_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(RoutingError) as refused:
        parse_pattern(text)

    assert refused.value.code == "routing.bad-pattern"
    assert reason in refused.value.message
