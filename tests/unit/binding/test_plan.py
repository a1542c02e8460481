"""From signatures to bindings: sources, values and refusals."""

# ruff: noqa: ANN001, B006, B008, PLR0917 - signatures that users write, right and wrong

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypedDict

import pytest
from msgspec import Meta, Struct

from kingpost import (
    Body,
    BodyStream,
    Cookie,
    Depends,
    File,
    Form,
    Header,
    Path,
    Query,
    Request,
    _native,
)
from kingpost.binding.offer import Offer, PathParameter
from kingpost.binding.plan import Binding, bind
from kingpost.binding.signature import signature_of
from kingpost.errors import (
    BadRequest,
    HTTPError,
    NotFound,
    SignatureError,
    UnsupportedMediaType,
    ValidationError,
)
from kingpost.settings import Secret, Settings
from tests.unit.http.sample import sample

REQUIRED = _native.REQUIRED
JSON = [("content-type", "application/json")]


class Todo(Struct):
    title: Annotated[str, Meta(min_length=1)]
    done: bool = False


@dataclass
class Point:
    x: int


class Options(TypedDict, total=False):
    colour: str


class Tree(Struct):
    children: list[Tree] = []


class AppSettings(Settings):
    title: str = "t"


class OtherSettings(Settings):
    title: str = "o"


class Engine:
    pass


SETTINGS = AppSettings()


def binding(
    handler: Callable[..., Any],
    *,
    methods: Sequence[str] = ("POST",),
    **path: PathParameter | None,
) -> Binding:
    offered = {name: found or PathParameter(str, "", None) for name, found in path.items()}
    offer = Offer(offered, methods, {AppSettings: SETTINGS}, Settings)
    return bind(signature_of(handler), offer)


def arguments(
    handler: Callable[..., Any], query: str = "", body: bytes = b"", **options: Any
) -> Any:
    path = dict.fromkeys(options.get("path_params", {}))
    headers = options.pop("headers", JSON if body else ())
    return binding(handler, **path).slow(
        sample(query=query.encode(), body=body, headers=headers, **options)
    )


def refused(handler: Callable[..., Any], query: str = "", **options: Any) -> list[tuple[Any, str]]:
    with pytest.raises(ValidationError) as error:
        arguments(handler, query, **options)
    return [(tuple(one["location"]), one["code"]) for one in error.value.errors]


def test_each_parameter_has_its_source() -> None:
    def handler(
        id: int,
        request: Request,
        settings: AppSettings,
        todo: Todo,
        page: int = 1,
        tags: list[str] | None = None,
        *,
        size: Annotated[int, Query(alias="page-size")] = 20,
    ) -> None: ...

    made = binding(handler, id=None)

    assert [(one.name, one.source.words) for one in made.arguments] == [
        ("id", "path {id}: an integer"),
        ("request", "the request"),
        ("settings", "the App's AppSettings"),
        ("todo", "body: Todo as JSON"),
        ("page", "query page: an integer, 1 if not given"),
        ("tags", "query tags, repeated: text each, None if not given"),
        ("size", "query page-size: an integer, 20 if not given"),
    ]
    assert made.binders is not None
    assert [one[0] for one in made.binders] == ["path", "request", "constant", "body", "query", "queries", "query"]  # fmt: skip
    assert [one[-1] for one in made.binders] == [None] * 6 + ["size"]
    assert made.binders[0] == ("path", "id", "int", None)
    assert made.binders[4] == ("query", "page", "int", 1, None)
    assert made.binders[5] == ("queries", "tags", "str", None, "list", None)


def test_arguments_are_read_in_order() -> None:
    def handler(
        id: int, /, q: str, *, flag: bool = False, tags: set[int] | None = None
    ) -> None: ...

    made = arguments(handler, "q=a&tags=1&tags=2&tags=1", path_params={"id": "7"})

    assert made == ((7, "a"), {"flag": False, "tags": {1, 2}})


