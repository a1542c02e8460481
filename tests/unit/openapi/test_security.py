"""What a document says of who may ask."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from kingpost import App, Cookie, Depends, Header, Response, Struct, Unauthorized
from kingpost.openapi import document
from kingpost.routing import HasQuery

BEARER = {"type": "http", "scheme": "bearer"}
BASIC = {"type": "http", "scheme": "basic"}
KEY = {"type": "apiKey", "in": "header", "name": "x-api-key"}
SESSION = {"type": "apiKey", "in": "cookie", "name": "session"}

Token: Any = Annotated[str, Header("Authorization")]
Key: Any = Annotated[str, Header("X-Api-Key", security="apiKey")]
Session: Any = Annotated[str, Cookie(security="apiKey")]


class User(Struct):
    name: str


class Fields(Struct):
    authorization: str
    x_trace: str = ""


def handler(**annotations: Any) -> Any:
    """A handler with parameters; those that may be left out are told by `| None`."""

    names = ", ".join(annotations)
    made: dict[str, Any] = {}
    exec(f"def handler({names}): ...", made)  # noqa: S102 - names of our own
    made["handler"].__annotations__ = annotations | {"return": None}
    return made["handler"]


def described(app: App) -> tuple[Any, Any, list[str]]:
    """The ways of the one operation, the schemes, and the names of its parameters."""
    whole = document(app)
    assert [each.message for each in OpenAPIV31SpecValidator(whole).iter_errors()] == []
    operation = whole["paths"]["/"]["get"]
    schemes = whole.get("components", {}).get("securitySchemes")
    names = [each["name"] for each in operation.get("parameters", [])]
    return operation.get("security"), schemes, names


READ: list[tuple[dict[str, Any], Any, Any]] = [
    ({"authorization": Annotated[str, Header()]}, [{"bearer": []}], {"bearer": BEARER}),
    ({"token": Token}, [{"bearer": []}], {"bearer": BEARER}),
    ({"token": Token | None}, [{"bearer": []}, {}], {"bearer": BEARER}),
    (
        {"authorization": Annotated[str, Header(security="basic")]},
        [{"basic": []}],
        {"basic": BASIC},
    ),
    ({"fields": Annotated[Fields, Header()]}, [{"bearer": []}], {"bearer": BEARER}),
    ({"key": Key}, [{"header_x-api-key": []}], {"header_x-api-key": KEY}),
    ({"session": Session}, [{"cookie_session": []}], {"cookie_session": SESSION}),
    (
        {"token": Token, "key": Key},
        [{"bearer": [], "header_x-api-key": []}],
        {"bearer": BEARER, "header_x-api-key": KEY},
    ),
    (
        {"token": Token | None, "session": Session | None},
        [{"bearer": []}, {"cookie_session": []}, {}],
        {"bearer": BEARER, "cookie_session": SESSION},
    ),
    (
        {"token": Token, "session": Session | None},
        [{"bearer": [], "cookie_session": []}, {"bearer": []}],
        {"bearer": BEARER, "cookie_session": SESSION},
    ),
    ({"first": Token | None, "second": Token}, [{"bearer": []}], {"bearer": BEARER}),
]


@pytest.mark.parametrize(("annotations", "ways", "schemes"), READ)
def test_who_reads_what_says_who_asks(annotations: Any, ways: Any, schemes: Any) -> None:
    app = App()
    app.get("/")(handler(**annotations))

    found, known, names = described(app)

    assert found == ways
    assert known == schemes
    assert not set(names) & {"authorization", "x-api-key", "session"}


@pytest.mark.parametrize(
    "annotations",
    [
        {"x_api_key": Annotated[str, Header()]},
        {"session": Annotated[str, Cookie()]},
        {"authorization": str},
        {"authorization": Annotated[str, Cookie()]},
    ],
)
def test_nothing_else_is_a_key_by_itself(annotations: Any) -> None:
    app = App()
    app.get("/")(handler(**annotations))

    ways, schemes, names = described(app)

    assert (ways, schemes, len(names)) == (None, None, 1)


@pytest.mark.parametrize("by", ["type", "Depends", "hook"])
def test_providers_and_hooks_ask_for_the_routes_that_need_them(by: str) -> None:
    app = App()

    def user(token: Annotated[str, Header("authorization")]) -> User:
        return User(token)

    def check(token: Annotated[str, Header("authorization")]) -> None: ...

    app.provide(user)
    wanted = Annotated[Any, Depends(user)] if by == "Depends" else User
    show = handler() if by == "hook" else handler(user=wanted)
    app.get("/", before=[check] if by == "hook" else [])(show)
    app.get("/open")(handler())

    assert described(app)[0] == [{"bearer": []}]
    assert "security" not in document(app)["paths"]["/open"]["get"]


def test_a_route_that_answers_401_asks_everybody() -> None:
    app = App()
    app.get("/", errors=[Unauthorized])(handler(token=Token | None, key=Key | None))

    assert described(app)[0] == [{"bearer": []}, {"header_x-api-key": []}]


def test_of_two_routes_that_are_one_operation_either_way_will_do() -> None:
    app = App()
    app.get("/", when=HasQuery("v"))(handler(token=Token))
    app.get("/")(handler())

    assert described(app)[0] in ([{"bearer": []}, {}], [{}, {"bearer": []}])


def test_the_route_says_otherwise() -> None:
    app = App()
    app.get("/", openapi={"security": []})(handler(token=Token))

    assert described(app)[0] == []


def test_a_response_has_no_part_in_it() -> None:
    app = App()

    @app.get("/")
    def show() -> Response[str]:
        return Response("x", headers={"authorization": "x"})

    assert described(app)[:2] == (None, None)
