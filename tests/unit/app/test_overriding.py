"""Overrides, for tests of users."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any, Generic, TypeVar

import pytest

from kingpost import App, Depends, Request, Struct
from kingpost.errors import ConfigurationError
from kingpost.testing import TestClient

T = TypeVar("T")


class User(Struct):
    name: str


class Clock(Struct):
    time: int


class Alarm(Struct):
    clock: Clock


class Box(Generic[T]):
    def __init__(self, word: str) -> None:
        self.word = word


def user() -> User:
    return User("real")


def limit() -> int:
    return 10


def box(model: type[T]) -> Box[T]:
    return Box(model.__name__)


def app_of() -> App:
    app = App()
    app.provide(user)
    app.provide(box)

    @app.provide(scope="app")
    def clock() -> Clock:
        return Clock(1)

    @app.provide(scope="app")
    def alarm(clock: Clock) -> Alarm:
        return Alarm(clock)

    @app.get("/def")
    def show(user: User) -> str:
        return user.name

    @app.get("/async")
    async def show_async(user: User) -> str:
        return user.name

    @app.get("/inline", inline=True)
    def show_inline(user: User) -> str:
        return user.name

    @app.get("/limit")
    def show_limit(limit: Annotated[int, Depends(limit)]) -> int:
        return limit

    @app.get("/box")
    def show_box(box: Box[User]) -> str:
        return box.word

    @app.get("/clock")
    def show_clock(clock: Clock) -> int:
        return clock.time

    @app.get("/alarm")
    def show_alarm(alarm: Alarm) -> int:
        return alarm.clock.time

    return app


def fake() -> User:
    return User("fake")


async def fake_async(request: Request) -> User:
    return User("fake")


def fake_generator() -> Iterator[User]:
    yield User("fake")


async def fake_async_generator() -> AsyncIterator[User]:
    yield User("fake")


@pytest.mark.parametrize(
    "by",
    [User("fake"), fake, fake_async, fake_generator, fake_async_generator, lambda: User("fake")],
    ids=lambda by: getattr(by, "__name__", "value"),
)
@pytest.mark.parametrize("what", [User, user])
@pytest.mark.parametrize("path", ["/def", "/async", "/inline"])
def test_it_holds_within_the_block_and_no_longer(
    what: Any, by: Callable[..., Any], path: str
) -> None:
    app = app_of()

    with app.override(what, by), TestClient(app) as client:
        assert client.get(path).text == "fake"

    app = app_of()
    with TestClient(app) as client:
        with app.override(what, by):
            assert client.get(path).text == "fake"
        assert client.get(path).text == "real"


def test_functions_of_depends_and_generics_may_be_overridden() -> None:
    app = app_of()

    with TestClient(app) as client, app.override(limit, 3), app.override(Box[User], Box[User]("b")):
        assert client.get("/limit").json() == 3
        assert client.get("/box").text == "b"


def test_it_may_be_entered_again_inside() -> None:
    app = app_of()

    with TestClient(app) as client, app.override(User, User("one")):
        with app.override(User, User("two")):
            assert client.get("/def").text == "two"
        assert client.get("/def").text == "one"


def test_it_ends_where_the_test_fails() -> None:
    app = app_of()

    with TestClient(app) as client:
        with pytest.raises(KeyError), app.override(User, User("one")):
            raise KeyError("x")
        assert client.get("/def").text == "real"


def test_what_is_made_at_start_is_made_of_it() -> None:
    app = app_of()

    with app.override(Clock, Clock(2)), TestClient(app) as client:
        assert [client.get(path).json() for path in ("/clock", "/alarm")] == [2, 2]


def test_behind_the_start_it_is_made_at_once() -> None:
    app = app_of()

    with TestClient(app) as client:
        with app.override(Clock, Clock(2)):
            assert [client.get(path).json() for path in ("/clock", "/alarm")] == [2, 2]
        assert [client.get(path).json() for path in ("/clock", "/alarm")] == [1, 1]


def test_what_would_have_to_be_ended_cannot_be_made_behind_the_start() -> None:
    app = app_of()

    def late() -> Iterator[Clock]:
        yield Clock(2)

    with TestClient(app) as client:
        with pytest.raises(ConfigurationError) as refused, app.override(Clock, late):
            pass
        assert client.get("/clock").json() == 1

    assert refused.value.code == "injection.too-late"


def test_to_override_nothing_is_a_mistake() -> None:
    app = app_of()

    with pytest.raises(ConfigurationError) as refused, app.override(str, "x"):
        pass

    assert refused.value.code == "injection.nothing-to-override"


def test_without_an_override_the_app_is_as_in_production() -> None:
    with TestClient(app_of()) as client:
        assert [client.get(path).text for path in ("/def", "/async", "/inline")] == ["real"] * 3