@pytest.mark.parametrize(
    ("query", "value"),
    [("", 1), ("page=", 1), ("page=3", 3), ("other=5", 1)],
)
def test_an_absent_or_empty_number_is_the_default(query: str, value: int) -> None:
    def handler(page: int = 1) -> None: ...

    assert arguments(handler, query) == ((value,), {})


def test_an_empty_text_is_a_text() -> None:
    def handler(q: str, tag: list[str]) -> None: ...

    assert arguments(handler, "q=&tag=&tag=a") == (("", ["", "a"]), {})


def test_an_optional_without_a_default_is_none() -> None:
    def handler(q: str | None, ids: list[int] | None) -> None: ...

    assert arguments(handler) == ((None, None), {})


def test_a_list_that_is_a_default_is_made_anew() -> None:
    def handler(ids: list[int] = []) -> None: ...

    made = binding(handler)
    first, second = made.slow(sample())[0][0], made.slow(sample())[0][0]

    assert first == second == []
    assert first is not second
    assert made.binders is None


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (list[int], [1, 2]),
        (set[int], {1, 2}),
        (frozenset[int], frozenset({1, 2})),
        (tuple[int, ...], (1, 2)),
        (Sequence[int], [1, 2]),
    ],
    ids=str,
)
def test_repeated_values_are_collected_as_annotated(annotation: Any, value: object) -> None:
    def handler(n: Any) -> None: ...

    handler.__annotations__["n"] = annotation

    assert arguments(handler, "n=1&n=2") == ((value,), {})


def test_every_mistake_of_a_request_is_told_at_once() -> None:
    def handler(
        id: Annotated[int, Meta(ge=1)],
        q: str,
        page: int,
        ids: Annotated[list[int], Meta(max_length=1)],
        todo: Todo,
        flag: bool = False,
    ) -> None: ...

    assert refused(
        handler, "page=x&ids=1&ids=y&flag=1&flag=0", body=b'{"title":""}', path_params={"id": "0"}
    ) == [
        (("path", "id"), "too-small"),
        (("query", "q"), "missing"),
        (("query", "page"), "not-an-integer"),
        (("query", "ids", 1), "not-an-integer"),
        (("query", "ids"), "too-long"),
        (("body", "title"), "too-short"),
        (("query", "flag"), "repeated"),
    ]


def test_a_path_that_does_not_convert_leads_nowhere() -> None:
    def handler(id: int) -> None: ...

    with pytest.raises(NotFound):
        arguments(handler, path_params={"id": "x"})


@pytest.mark.parametrize(
    ("body", "headers", "error", "code"),
    [
        (b"{", JSON, BadRequest, "json.malformed"),
        (b'{"title":"\xff"}', JSON, BadRequest, "json.malformed"),
        (b'{"title":' + b"9" * 4301 + b"}", JSON, BadRequest, "json.number-too-long"),
        (b"{}", [], UnsupportedMediaType, "json.wrong-content-type"),
        (b"{}", [("content-type", "text/plain")], UnsupportedMediaType, "json.wrong-content-type"),
        (b"{}", [("content-type", "text/html, application/json")], UnsupportedMediaType, "json.wrong-content-type"),
        (b"{}", JSON, ValidationError, "validation-failed"),
        (b"", JSON, ValidationError, "validation-failed"),
        (b"null", JSON, ValidationError, "validation-failed"),
    ],
    ids=str,
)  # fmt: skip
def test_a_body_that_is_none_has_its_status(
    body: bytes, headers: list[tuple[str, str]], error: type[HTTPError], code: str
) -> None:
    def handler(todo: Todo) -> None: ...

    with pytest.raises(error) as told:
        arguments(handler, body=body, headers=headers)

    assert told.value.code == code


@pytest.mark.parametrize("annotation", [dict[str, Any], Tree, list[Any]], ids=str)
def test_a_deep_body_is_refused_also_natively(annotation: Any) -> None:
    def handler(body: Any) -> None: ...

    handler.__annotations__["body"] = Annotated[annotation, Body()]
    deep = b'{"children":[' * 40 + b"]}" * 40
    if annotation == list[Any]:
        deep = b"[" * 65 + b"]" * 65
    made = binding(handler)

    with pytest.raises(BadRequest) as told:
        made.slow(sample(body=deep, headers=JSON))
    assert told.value.code == "json.too-deep"
    assert made.binders is not None
    with pytest.raises(BadRequest):
        made.binders[0][1](deep)


