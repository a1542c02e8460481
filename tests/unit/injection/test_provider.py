"""What a provider is: its type, its kind, and what cannot be one."""

from __future__ import annotations

import functools
import typing
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import pytest

from kingpost import App, Depends, Struct
from kingpost.app.compile import compile_app
from kingpost.errors import SignatureError
from kingpost.injection.provider import (
    check_gives,
    constant_of,
    kind_of,
    provider_of,
    remember,
)
from kingpost.injection.unread import provided_at
from kingpost.testing import TestClient
from kingpost.types import Place

T = TypeVar("T")


class Session:
    def __init__(self, url: str = "memory") -> None:
        self.url = url


@dataclass
class Point:
    x: int = 0


class Model(Struct):
    id: int = 0


class Repository(Generic[T]):
    def __init__(self, model: type[T]) -> None:
        self.model = model


def plain() -> Session:
    return Session()


async def waiting() -> Session:
    return Session()


def yielding() -> Iterator[Session]:
    yield Session()


async def yielding_async() -> AsyncIterator[Session]:
    yield Session()


def told() -> Generator[Session, object, None]:
    yield Session()


def noted() -> Annotated[Session, "a note"]:
    return Session()


class Callable_:  # noqa: N801 - a class like any other
    def __call__(self) -> Session:
        return Session()

    async def later(self) -> Session:
        return Session()


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (plain, "def"),
        (waiting, "async"),
        (yielding, "generator"),
        (told, "generator"),
        (yielding_async, "asyncgen"),
        (noted, "def"),
        (functools.partial(waiting), "async"),
        (functools.partial(functools.partial(yielding)), "generator"),
        (Callable_(), "def"),
        (Callable_().later, "async"),
    ],
    ids=[
        "def",
        "async",
        "generator",
        "told",
        "asyncgen",
        "noted",
        "partial",
        "partials",
        "object",
        "method",
    ],
)
def test_the_kind_is_seen_and_the_type_is_what_it_yields(
    function: Callable[..., Any], kind: str
) -> None:
    provider = provider_of(function)

    assert (kind_of(function), provider.kind, provider.gives) == (kind, kind, Session)
    assert provider.is_generator == (kind in ("generator", "asyncgen"))


@pytest.mark.parametrize("made", [Session, Point, Model])
def test_a_class_makes_itself(made: type[Any]) -> None:
    provider = provider_of(made)

    assert (provider.gives, provider.kind, provider.inline) == (made, "def", True)
    assert provider.name == made.__name__
    assert {it.annotation for it in provider.signature.parameters} <= {str, int}


def test_a_generic_class_makes_each_of_its_kind() -> None:
    assert provider_of(Repository).gives == Repository[T]


def without_a_type():  # type: ignore[no-untyped-def]  # noqa: ANN201 - refused for it
    return Session()


def of_text() -> str:
    return ""


def of_a_list() -> list[Session]:
    return []


def of_anything() -> Any:
    return 1


def of_a_variable(model: type[T]) -> T:
    return model()


def of_a_plain_iterator() -> Iterator[int]:
    yield 1


def of_a_bare_iterator() -> Iterator:  # type: ignore[type-arg]  # the mistake itself
    yield Session()


async def of_a_bare_generator() -> typing.AsyncGenerator:  # type: ignore[type-arg]  # the mistake itself
    yield Session()


@pytest.mark.parametrize(
    ("function", "code"),
    [
        (without_a_type, "injection.no-type"),
        (of_a_bare_iterator, "injection.no-type"),
        (of_a_bare_generator, "injection.no-type"),
        (of_text, "injection.plain-type"),
        (of_a_list, "injection.plain-type"),
        (of_anything, "injection.plain-type"),
        (of_a_variable, "injection.plain-type"),
        (of_a_plain_iterator, "injection.plain-type"),
    ],
)
def test_a_type_that_says_nothing_is_refused(function: Callable[..., Any], code: str) -> None:
    with pytest.raises(SignatureError) as refused:
        check_gives(provider_of(function))

    assert refused.value.code == code
    assert refused.value.remedy


@pytest.mark.parametrize("function", [of_a_bare_iterator, of_a_bare_generator])
def test_what_yields_and_does_not_say_what_is_named_by_its_function_alone(
    function: Callable[..., Any],
) -> None:
    def handler(session: Any) -> str:
        url: str = session.url
        return url

    handler.__annotations__["session"] = Annotated[Session, Depends(function)]
    app = App()
    app.get("/")(handler)
    with TestClient(app) as client:
        assert client.get("/").text == "memory"

    with pytest.raises(SignatureError, match=r"such as `-> (Async)?Iterator\[Session\]`"):
        check_gives(provider_of(function))


@pytest.mark.parametrize(
    "returns",
    [Iterator, typing.Generator, [Session], dict[str, [Session]]],
    ids=repr,  # type: ignore[misc, valid-type]  # mistakes
)
def test_a_provider_that_cannot_be_is_no_other_apps_concern(returns: Any) -> None:
    def made() -> Any:
        yield Session()

    made.__annotations__["return"] = returns
    wrong, right = App(), App()
    wrong.provide(made)
    right.get("/")(lambda: "right")

    with pytest.raises(SignatureError):
        compile_app(wrong, mode="test")
    assert compile_app(right, mode="test").routes


def test_inline_is_promised_of_a_def_only() -> None:
    with pytest.raises(SignatureError) as refused:
        provider_of(waiting, inline=True)

    assert refused.value.code == "injection.inline-async"


def test_a_value_is_a_provider_of_itself() -> None:
    session = Session()

    assert constant_of(Session, session).function() is session


def test_the_classes_of_unions_and_generics_are_known() -> None:
    class One: ...

    class Two(Generic[T]): ...

    place = Place("here.py", 1)
    remember(One | None, place)
    remember(Two[T], place)
    remember(Two[int], place)

    assert provided_at(One) == place
    assert provided_at(Two[str]) == place
    assert provided_at(Two) == place
    assert provided_at(int) is None
    assert provided_at([]) is None
