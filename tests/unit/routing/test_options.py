"""Route options: known ones pass, others are refused with the rule."""

import pytest

from kingpost.errors import NotFound, RoutingError
from kingpost.http.media import Csv, Format, Json
from kingpost.routing import HasQuery
from kingpost.routing.options import (
    FORM_LIMITS,
    FormLimits,
    RouteOptions,
    body_limit,
    check_options,
    form_sizes,
)


async def later(request: object) -> bool:
    return True


def test_every_option_that_exists_passes() -> None:
    options: RouteOptions = {
        "name": "show",
        "status": 201,
        "summary": "Shows",
        "description": "Shows it.",
        "tags": ["a"],
        "deprecated": True,
        "errors": [NotFound],
        "inline": False,
        "timeout": 1.5,
        "max_body": "1 MiB",
        "form_limits": {
            "fields": 3,
            "files": 0,
            "field": "1 KiB",
            "memory": 9,
            "file": "1 MB",
            "spool": 0,
        },
        "middleware": [],
        "requires": later,
        "before": [],
        "after": [],
        "hosts": ["example.org", "{tenant}.example.org", "*.example.com", "[::1]"],
        "when": [HasQuery("q")],
        "formats": [Json(), Csv()],
        "openapi": False,
    }

    assert check_options(options) == options
    assert set(options) == RouteOptions.__optional_keys__


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("stauts", 201, "routing.unknown-option"),
        ("colour", "red", "routing.unknown-option"),
        ("requires", None, "routing.bad-option"),
        ("requires", ["edit"], "routing.bad-option"),
        ("formats", "csv", "routing.bad-option"),
        ("formats", [], "routing.bad-option"),
        ("formats", ["csv"], "routing.bad-option"),
        ("formats", [Csv], "routing.bad-option"),
        ("formats", [Csv(), Csv()], "routing.bad-option"),
        ("formats", [Format("text", "txt", str)], "routing.bad-option"),
        ("formats", [Format("text/plain", "a/b", str)], "routing.bad-option"),
        ("formats", [Format("text/plain\r\nx: y", "txt", str)], "routing.bad-option"),
        ("hosts", "example.org", "routing.bad-option"),
        ("hosts", ["http://example.org"], "routing.bad-host"),
        ("hosts", ["{a}x.org"], "routing.bad-host"),
        ("hosts", ["{a}.{a}.org"], "routing.bad-host"),
        ("hosts", ["*.{a}.org"], "routing.bad-host"),
        ("hosts", ["example.org:80"], "routing.bad-host"),
        ("hosts", [1], "routing.bad-host"),
        ("when", "x", "routing.bad-predicate"),
        ("when", [str], "routing.bad-predicate"),
        ("when", later, "routing.bad-predicate"),
        ("name", "a.b", "routing.bad-option"),
        ("name", 5, "routing.bad-option"),
        ("status", True, "routing.bad-option"),
        ("status", 100, "routing.bad-option"),
        ("status", 600, "routing.bad-option"),
        ("tags", "a", "routing.bad-option"),
        ("tags", [1], "routing.bad-option"),
        ("errors", [ValueError], "routing.bad-option"),
        ("errors", [NotFound("x")], "routing.bad-option"),
        ("inline", 1, "routing.bad-option"),
        ("timeout", 0, "routing.bad-option"),
        ("timeout", float("inf"), "routing.bad-option"),
        ("timeout", float("nan"), "routing.bad-option"),
        ("max_body", -1, "routing.bad-option"),
        ("max_body", "1 parsec", "routing.bad-option"),
        ("max_body", True, "routing.bad-option"),
        ("max_body", "9999999999 GiB", "routing.bad-option"),
        ("form_limits", 3, "routing.bad-option"),
        ("form_limits", {"max_files": 3}, "routing.bad-option"),
        ("form_limits", {"files": "3"}, "routing.bad-option"),
        ("form_limits", {"files": True}, "routing.bad-option"),
        ("form_limits", {"files": -1}, "routing.bad-option"),
        ("form_limits", {"file": "2 meters"}, "routing.bad-option"),
        ("form_limits", {"file": 2**63}, "routing.bad-option"),
    ],
)
def test_other_options_and_values_are_refused(option: str, value: object, code: str) -> None:
    with pytest.raises(RoutingError) as refused:
        check_options({option: value})

    assert refused.value.code == code
    assert (
        code.startswith(("routing.bad-host", "routing.bad-predicate"))
        or option in refused.value.message
    )


def test_a_misspelt_option_is_told_its_name() -> None:
    with pytest.raises(RoutingError) as refused:
        check_options({"sumary": "x"})

    assert refused.value.remedy == "write 'summary'"


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (0, 0),
        (5, 5),
        ("6", 6),
        ("5 B", 5),
        ("2 KiB", 2048),
        ("2kib", 2048),
        ("2 MB", 2_000_000),
        ("1 GiB", 2**30),
    ],
)
def test_a_size_is_bytes_or_words(value: int | str, size: int) -> None:
    assert body_limit({"max_body": value}, default=1) == size
    assert body_limit({}, default=7) == 7


def test_limits_of_a_form_are_numbers_or_words() -> None:
    assert form_sizes({}) == {}
    assert form_sizes({"form_limits": {"files": 3, "file": "2 KiB"}}) == {"files": 3, "file": 2048}
    assert set(FORM_LIMITS) == FormLimits.__optional_keys__