def test_a_model_of_flat_fields_is_decoded_by_msgspec_alone() -> None:
    def handler(todo: Todo) -> None: ...

    made = binding(handler)

    assert made.binders is not None
    assert type(made.binders[0][1]).__name__ == "builtin_function_or_method"


@pytest.mark.parametrize(
    ("annotation", "body", "value"),
    [
        (Todo, b'{"title":"a"}', Todo("a")),
        (Point, b'{"x":1}', Point(1)),
        (Options, b'{"colour":"red"}', {"colour": "red"}),
        (dict, b'{"a":1}', {"a": 1}),
        (dict[str, int], b'{"a":1}', {"a": 1}),
        (list[Todo], b'[{"title":"a"}]', [Todo("a")]),
        (Annotated[list[int], Body()], b"[1]", [1]),
        (Annotated[Any, Body()], b"[1,null]", [1, None]),
        (Annotated[int, Body(), Meta(ge=1)], b"3", 3),
        (Todo | None, b"", None),
        (Todo | None, b"null", None),
    ],
    ids=str,
)
def test_a_body_may_be_any_model(annotation: Any, body: bytes, value: object) -> None:
    def handler(body: Any) -> None: ...

    handler.__annotations__["body"] = annotation

    assert arguments(handler, body=body, headers=JSON) == ((value,), {})


def test_a_stream_is_handed_over_unread() -> None:
    def handler(body: BodyStream) -> None: ...

    class Chunks:
        length = 3

    made = binding(handler)
    (stream,), _ = made.slow(sample(stream=Chunks()))

    assert made.streams
    assert made.binders is None
    assert isinstance(stream, BodyStream)
    assert stream.length == 3


def test_the_request_needs_no_annotation_when_it_is_called_so() -> None:
    def handler(request) -> None: ...  # type: ignore[no-untyped-def]  # without annotations on purpose

    request = sample()

    assert binding(handler).slow(request) == ((request,), {})


def test_a_handler_that_has_the_request_may_leave_out_path_parameters() -> None:
    def handler(request: Request) -> None: ...

    assert len(binding(handler, id=None).arguments) == 1


def test_a_parameter_of_the_path_without_a_type_is_what_the_converter_gives() -> None:
    def handler(id, name) -> None: ...  # type: ignore[no-untyped-def]  # without annotations on purpose

    made = binding(handler, id=PathParameter(int, "int", int, "int"), name=None)

    assert made.slow(sample(path_params={"id": "7", "name": "x"})) == ((7, "x"), {})


def mistake(handler: Callable[..., Any], **options: Any) -> SignatureError:
    with pytest.raises(SignatureError) as refused_:
        binding(handler, **options)
    assert refused_.value.places[0].line == handler.__code__.co_firstlineno
    assert str(refused_.value).startswith("handler(")
    return refused_.value


class Hidden(Struct):
    key: Secret[str]


INT = PathParameter(int, "int", int, "int")
OWN = PathParameter(Engine, "own", lambda text: Engine())


