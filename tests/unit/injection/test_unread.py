"""Classes that no request may fill, wherever in a type they stand."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Generic, TypedDict, TypeVar

import pydantic
import pytest

from kingpost import App, Body, Form, Header, Query, Struct
from kingpost.app.compile import compile_app
from kingpost.errors import ConfigurationError
from kingpost.injection import never_read
from kingpost.injection.unread import unread
from kingpost.testing import TestClient

T = TypeVar("T")


class User(Struct):
    name: str


class Admin(User):
    level: int = 0


class Cat(Struct, tag=True):
    name: str


class Dog(Struct, tag=True):
    owner: User


class Order(Struct):
    text: str
    owner: User


class Box(Struct, Generic[T]):
    inside: T


class Tree(Struct):
    text: str
    below: list[Tree]
    planted_by: User | None = None


class Leaf(Struct):
    text: str
    below: list[Leaf]


@dataclass
class Row:
    orders: list[Order]


class Keys(TypedDict):
    owner: User


class Colour(Enum):
    RED = "red"


class Painted(Struct):
    colour: Colour


class Foreign(pydantic.BaseModel):
    colour: Colour


@pytest.fixture
def app() -> App:
    app = App()

    @app.provide
    def user() -> User:
        return User("ann")

    @app.provide
    def colour() -> Colour:
        return Colour.RED

    return app


def post(app: App, annotation: Any) -> None:
    def send(what: Any) -> str:
        return type(what).__name__

    send.__annotations__["what"] = annotation
    app.post("/")(send)


@pytest.mark.parametrize(
    ("annotation", "inside"),
    [
        (list[User], "the User in it"),
        (dict[str, User], "the User in it"),
        (tuple[int, User], "the User in it"),
        (Form[User], "the User in it"),
        (Form[Order], "the User in it"),
        (Order, "the User in it"),
        (Order | None, "the User in it"),
        (Annotated[Order, "a note"], "the User in it"),
        (Row, "the User in it"),
        (list[Row], "the User in it"),
        (Keys, "the User in it"),
        (Cat | Dog, "the User in it"),
        (Box[User], "the User in it"),
        (Box[Box[list[User]]], "the User in it"),
        (Tree, "the User in it"),
        (list[Colour], "the Colour in it"),
        (Painted, "the Colour in it"),
        (Foreign, "the Colour in it"),
        (Admin, "that"),
        (list[Admin], "the Admin in it"),
    ],
    ids=str,
)
def test_what_a_provider_makes_is_read_inside_of_nothing(
    app: App, annotation: Any, inside: str
) -> None:
    post(app, annotation)

    with pytest.raises(ConfigurationError) as refused:
        compile_app(app, mode="test")

    assert refused.value.code == "injection.never-read"
    assert f"and no client may send {inside}: a provider makes it" in str(refused.value)
    assert "write what: Annotated[" in str(refused.value)
    assert "test_unread.py" in str(refused.value.places[-1])


def test_a_class_below_it_is_told_with_the_one_above(app: App) -> None:
    post(app, list[Admin])

    with pytest.raises(ConfigurationError, match=r"\(Admin is a User\)"):
        compile_app(app, mode="test")


@pytest.mark.parametrize("annotation", [Leaf, list[Cat], dict[str, int], Cat, Box[Cat], Form[Cat]])
def test_what_holds_none_of_it_is_read(app: App, annotation: Any) -> None:
    post(app, annotation)

    compile_app(app, mode="test")


@pytest.mark.parametrize(
    ("marked", "given"),
    [
        (Annotated[User, Body()], {"json": {"name": "eve"}}),
        (Annotated[list[User], Body()], {"json": [{"name": "eve"}]}),
        (Annotated[Order, Body()], {"json": {"text": "x", "owner": {"name": "eve"}}}),
        (Annotated[User, Form()], {"form": {"name": "eve"}}),
        (Annotated[User, Query(flat=True)], {"params": {"name": "eve"}}),
        (Annotated[User, Header()], {"headers": {"name": "eve"}}),
    ],
    ids=str,
)
def test_a_marker_says_that_a_client_may(app: App, marked: Any, given: dict[str, Any]) -> None:
    post(app, marked)

    with TestClient(app) as client:
        assert client.post("/", **given).status == 200


def test_a_provider_reads_none_of_it_either(app: App) -> None:
    class Wallet: ...

    def wallet(order: Any) -> Any: ...

    def spend(wallet: Any) -> None: ...

    wallet.__annotations__.update({"order": Order, "return": Wallet})
    spend.__annotations__["wallet"] = Wallet
    app.provide(wallet)
    app.post("/")(spend)

    with pytest.raises(ConfigurationError) as refused:
        compile_app(app, mode="test")

    assert refused.value.code == "injection.never-read"


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_class_that_is_marked_so_is_never_read(wrapped: bool) -> None:
    class Todo(Struct):
        text: str

    app = App()
    post(app, list[Todo] if wrapped else Todo)
    compile_app(app, mode="test")

    assert never_read(Todo, because="a repository stores it") is Todo

    with pytest.raises(ConfigurationError) as refused:
        compile_app(app, mode="test")

    assert refused.value.code == "injection.never-read"
    assert "no client may send" in str(refused.value)
    assert "a repository stores it" in str(refused.value)
    assert "test_unread.py" in str(refused.value.places[-1])


def test_a_plain_class_that_is_marked_so_is_refused_with_the_reason() -> None:
    class Row: ...

    never_read(Row, because="a repository stores it")
    app = App()
    post(app, Row)

    with pytest.raises(ConfigurationError, match="a repository stores it"):
        compile_app(app, mode="test")


def test_a_class_that_is_marked_so_may_have_a_provider(app: App) -> None:
    never_read(User, because="a repository stores it")

    @app.post("/")
    def show(user: User) -> str:
        return user.name

    with TestClient(app) as client:
        assert client.post("/").text == "ann"


def test_a_class_that_nobody_has_any_more_is_forgotten() -> None:
    class Gone: ...

    never_read(Gone, because="a repository stores it")
    assert unread(Gone) is not None
    left = weakref.ref(Gone)
    del Gone
    gc.collect()

    assert left() is None


def test_what_cannot_be_a_key_is_nobodys() -> None:
    assert unread([]) is None
