"""Overrides, for tests of users."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import pytest

from kingpost import App, Depends, Request, Secret, Settings, Struct
from kingpost.checks import Health, Metrics
from kingpost.errors import ConfigurationError
from kingpost.signing import KeyRing, Signer
from kingpost.templates import Template, Templates
from kingpost.testing import TestClient

T = TypeVar("T")


class User(Struct):
    name: str


class Clock(Struct):
    time: int


class Alarm(Struct):
    clock: Clock


class ShopSettings(Settings, prefix="SHOP_OF_TESTS_"):
    name: str = "real"


class NeededSettings(Settings, prefix="NEEDED_OF_TESTS_"):
    name: str


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


def test_it_reaches_what_is_called_beside_the_routes(tmp_path: Path) -> None:
    (tmp_path / "lost.html").write_text("{{ seen }}")
    app, names = App(plugins=[Health(), Metrics(), Templates(tmp_path)]), list[str]()
    app.provide(user)

    @app.before_request
    def look(user: User) -> None:
        names.append(f"hook {user.name}")

    @app.extensions.health
    def health(user: User) -> None:
        names.append(f"health {user.name}")

    @app.extensions.metric("users")
    def count(user: User) -> int:
        return len(user.name)

    @app.extensions.template_context
    def seen(user: User) -> str:
        return user.name

    @app.error(404)
    def lost(request: Request, error: Exception) -> Template:
        return Template("lost.html", status=404)

    def asked(client: TestClient) -> list[str]:
        names.clear()
        texts = [client.get(path).text for path in ("/lost", "/readyz", "/metrics")]
        return [texts[0], *names[:3:2], texts[2].split()[-1]]

    with TestClient(app) as client:
        with app.override(User, User("in a test")):
            assert asked(client) == ["in a test", "hook in a test", "health in a test", "9"]
        assert asked(client) == ["real", "hook real", "health real", "4"]


def test_to_override_nothing_is_a_mistake() -> None:
    app = app_of()

    with pytest.raises(ConfigurationError) as refused, app.override(str, "x"):
        pass

    assert refused.value.code == "injection.nothing-to-override"


def test_without_an_override_the_app_is_as_in_production() -> None:
    with TestClient(app_of()) as client:
        assert [client.get(path).text for path in ("/def", "/async", "/inline")] == ["real"] * 3


def shop_of() -> App:
    app = App(settings=ShopSettings)

    @app.provide
    def user(settings: ShopSettings) -> User:
        return User(settings.name)

    @app.provide(scope="app")
    def lasting(settings: ShopSettings) -> Alarm:
        return Alarm(Clock(len(settings.name)))

    @app.get("/")
    def home(settings: ShopSettings, user: User, alarm: Alarm) -> str:
        return f"{settings.name} {user.name} {alarm.clock.time} {app.settings is settings}"

    @app.get("/missing")
    def missing() -> None:
        raise KeyError("x")

    @app.error(KeyError)
    def sorry(request: Request, error: KeyError, settings: ShopSettings) -> str:
        return settings.name

    return app


def texts(client: TestClient) -> list[str]:
    return [client.get(path).text for path in ("/", "/missing")]


def test_settings_may_be_overridden() -> None:
    app = shop_of()

    with app.override(ShopSettings, ShopSettings(name="other")):
        with TestClient(app) as client:
            assert texts(client) == ["other other 5 True", "other"]
        assert ShopSettings.load().name == "other"
    assert ShopSettings.load().name == "real"


def test_settings_may_be_overridden_behind_the_start() -> None:
    app = shop_of()

    with TestClient(app) as client:
        for name in ("other", "third"):
            with app.override(ShopSettings, ShopSettings(name=name)):
                assert texts(client) == [f"{name} {name} 5 True", name]
            assert texts(client) == ["real real 4 True", "real"]


def test_another_override_keeps_those_of_the_settings() -> None:
    app = shop_of()

    with (
        TestClient(app) as client,
        app.override(ShopSettings, ShopSettings(name="other")),
        app.override(User, User("ann")),
    ):
        assert texts(client) == ["other ann 5 True", "other"]


def test_settings_that_nothing_sets_may_be_overridden() -> None:
    app = App(settings=NeededSettings)

    @app.get("/")
    def home(settings: NeededSettings) -> str:
        return settings.name

    with app.override(NeededSettings, NeededSettings(name="b")), TestClient(app) as client:
        assert client.get("/").text == "b"


def test_the_settings_of_a_mounted_app_may_be_overridden() -> None:
    app, inner = App(), shop_of()
    app.mount("/shop", inner)

    with TestClient(app) as client:
        with app.override(ShopSettings, ShopSettings(name="other")):
            assert client.get("/shop/").text == "other other 5 True"
        assert client.get("/shop/").text == "real real 4 True"


def test_a_mounted_app_sees_what_stands_in_for_those_around_it() -> None:
    app, inner = App(settings=ShopSettings), App()
    app.mount("/shop", inner)

    @inner.get("/")
    def home(settings: ShopSettings) -> str:
        return settings.name

    with TestClient(app) as client:
        with app.override(ShopSettings, ShopSettings(name="other")):
            assert client.get("/shop/").text == "other"
        assert client.get("/shop/").text == "real"


def test_what_signs_takes_the_key_of_the_override() -> None:
    app, keys = App(), ("k" * 40, "l" * 40)

    @app.get("/")
    def home(ring: KeyRing) -> str:
        return Signer(ring, "test").sign("x")

    signed: list[str] = []
    with TestClient(app) as client:
        for key in keys:
            with app.override(Settings, Settings(secret_key=Secret(key))):
                signed.append(client.get("/").text)

    rings = [KeyRing(key) for key in keys]
    assert [
        Signer(ring, "test").verify(text) for ring, text in zip(rings, signed, strict=True)
    ] == [b"x", b"x"]


def test_settings_that_are_not_the_apps_are_not_overridden() -> None:
    with (
        pytest.raises(ConfigurationError) as refused,
        shop_of().override(NeededSettings, NeededSettings(name="b")),
    ):
        pass

    assert refused.value.code == "injection.nothing-to-override"
    assert "App(settings=NeededSettings), or override ShopSettings" in str(refused.value)


@pytest.mark.parametrize("by", ["b", ShopSettings, ShopSettings.load, Settings()])
def test_only_an_object_of_their_class_stands_in_for_settings(by: Any) -> None:
    with pytest.raises(ConfigurationError) as refused, shop_of().override(ShopSettings, by):
        pass

    assert refused.value.code == "app.bad-settings"
    assert "app.override(ShopSettings, ShopSettings(…))" in str(refused.value)