def test_impossible_signatures_are_refused() -> None:
    def star(*args: str) -> None: ...
    def unknown(x: Engine) -> None: ...
    def several(x: int | str) -> None: ...
    def untyped(x) -> None: ...  # type: ignore[no-untyped-def]  # without annotations on purpose
    def untyped_default(x=1) -> None: ...  # type: ignore[no-untyped-def]  # without annotations on purpose
    def two(a: Todo, b: Point) -> None: ...
    def two_streams(a: Todo, b: BodyStream) -> None: ...
    def own_default(a: Todo = Todo("x")) -> None: ...
    def odd_default(a: int = "x") -> None: ...  # type: ignore[assignment]  # the mistake itself
    def foreign(a: OtherSettings) -> None: ...
    def class_marker(a: Annotated[int, Query]) -> None: ...
    def two_markers(a: Annotated[int, Query(), Body()]) -> None: ...
    def no_path(a: Annotated[int, Path()]) -> None: ...
    def query_object(a: Annotated[Engine, Query()]) -> None: ...
    def no_json(a: Annotated[Engine, Body()]) -> None: ...

    for handler, code in {
        star: "star-parameter",
        unknown: "unknown-type",
        several: "unknown-type",
        untyped: "unannotated",
        untyped_default: "unannotated",
        two: "two-bodies",
        two_streams: "two-bodies",
        own_default: "body-default",
        odd_default: "bad-default",
        foreign: "foreign-settings",
        class_marker: "bad-marker",
        two_markers: "bad-marker",
        no_path: "bad-marker",
        query_object: "text-type",
        no_json: "body-type",
    }.items():
        with pytest.raises(SignatureError) as told:
            binding(handler)
        assert told.value.code == f"binding.{code}"
        assert told.value.remedy


