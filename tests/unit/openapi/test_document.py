"""What a document says of single routes."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired, TypedDict
from uuid import UUID

import pytest

from kingpost import (
    App,
    Blueprint,
    BodyStream,
    Cookie,
    FileResponse,
    Form,
    Header,
    Html,
    HTTPError,
    Meta,
    MultipartStream,
    NotFound,
    Path,
    Query,
    Redirect,
    Request,
    Response,
    Route,
    Struct,
    UploadFile,
)
from kingpost.errors import ConfigurationError
from kingpost.http import Event, EventStream
from kingpost.http.media import Csv, Json
from kingpost.openapi import OpenAPI, document
from kingpost.routing import Accepts, HasHeader
from kingpost.schema import closed


def operation(app: App, path: str, method: str = "get") -> dict[str, Any]:
    found: dict[str, Any] = document(app)["paths"][path][method]
    return found


def answer(returns: Any, **options: Any) -> dict[str, Any]:
    """The responses of a route with a return annotation."""
    app = App()

    def handler() -> Any: ...

    handler.__annotations__["return"] = returns
    app.get("/", **options)(handler)
    found: dict[str, Any] = operation(app, "/")["responses"]
    return found


def schema_of(kind: Any) -> Any:
    """The schema of a type that is sent."""
    return answer(kind)["200"]["content"]["application/json"]["schema"]


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (int, {"type": "integer"}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (list[UUID], {"type": "array", "items": {"type": "string", "format": "uuid"}}),
        (set[int], {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}),
        (Annotated[float, Meta(gt=0, lt=1)], {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
        (list[datetime | None], {"type": "array", "items": {"type": ["string", "null"], "format": "date-time"}}),
        (dict[date, timedelta], {
            "type": "object",
            "propertyNames": {"type": "string", "format": "date"},
            "additionalProperties": {"type": "string", "format": "duration"},
        }),
        (tuple[int, bool], {
            "type": "array",
            "prefixItems": [{"type": "integer"}, {"type": "boolean"}],
            "items": False,
            "minItems": 2,
            "maxItems": 2,
        }),
        (list[Literal["a", 1]], {"type": "array", "items": {"enum": ["a", 1]}}),
        (Annotated[list[bytes], Meta(max_length=3)], {
            "type": "array",
            "items": {"type": "string", "contentEncoding": "base64"},
            "maxItems": 3,
        }),
    ],
    ids=str,
)  # fmt: skip
def test_types_become_json_schema(kind: Any, schema: Any) -> None:
    assert schema_of(kind) == schema


def test_a_decimal_is_text_that_looks_like_one() -> None:
    schema = schema_of(list[Decimal])["items"]

    assert (schema["type"], schema["format"]) == ("string", "decimal")
    assert "pattern" in schema


@pytest.mark.parametrize(
    ("returns", "contents"),
    [
        (str, {"200": ["text/plain"]}),
        (Html, {"200": ["text/html"]}),
        (bytes, {"200": ["application/octet-stream"]}),
        (None, {"204": []}),
        (Response[None], {"200": []}),
        (Response[dict[str, int]], {"200": ["application/json"]}),
        (Response[str], {"200": ["*/*"]}),
        (Any, {"200": ["*/*"]}),
        (str | None, {"200": ["text/plain", "application/json"]}),
        (Iterator[str], {"200": ["text/plain"]}),
        (AsyncIterator[bytes], {"200": ["application/octet-stream"]}),
        (Iterator[int], {"200": ["application/x-ndjson"]}),
        (Iterator[Event[int]], {"200": ["text/event-stream"]}),
        (AsyncIterator[Event[int] | Event[str]], {"200": ["text/event-stream"]}),
        (EventStream[int], {"200": ["text/event-stream"]}),
        (FileResponse, {"200": ["*/*"], "206": ["*/*"], "304": [], "416": []}),
    ],
    ids=str,
)
def test_answers_by_the_annotation(returns: Any, contents: Any) -> None:
    found = answer(returns)

    assert {status: list(each.get("content", {})) for status, each in found.items()} == contents


def test_only_values_are_given_in_several_formats() -> None:
    found = answer(
        list[dict[str, str]] | Redirect | FileResponse,
        formats=[Json(), Csv()],
    )

    assert {status: [*found[status].get("content", {})] for status in found} == {
        "200": ["application/json", "text/csv"],
        "206": ["*/*"],
        "303": [],
        "304": [],
        "406": [],
        "416": [],
    }


@pytest.mark.parametrize(
    ("returns", "data"),
    [
        (EventStream[str], {"type": "string"}),
        (EventStream[Event[Any]], {"type": "string"}),
        (
            Iterator[Event[int]],
            {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"type": "integer"},
            },
        ),
        (
            Iterator[Event[str] | Event[bool]],
            {
                "anyOf": [
                    {"type": "string"},
                    {
                        "type": "string",
                        "contentMediaType": "application/json",
                        "contentSchema": {"type": "boolean"},
                    },
                ]
            },
        ),
    ],
)
def test_the_data_of_an_event_is_text_or_text_that_holds_json(returns: Any, data: Any) -> None:
    event = answer(returns)["200"]["content"]["text/event-stream"]["x-itemSchema"]

    assert event["properties"]["data"] == data


def test_a_status_of_ones_own() -> None:
    assert list(answer(int, status=201)) == ["201"]
    assert answer(int, status=201)["201"]["description"] == "Created"
    assert list(answer(None, status=202)) == ["202"]


def test_a_constant_answer_is_what_it_is() -> None:
    app = App(routes=[Route("/ping", Response("pong", status=203, media_type="text/x-pong"))])

    found = operation(app, "/ping")["responses"]

    assert found["203"]["content"] == {"text/x-pong": {"schema": {"type": "string"}}}


def test_paths_say_what_their_converters_take() -> None:
    app = App()

    @app.get("/{id:int}/{name:slug}/{day:date}/{month:date(%Y-%m)}/{word}/{rest:path}")
    def show(  # noqa: PLR0917 - one of each
        id: int,
        name: str,
        day: date,
        month: date,
        word: Annotated[str, Path(description="Any word.")],
        rest: str,
    ) -> str:
        return ""

    (path,) = document(app)["paths"]
    found = {each["name"]: each for each in operation(app, path)["parameters"]}

    assert path == "/{id}/{name}/{day}/{month}/{word}/{rest}"
    assert found["id"]["schema"] == {"type": "integer"}
    assert found["name"]["schema"]["pattern"] == "^[A-Za-z0-9_-]+$"
    assert found["day"]["schema"]["format"] == "date"
    assert found["month"]["schema"] == {"type": "string"}
    assert found["word"]["description"] == "Any word."
    assert found["word"]["schema"] == {"type": "string", "minLength": 1}
    assert found["rest"]["description"] == "The rest of the path, slashes included."
    assert all(each["required"] for each in found.values())


def test_a_parameter_of_the_path_that_only_the_request_has() -> None:
    app = App()

    @app.get("/{id:int}")
    def show(request: Request) -> str:
        return ""

    assert operation(app, "/{id}")["parameters"][0]["schema"] == {"type": "integer"}


class Filter(Struct):
    size: int
    name: str | None = None


def test_parameters_of_every_place() -> None:
    app = App()

    @app.get("/")
    def find(  # noqa: PLR0917 - one of each
        filter: Annotated[Filter, Query()],
        spaced: Annotated[list[int], Query(separator=" ")],
        odd: Annotated[list[int], Query(separator=";")],
        x_ids: Annotated[list[int], Header()],
        accept: Annotated[str, Header()],
        theme: Annotated[Literal["dark", "light"], Cookie(description="The colours.")] = "dark",
        since: Annotated[
            date | None, Meta(description="From here on.", examples=["2026-01-31"])
        ] = None,
    ) -> str:
        return ""

    found = {each["name"]: each for each in operation(app, "/")["parameters"]}

    assert list(found) == ["filter", "spaced", "odd", "x-ids", "theme", "since"]
    assert (found["filter"]["style"], found["filter"]["required"]) == ("deepObject", True)
    assert (found["spaced"]["style"], found["spaced"]["explode"]) == ("spaceDelimited", False)
    assert found["odd"]["schema"] == {"type": "string"}
    assert "style" not in found["x-ids"]
    assert found["theme"]["description"] == "The colours."
    assert found["theme"]["schema"]["default"] == "dark"
    assert found["since"]["description"] == "From here on."
    assert found["since"]["schema"] == {
        "type": "string",
        "format": "date",
        "examples": ["2026-01-31"],
    }


def test_bodies() -> None:
    app = App()

    @app.post("/optional")
    def optional(filter: Filter | None = None) -> str:
        return ""

    @app.post("/form")
    def form(form: Form[Filter]) -> str:
        return ""

    @app.post("/stream")
    async def stream(body: BodyStream) -> str:
        return ""

    @app.post("/parts")
    async def parts(body: MultipartStream) -> str:
        return ""

    @app.post("/closed")
    def strict(filter: Annotated[Filter, closed]) -> str:
        return ""

    @app.post("/open")
    def lax(filter: Filter) -> str:
        return ""

    described = document(app)
    optional_body = operation(app, "/optional", "post")["requestBody"]
    filled = operation(app, "/form", "post")

    assert "required" not in optional_body
    assert list(filled["requestBody"]["content"]) == [
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ]
    # Its handler is called with what is wrong.
    assert "422" not in filled["responses"]
    assert list(operation(app, "/stream", "post")["requestBody"]["content"]) == ["*/*"]
    assert list(operation(app, "/stream", "post")["responses"]) == ["200", "413"]
    assert list(operation(app, "/parts", "post")["requestBody"]["content"]) == [
        "multipart/form-data"
    ]
    assert described["components"]["schemas"]["FilterClosed"]["additionalProperties"] is False
    assert "additionalProperties" not in described["components"]["schemas"]["Filter"]


class Album(Struct):
    title: str
    cover: UploadFile
    pages: Annotated[list[UploadFile], Meta(max_length=9)]
    sleeve: UploadFile | None = None


def test_a_form_of_a_class_with_files_is_multipart_and_has_them_as_binary() -> None:
    app = App()

    @app.post("/one")
    def one(album: Annotated[Album, Form()]) -> str:
        return ""

    @app.post("/shown")
    def shown(album: Form[Album]) -> str:
        return ""

    @app.post("/beside")
    def beside(album: Annotated[Album, Form()], receipt: UploadFile) -> str:
        return ""

    album = document(app)["components"]["schemas"]["Album"]
    binary = {
        "type": "string",
        "format": "binary",
        "contentMediaType": "application/octet-stream",
    }

    for path in ("/one", "/shown", "/beside"):
        assert list(operation(app, path, "post")["requestBody"]["content"]) == [
            "multipart/form-data"
        ]
    assert album["properties"] == {
        "title": {"type": "string"},
        "cover": binary,
        "pages": {"type": "array", "items": binary, "maxItems": 9},
        "sleeve": {**binary, "type": ["string", "null"], "default": None},
    }
    assert album["required"] == ["title", "cover", "pages"]
    assert "422" not in operation(app, "/shown", "post")["responses"]
    assert "422" in operation(app, "/one", "post")["responses"]


class Tree(Struct):
    name: str
    children: list[Tree] = []  # noqa: RUF012 - a Struct copies it
    note: str = ""


def test_what_is_read_and_what_is_sent_have_two_names_where_they_differ() -> None:
    app = App()

    @app.post("/")
    def grow(tree: Tree) -> Tree:
        return tree

    schemas = document(app)["components"]["schemas"]

    assert schemas["Tree"]["required"] == ["name", "children", "note"]
    assert schemas["TreeInput"]["required"] == ["name"]
    assert schemas["Tree"]["properties"]["children"]["items"]["$ref"].endswith("/Tree")
    assert schemas["TreeInput"]["properties"]["children"]["items"]["$ref"].endswith("/TreeInput")


class Options(TypedDict):
    width: int
    height: NotRequired[int]


def test_they_have_one_name_where_they_do_not() -> None:
    app = App()

    @app.post("/")
    def same(options: Options) -> Options:
        return options

    schemas = document(app)["components"]["schemas"]

    assert "OptionsInput" not in schemas
    assert schemas["Options"]["required"] == ["width"]


def test_two_classes_of_one_name_are_told_apart() -> None:
    first: Any = type("Item", (Struct,), {"__annotations__": {"a": int}, "__module__": "shop.web"})
    second: Any = type(
        "Item", (Struct,), {"__annotations__": {"b": int}, "__module__": "shop.admin"}
    )
    app = App()

    def one() -> Any: ...
    def two() -> Any: ...

    one.__annotations__["return"], two.__annotations__["return"] = first, second
    app.get("/one")(one)
    app.get("/two")(two)

    assert list(document(app)["components"]["schemas"]) == ["admin.Item", "web.Item"]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


def test_an_enum_is_a_schema_of_its_own() -> None:
    app = App()

    @app.get("/{colour}")
    def paint(colour: Colour) -> str:
        return ""

    assert document(app)["components"]["schemas"]["Colour"] == {
        "type": "string",
        "enum": ["red", "blue"],
    }


def test_operation_ids_come_from_names() -> None:
    app = App()
    shop = Blueprint("shop", prefix="/shop")

    @shop.route("/", methods=["GET", "POST"])
    def items() -> str:
        return ""

    app.include(shop)
    app.add_route("/todos/{id:int}", lambda request: "")

    described = document(app)["paths"]

    assert described["/shop/"]["get"]["operationId"] == "shop.items.get"
    assert described["/shop/"]["post"]["operationId"] == "shop.items.post"
    assert described["/shop/"]["get"]["tags"] == ["shop"]
    assert described["/todos/{id}"]["get"]["operationId"] == "get_todos_id"


def test_paths_that_differ_by_a_name_only_are_one() -> None:
    app = App()

    @app.get("/todos/{id:int}")
    def show(id: int) -> int:
        return id

    @app.delete("/todos/{todo:int}")
    def remove(todo: int) -> None: ...

    described = document(app)["paths"]

    assert list(described) == ["/todos/{id}"]
    assert described["/todos/{id}"]["delete"]["parameters"][0]["name"] == "id"


def test_routes_that_differ_by_what_the_client_wants_are_one_operation() -> None:
    app = App()

    @app.get("/", when=Accepts("text/html"))
    def page() -> Html:
        return Html("")

    @app.get("/", when=Accepts("application/json"))
    def data(size: int) -> int:
        return size

    @app.get("/", when=HasHeader("HX-Request", "true"), name="part")
    def part() -> Html:
        return Html("")

    found = operation(app, "/")

    assert found["operationId"] == "page"
    assert set(found["responses"]["200"]["content"]) == {"text/html", "application/json"}
    assert "406" in found["responses"]
    assert {each["name"]: each.get("required", False) for each in found["parameters"]} == {
        "size": False,
        "hx-request": False,
    }


def test_hosts_are_servers() -> None:
    app = App()

    @app.get("/", hosts=["{tenant}.example.org"])
    def home(tenant: str) -> str:
        return tenant

    assert operation(app, "/")["servers"] == [
        {"url": "https://{tenant}.example.org", "variables": {"tenant": {"default": "tenant"}}}
    ]


class Sorry(Struct):
    sorry: str


def test_error_handlers_say_what_an_error_looks_like() -> None:
    app = App()

    @app.error(NotFound)
    def not_found(request: Request, error: NotFound) -> Sorry:
        return Sorry("")

    @app.get("/", errors=[NotFound, HTTPError])
    def home() -> str:
        return ""

    found = operation(app, "/")["responses"]

    assert list(found) == ["200", "404", "500"]
    assert list(found["404"]["content"]) == ["application/json"]
    assert list(found["500"]["content"]) == ["application/problem+json"]


def test_a_timeout_is_an_answer() -> None:
    app = App()

    @app.get("/", timeout=1)
    async def home() -> str:
        return ""

    assert list(operation(app, "/")["responses"]) == ["200", "503"]


class TooFar(HTTPError):
    """There is no way there."""

    status = 414
    code = "too-far"


def test_what_the_server_finds_too_long_is_an_answer_where_it_can_be() -> None:
    app = App()

    @app.get("/", name="plain")
    def plain() -> str:
        return ""

    @app.get("/{id:int}")
    def of_path(id: int) -> str:
        return ""

    @app.get("/query")
    def of_query(q: Annotated[str, Meta(max_length=5)] = "") -> str:
        return ""

    @app.get("/header")
    def of_header(x_trace: Annotated[str, Header()] = "") -> str:
        return ""

    @app.get("/cookie")
    def of_cookie(theme: Annotated[str, Cookie()] = "") -> str:
        return ""

    @app.get("/secure")
    def of_security(authorization: Annotated[str, Header()] = "") -> str:
        return ""

    @app.post("/form")
    def of_form(name: Annotated[str, Form()]) -> str:
        return ""

    @app.error(HTTPError)
    def sorry(request: Request, error: HTTPError) -> Sorry:
        return Sorry("")

    @app.get("/own/{x}", errors=[TooFar])
    def own(x: str) -> str:
        return ""

    found = {
        path: {status for status in each["responses"] if status in ("414", "431")}
        for path, item in document(app)["paths"].items()
        for each in item.values()
    }
    assert found == {
        "/": set(),
        "/{id}": {"414"},
        "/query": {"414"},
        "/header": {"431"},
        "/cookie": {"431"},
        "/secure": {"431"},
        "/form": {"431"},
        "/own/{x}": {"414"},
    }
    # No error handler is asked about a request that has no route yet.
    shared = {"$ref": "#/components/responses/URITooLong"}
    assert operation(app, "/query")["responses"]["414"] == shared
    both = operation(app, "/own/{x}")["responses"]["414"]
    assert both["description"] == "There is no way there."
    assert set(both["content"]) == {"application/json", "application/problem+json"}


def test_an_amendment_is_merged_and_none_takes_out() -> None:
    app = App()

    @app.get(
        "/", openapi={"summary": "S", "x-own": {"a": 1}, "responses": {"200": {"content": None}}}
    )
    def home() -> str:
        return ""

    found = operation(app, "/")

    assert (found["summary"], found["x-own"]) == ("S", {"a": 1})
    assert found["responses"]["200"] == {"description": "OK"}


def test_an_amendment_that_is_no_json_is_refused() -> None:
    app = App()

    @app.get("/", openapi={"x-own": object()})
    def home() -> str:
        return ""

    with pytest.raises(ConfigurationError, match="holds what JSON cannot") as refused:
        document(app)

    assert refused.value.code == "openapi.not-json"


def test_an_extension_that_puts_in_what_is_no_json_is_named() -> None:
    app = App()

    @app.extensions.openapi
    def spoil(document: dict[str, Any]) -> None:
        document["x"] = float("nan")

    with pytest.raises(ConfigurationError, match="spoil has put into the document"):
        document(app)


def test_servers_are_those_of_the_plugin() -> None:
    app = App()
    app.install(OpenAPI(servers=["https://api.example.org", {"url": "/v1", "description": "Old."}]))

    assert document(app)["servers"] == [
        {"url": "https://api.example.org"},
        {"url": "/v1", "description": "Old."},
    ]


class Listed(Struct):
    """Has a list.

    - one
    - two
    """

    name: str


def test_the_docstring_of_a_class_keeps_its_lines() -> None:
    app = App()

    @app.post("/")
    def put(listed: Listed) -> None: ...

    found = document(app)["components"]["schemas"]["Listed"]["description"]

    assert found == "Has a list.\n\n- one\n- two"
