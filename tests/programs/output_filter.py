"""What leaves: the fields of the return annotation, never the private ones, and on demand only some of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

import attrs
import msgspec
import pydantic

from kingpost import App, Response, Struct
from kingpost.schema import Only, Partial, Private, Without

app = App()

Password = Annotated[str, Private()]


class Address(Struct):
    city: str
    door_code: Annotated[str, Private()] = "secret-door"


class User(Struct, rename="camel"):
    id: int
    full_name: str
    password: Password = "secret-struct"
    address: Address = msgspec.field(default_factory=lambda: Address("Paris"))
    tags: list[str] = msgspec.field(default_factory=list[str])


class Admin(User):
    """More fields than a User; one more is private."""

    level: int = 9
    token: Annotated[str, Private()] = "secret-token"


@dataclasses.dataclass
class UserData:
    id: int
    password: Password = "secret-dataclass"
    user: User | None = None


class UserDict(TypedDict):
    id: int
    password: Password


@attrs.define
class UserAttrs:
    id: int
    password: Password = "secret-attrs"


class UserModel(pydantic.BaseModel):
    id: int
    password: Password = "secret-pydantic"
    pin: str = pydantic.Field(default="secret-pin", exclude=True)
    friends: list[UserModel] = []


ADA = User(1, "Ada")
FRIENDS = UserModel(id=1, friends=[UserModel(id=2, friends=[UserModel(id=3)])])


@app.get("/struct")
def a_struct() -> User:
    return ADA


@app.get("/subclass")
def a_subclass() -> User:
    return Admin(2, "Grace")


@app.get("/row")
def a_row() -> User:
    # A dict, or a row of a database: what the class does not name stays here.
    return {"id": 3, "fullName": "Alan", "password": "secret-row", "salary": 5}  # type: ignore[return-value]  # pyright: ignore[reportReturnType]  # what the filter is for


@app.get("/dataclass")
def a_dataclass() -> UserData:
    return UserData(1, user=Admin(2, "Grace"))


@app.get("/typed-dict")
def a_typed_dict() -> UserDict:
    return {"id": 1, "password": "secret-dict"}


@app.get("/attrs")
def an_attrs_class() -> UserAttrs:
    return UserAttrs(1)


@app.get("/pydantic")
def a_pydantic_model() -> UserModel:
    return FRIENDS


@app.get("/list")
def many() -> list[User]:
    return [ADA, Admin(2, "Grace")]


@app.get("/union")
def one_of_two() -> UserAttrs | UserData:
    return UserAttrs(1)


@app.get("/anything")
def anything() -> dict[str, Any]:
    return {"users": [ADA, UserAttrs(1), {"data": UserData(1)}], "model": FRIENDS}


@app.get("/response")
def a_response() -> Response[Any]:
    return Response(UserData(1, user=ADA), status=201)


@app.get("/unannotated")
def unannotated():  # type: ignore[no-untyped-def]  # noqa: ANN201 - without annotations on purpose
    return Admin(2, "Grace")


@app.get("/lines")
def lines() -> Iterator[User]:
    yield ADA
    yield Admin(2, "Grace")


@app.get("/without")
def without() -> Annotated[User, Without("tags", "address.city")]:
    return ADA


@app.get("/only")
def only() -> list[Annotated[User, Only("id", "full_name")]]:
    return [ADA]


@app.get("/only-pydantic")
def only_pydantic() -> Annotated[UserModel, Only("friends.id")]:
    return FRIENDS


@app.get("/partial")
def partial() -> Annotated[User, Partial()]:
    return ADA


@app.get("/partial-pydantic")
def partial_pydantic() -> Annotated[UserModel, Partial()]:
    return UserModel(id=1)