@pytest.mark.parametrize(
    ("marker", "remedies"),
    [
        (
            Form,
            ["x: Form[Model] for a whole form", "x: Annotated[str, Form()] for one field of it"],
        ),
        (File, ["x: UploadFile"]),
        (Depends, ["x: Annotated[Session, Depends(function)]"]),
        (Query, ["x: Annotated[str, Query()]"]),
        (Header, ["x: Annotated[str, Header()]"]),
        (Cookie, ["x: Annotated[str, Cookie()]"]),
        (Body, ["x: Annotated[str, Body()]"]),
        (Path, ["x: Annotated[str, Path()]"]),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_marker_is_no_type(marker: type[Any], remedies: list[str]) -> None:
    def handler(x: str) -> None: ...

    handler.__annotations__["x"] = marker

    error = mistake(handler)

    assert error.code == "binding.unknown-type"
    assert f"x: {marker.__name__} says where a value comes from, and not what it is" in str(error)
    for remedy in remedies:
        assert remedy in (error.remedy or "")


@pytest.mark.parametrize("methods", [["GET"], ["DELETE"], ["POST", "GET"]], ids=str)
def test_a_body_needs_a_method_that_has_one(methods: list[str]) -> None:
    def handler(todo: Todo) -> None: ...
    def streaming(body: BodyStream) -> None: ...

    assert mistake(handler, methods=methods).code == "binding.body-on-get"
    with pytest.raises(SignatureError):
        binding(streaming, methods=methods)


class Keyed(TypedDict):
    title: str


class Shaped(Protocol):
    title: str


def test_the_path_and_the_signature_must_agree() -> None:
    def handler() -> None: ...
    def defaulted(id: int = 1) -> None: ...
    def other(id: str) -> None: ...
    def model(id: Todo) -> None: ...
    def keyed(id: Keyed) -> None: ...
    def shaped(id: Shaped) -> None: ...
    def marked(id: Annotated[int, Query()]) -> None: ...
    def wider(id: float) -> None: ...
    def anything(id: Any) -> None: ...

    assert mistake(handler, id=None).code == "binding.missing-path-parameter"
    for function, parameter, code in [
        (defaulted, None, "default-in-path"),
        (other, INT, "path-type"),
        (model, None, "path-type"),
        (other, OWN, "path-type"),
        (keyed, INT, "path-type"),
        (shaped, INT, "path-type"),
        (marked, None, "bad-marker"),
    ]:
        with pytest.raises(SignatureError) as told:
            binding(function, id=parameter)
        assert told.value.code == f"binding.{code}"
    assert binding(wider, id=INT).slow(sample(path_params={"id": "3"})) == ((3,), {})
    assert isinstance(binding(anything, id=OWN).slow(sample(path_params={"id": ""}))[0][0], Engine)


def test_a_marker_may_say_what_is_so_anyway() -> None:
    def handler(id: Annotated[int, Path()], q: Annotated[str, Query()] = "") -> None: ...

    assert arguments(handler, "q=a", path_params={"id": "3"}) == ((3, "a"), {})


def test_rules_hold_for_what_a_converter_gives() -> None:
    def handler(id: Annotated[int, Meta(ge=5)]) -> None: ...

    made = binding(handler, id=INT)

    assert made.slow(sample(path_params={"id": "5"})) == ((5,), {})
    with pytest.raises(ValidationError) as told:
        made.slow(sample(path_params={"id": "4"}))
    assert [error["code"] for error in told.value.errors] == ["too-small"]


def test_a_slug_keeps_its_rules() -> None:
    def handler(name: Annotated[str, Meta(max_length=2)]) -> None: ...

    made = binding(handler, name=PathParameter(str, "slug", str, "str"))

    assert made.slow(sample(path_params={"name": "ab"})) == (("ab",), {})


def test_a_required_list_is_missed() -> None:
    def handler(ids: list[int]) -> None: ...

    assert refused(handler, "ids=") == [(("query", "ids"), "missing")]


def test_a_model_with_an_unknown_field_type_is_refused() -> None:
    class Unresolved(Struct):
        field: Nowhere  # type: ignore[name-defined]  # noqa: F821 - a name that does not exist, on purpose

    class Unknown(Struct):
        engine: list[Engine]

    def unresolved(body: Any) -> None: ...
    def unknown(body: Any) -> None: ...

    unresolved.__annotations__["body"] = Unresolved
    unknown.__annotations__["body"] = Unknown
    for handler, code in ((unresolved, "unresolved-name"), (unknown, "body-type")):
        with pytest.raises(SignatureError) as told:
            binding(handler)
        assert told.value.code == f"binding.{code}"

    unresolved.__annotations__["body"] = Annotated[Unresolved, Form()]
    with pytest.raises(SignatureError) as told:
        binding(unresolved)
    assert told.value.code == "binding.unresolved-name"


def test_a_stream_that_the_engine_has_read_is_our_own_mistake() -> None:
    def handler(body: BodyStream) -> None: ...

    with pytest.raises(RuntimeError):
        arguments(handler)


@pytest.mark.parametrize("place", [Query(), Header(), Cookie(), Path()], ids=repr)
@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (Annotated[int, Meta(max_length=3)], "max_length is no rule for int"),
        (Annotated[str, Meta(ge=3)], "ge is no rule for str"),
        (Annotated[int, Meta(pattern="a")], "pattern is no rule for int"),
        (Annotated[bool, Meta(ge=1)], "ge is no rule for bool"),
    ],
)
def test_a_rule_that_says_nothing_about_the_type_is_refused(
    place: Any, annotation: Any, words: str
) -> None:
    def handler(x: Any) -> None: ...

    handler.__annotations__["x"] = Annotated[annotation, place]
    in_path: dict[str, Any] = {"x": None} if isinstance(place, Path) else {}

    told = mistake(handler, **in_path)

    assert told.code == "binding.bad-rule"
    assert words in str(told)
    assert told.remedy


def test_rules_of_lists_and_of_their_items_are_told_apart() -> None:
    def handler(x: Any) -> None: ...

    handler.__annotations__["x"] = Annotated[list[Annotated[int, Meta(ge=1)]], Meta(max_length=3)]
    assert binding(handler).arguments

    handler.__annotations__["x"] = list[Annotated[int, Meta(max_length=3)]]
    assert mistake(handler).code == "binding.bad-rule"


def test_a_rule_that_does_not_fit_the_value_of_a_converter_is_refused() -> None:
    def handler(id: Annotated[int, Meta(pattern="a")]) -> None: ...

    assert mistake(handler, id=INT).code == "binding.bad-rule"


def test_a_field_that_no_json_becomes_is_named() -> None:
    def handler(x: Hidden) -> None: ...

    told = mistake(handler)

    assert "Hidden.key: no JSON becomes Secret[str]" in str(told)
    assert told.remedy == "give the field that it names another type"
