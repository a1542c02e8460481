"""Which media type a client gets of what a handler returned."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from kingpost import App, Blueprint, Body, CallNext, Html, Redirect, Request, Response, Struct
from kingpost.app.compile import compile_app
from kingpost.errors import NotAcceptable
from kingpost.http.media import Csv, Format, Json, MessagePack
from kingpost.openapi import document
from kingpost.templates import Template, Templates
from kingpost.testing import TestClient

PACKED = {"accept": "application/msgpack"}


class Place(Struct):
    name: str


class Wider(Place):
    more: str = "never sent"


def page(place: Place) -> Html:
    return Html.format("<p>{}</p>", place.name)


def asked(app: App, path: str = "/", **headers: str) -> Any:
    with TestClient(app) as client:
        return client.get(path, headers=headers)


def with_codec(handler: Any, **options: Any) -> App:
    app = App()
    app.extensions.codec(MessagePack())
    app.get("/", **options)(handler)
    return app


def def_handler() -> Place:
    return Place("Rome")


async def async_handler() -> Place:
    return Place("Rome")


@pytest.mark.parametrize(
    ("handler", "options"),
    [(def_handler, {}), (async_handler, {}), (def_handler, {"inline": True})],
    ids=["def", "async def", "inline"],
)
def test_handlers_of_every_colour(handler: Any, options: dict[str, Any]) -> None:
    app = App()
    app.get("/place", formats=[Json(), Format("text/html", "html", page)], **options)(handler)

    assert asked(app, "/place").json() == {"name": "Rome"}
    assert asked(app, "/place.html").text == "<p>Rome</p>"


def test_fields_are_left_out_whatever_the_format() -> None:
    def wider() -> Place:
        return Wider("Rome")

    assert msgspec.msgpack.decode(asked(with_codec(wider), **PACKED).content) == {"name": "Rome"}


@pytest.mark.parametrize(
    "value",
    ["text", b"bytes", Html("<p>"), Response("text"), Response({}, media_type="application/x-y")],
    ids=repr,
)
def test_what_is_no_json_stays_what_it_is(value: Any) -> None:
    def handler() -> Any:
        return value

    plain = App()
    plain.get("/")(handler)

    answer = asked(with_codec(handler), **PACKED)

    assert answer.headers["content-type"] == asked(plain).headers["content-type"]
    assert "vary" not in answer.headers


@pytest.mark.parametrize(
    "returns", [str, bytes, Html, None, Redirect, AsyncIterator[dict[str, int]]]
)
def test_routes_that_give_no_json_are_left_alone(returns: Any) -> None:
    def handler() -> Any: ...

    handler.__annotations__["return"] = returns
    assert compile_app(with_codec(handler), mode="production").routes[0].formats is None


def test_without_codecs_and_formats_nothing_is_put_around_a_handler() -> None:
    app = App()
    app.get("/")(async_handler)
    (route,) = compile_app(app, mode="production").routes

    assert route.formats is None
    assert route.served.function is async_handler
    assert route.served.program is None


def test_streams_stay_streams() -> None:
    async def lines() -> AsyncIterator[dict[str, int]]:
        yield {"a": 1}

    def made() -> Any:
        return iter([{"a": 1}])

    for handler in (lines, made):
        assert asked(with_codec(handler), **PACKED).text == '{"a":1}\n'


def test_a_client_that_accepts_nothing_of_it_changes_nothing() -> None:
    called: list[str] = []

    def known() -> Place:
        called.append("known")
        return Place("Rome")

    def unknown() -> Any:
        called.append("unknown")
        return "text"

    assert asked(with_codec(known), accept="image/png").status == 406
    assert called == []
    # What it will be, nobody could know.
    assert asked(with_codec(unknown), accept="image/png").text == "text"


def test_what_was_set_on_a_response_stays() -> None:
    app = App()

    @app.get("/place", formats=[Json(), Format("text/html", "html", shown_by_response)])
    def place() -> Response[Place]:
        response = Response(Place("Rome"), status=203, headers={"x-a": "1", "vary": "cookie"})
        return response.set_cookie("seen", "yes")

    for accept in ("application/json", "text/html"):
        answer = asked(app, "/place", accept=accept)
        assert (answer.status, answer.headers["x-a"]) == (203, "1")
        assert "seen=yes" in answer.headers["set-cookie"]
        assert "cookie" in answer.headers["vary"]
        assert "accept" in answer.headers["vary"]


def shown_by_response(place: Place) -> Response[Html]:
    return Response(page(place))


def shown_by_template(place: Place) -> Template:
    return Template("place.html", place=place)


def test_templates_are_rendered(tmp_path: Path) -> None:
    tmp_path.joinpath("place.html").write_text("<h1>{{ place.name }}</h1>")
    app = App()
    app.install(Templates(tmp_path))
    formats = [Json(), Format("text/html", "html", shown_by_template)]
    app.get("/def", formats=formats)(def_handler)
    app.get("/async", name="other", formats=formats)(async_handler)

    for path in ("/def", "/async"):
        answer = asked(app, path, accept="text/html")
        assert answer.text == "<h1>Rome</h1>"
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["vary"] == "accept"
        assert asked(app, f"{path}.html").text == "<h1>Rome</h1>"
        assert asked(app, path).json() == {"name": "Rome"}


def test_middleware_and_hooks_see_what_is_sent() -> None:
    app = with_codec(def_handler)
    seen: list[tuple[Any, Any]] = []

    @app.middleware
    async def look(request: Request, call_next: CallNext) -> Response[Any]:
        response = await call_next(request)
        seen.append((response.headers["content-type"], response.body))
        return response

    asked(app, **PACKED)

    assert seen == [("application/msgpack", b"\x81\xa4name\xa4Rome")]


def test_a_head_and_a_mistake() -> None:
    app = App()

    @app.get("/rows", formats=[Json(), Csv()])
    def rows() -> list[str]:
        return ["no object"]

    with TestClient(app) as client:
        assert client.head("/rows", headers={"accept": "application/json"}).status == 200
        with pytest.raises(Exception, match="has no form for: a row of CSV has named fields"):
            client.get("/rows.csv")


LARGE = 2**64


@pytest.mark.parametrize(
    ("accept", "status", "media_type"),
    [
        ("application/msgpack", 406, "application/problem+json"),
        ("application/msgpack, application/json;q=0", 406, "application/problem+json"),
        ("application/msgpack, application/json;q=0.1", 200, "application/json"),
        ("application/msgpack, */*;q=0.5", 200, "application/json"),
        ("application/msgpack, application/x-wide;q=0.9, */*;q=0.5", 200, "application/json"),
        ("application/json", 200, "application/json"),
    ],
)
@pytest.mark.parametrize("colour", ["def", "async def"])
def test_a_value_that_a_format_cannot_hold_is_given_in_the_next(
    colour: str, accept: str, status: int, media_type: str
) -> None:
    app = App()
    app.extensions.codec(MessagePack())
    app.extensions.codec(MessagePack(media_type="application/x-wide"))

    def echo(numbers: Annotated[list[int], Body()]) -> Response[list[int]]:
        return Response(numbers, headers={"x-a": "1"})

    async def echo_on_the_loop(
        numbers: Annotated[list[int], Body()],
    ) -> Response[list[int]]:
        return Response(numbers, headers={"x-a": "1"})

    app.post("/")(echo if colour == "def" else echo_on_the_loop)
    with TestClient(app) as client:
        small = client.post("/", json=[LARGE - 1], headers={"accept": accept})
        answer = client.post("/", json=[LARGE], headers={"accept": accept})

    assert small.status == 200
    assert (answer.status, answer.headers["content-type"]) == (status, media_type)
    assert answer.headers.get_all("vary") == ["accept"]
    if status == 200:
        assert answer.json() == [LARGE]
        assert answer.headers["x-a"] == "1"
    else:
        assert answer.json()["detail"].startswith(
            "application/msgpack has no form for this answer; there is application/json"
        )


def test_where_a_path_asks_for_what_cannot_hold_the_value_there_is_nothing_else() -> None:
    app = App()

    @app.get("/{number}", formats=[Json(), MessagePack()])
    def number(number: int) -> dict[str, int]:
        return {"number": number}

    assert asked(app, f"/{LARGE - 1}.msgpack").status == 200
    assert asked(app, f"/{LARGE}", **PACKED).status == 406
    answer = asked(app, f"/{LARGE}.msgpack")
    assert answer.json()["detail"] == "application/msgpack has no form for this answer"
    assert answer.status == 406


def test_providers_hear_of_an_answer_that_cannot_be_given() -> None:
    heard: list[str] = []

    class Session: ...

    def session() -> Iterator[Session]:
        try:
            yield Session()
        except NotAcceptable as error:
            heard.append(error.__notes__[0])
            raise

    def large(session: Session) -> dict[str, int]:
        return {"n": LARGE}

    # Annotations name what stands in this function.
    session.__annotations__["return"] = Iterator[Session]
    large.__annotations__["session"] = Session
    app = with_codec(large)
    app.provide(session)

    assert asked(app, **PACKED).status == 406
    assert len(heard) == 1
    assert heard[0].startswith("application/msgpack: can't serialize ints")


def test_what_no_format_could_hold_is_a_mistake_of_the_handler() -> None:
    def text() -> dict[str, str]:
        return {"name": "\ud800"}

    with (
        TestClient(with_codec(text)) as client,
        pytest.raises(Exception, match="application/msgpack has no form for: 'utf-8' codec"),
    ):
        client.get("/", headers=PACKED)


def test_what_is_not_as_it_is_annotated_is_told_in_every_format() -> None:
    def wrong() -> Place:
        return {"title": 5}  # type: ignore[return-value]  # on purpose

    with (
        TestClient(with_codec(wrong)) as client,
        pytest.raises(Exception, match=r"returned dict, which is not what it is annotated with"),
    ):
        client.get("/", headers=PACKED)


def test_codecs_of_a_mounted_app_are_its_own_and_those_around_it() -> None:
    class Other(MessagePack):
        extension = "other"

    inner = with_codec(def_handler)
    app = App()
    app.extensions.codec(Other(media_type="application/x-other"))
    app.get("/outer")(def_handler)
    app.mount("/inner", inner)

    assert asked(app, "/inner/", **PACKED).headers["content-type"] == "application/msgpack"
    assert asked(app, "/inner/", accept="application/x-other").status == 200
    assert asked(app, "/outer", accept="application/x-other").status == 200
    assert asked(app, "/outer", **PACKED).status == 406


@pytest.mark.parametrize("path", ["/", "/all/", "/files/{rest:path}"])
def test_nothing_can_stand_behind_some_paths(path: str) -> None:
    app = App()

    def handler(request: Request) -> Place:
        return Place("Rome")

    app.get(path, formats=[Json(), Csv()])(handler)

    assert len(compile_app(app, mode="production").routes) == 1


def test_blueprints_and_parameters() -> None:
    group = Blueprint("places", prefix="/places")

    @group.get("/{name}", formats=[Json(), Format("text/html", "html", page)])
    def show(name: str, request: Request) -> Place:
        return Place(f"{name} {request.url_for('.show.html', name=name)}")

    app = App()
    app.include(group)

    assert asked(app, "/places/a.b.html").text == "<p>a.b /places/a.b.html</p>"
    assert asked(app, "/places/a.csv").json()["name"].startswith("a.csv ")
    assert app.url_for("places.show.html", name="x") == "/places/x.html"


def test_what_the_document_says() -> None:
    app = with_codec(def_handler)

    @app.post("/places", formats=[Csv(), Format("text/html", "html", page)])
    def add(place: Place) -> Place:
        return place

    paths = document(app)["paths"]
    assert list(paths) == ["/", "/places"]
    place = {"schema": {"$ref": "#/components/schemas/Place"}}
    assert paths["/"]["get"]["responses"]["200"]["content"] == {
        "application/json": place,
        "application/msgpack": place,
    }
    assert "406" in paths["/"]["get"]["responses"]
    assert list(paths["/places"]["post"]["requestBody"]["content"]) == [
        "application/json",
        "application/msgpack",
    ]
    assert paths["/places"]["post"]["responses"]["200"]["content"] == {
        "text/csv": place,
        "text/html": {"schema": {"type": "string"}},
    }


def test_what_explain_says() -> None:
    app = App()
    app.get("/place", formats=[Json(), Format("text/html", "html", page)])(def_handler)
    text = compile_app(app, mode="production").explain("/place")

    assert "application/json or text/html, as the client accepts it" in text
    assert "kingpost_request" not in text.partition("program:")[0]
