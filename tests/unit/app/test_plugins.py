"""Plugins and extensions of an App."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest

from kingpost import App, BackgroundTasks, Plugin, Request
from kingpost.app.compile import compile_app
from kingpost.app.extensions import OWN_COMMANDS
from kingpost.cli.commands import kingpost
from kingpost.errors import ConfigurationError, RoutingError
from kingpost.testing import TestClient


class Made:
    """A plugin that notes when it is installed."""

    def __init__(self, name: str, *requires: str, log: list[str] | None = None) -> None:
        self.name = name
        self.requires: Sequence[str] = requires
        self.log = [] if log is None else log

    def install(self, app: App, /) -> None:
        self.log.append(self.name)


def refused(app: App) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as found:
        compile_app(app, mode="test")
    return found.value


def test_the_order_of_plugins_does_not_matter_what_they_require_does() -> None:
    log: list[str] = []
    app = App()

    app.install(Made("admin", "auth", "templates", log=log), Made("auth", "sessions", log=log))
    assert log == []
    app.install(Made("templates", log=log))
    app.install(Made("sessions", log=log))

    assert log == ["templates", "sessions", "auth", "admin"]
    compile_app(app, mode="test")


def test_a_plugin_is_installed_at_once_where_it_can_be() -> None:
    class Site:
        name = "site"
        requires: Sequence[str] = ()

        def install(self, app: App, /) -> None:
            app.add_route("/site", lambda: "", name="site")

    app = App()
    plugin: Plugin = Site()
    app.install(plugin)

    assert app.url_for("site") == "/site"


def test_a_plugin_may_install_others() -> None:
    log: list[str] = []

    class All(Made):
        def install(self, app: App, /) -> None:
            app.install(Made("one", "two", log=log), Made("two", log=log))

    app = App()
    app.install(Made("last", "one", log=log), All("all"))

    assert log == ["two", "one", "last"]


def test_a_missing_plugin_is_named_with_the_remedy() -> None:
    app = App()
    app.install(Made("admin", "templates", "sessions"))

    error = refused(app)

    assert error.code == "plugins.missing"
    assert "'admin' requires 'templates' and 'sessions'" in str(error)
    assert "app.install(Templates())" in str(error)
    assert "test_plugins.py" in str(error)


@pytest.mark.parametrize(
    ("others", "remedy"),
    [(["session"], "require 'session'"), ([], "install one whose `name` is 'sessions' as well")],
)
def test_the_remedy_is_the_nearest_name_or_says_what_is_looked_for(
    others: list[str], remedy: str
) -> None:
    app = App()
    app.install(Made("auth", "sessions"), *map(Made, others))

    assert remedy in str(refused(app))


def test_plugins_that_wait_for_each_other_are_refused() -> None:
    app = App()
    app.install(Made("a", "b"), Made("b", "a"))

    error = refused(app)

    assert error.code == "plugins.circle"
    assert "'a', 'b'" in str(error)


def test_a_plugin_is_installed_once() -> None:
    app = App()
    app.install(Made("a"))

    with pytest.raises(ConfigurationError) as raised:
        app.install(Made("a"))

    assert raised.value.code == "plugins.twice"
    assert len(raised.value.places) == 2


class NoInstall:
    name = "x"
    requires = ()


class TextRequires(Made):
    def __init__(self) -> None:
        super().__init__("x")
        self.requires = "sessions"


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (Made, "make one: Made()"),
        ("templates", "str has no name"),
        (NoInstall(), "NoInstall has no install"),
        (Made(""), "its name is ''"),
        (TextRequires(), 'requires = ["sessions"]'),
    ],
    ids=["class", "text", "no install", "no name", "text as requires"],
)
def test_what_is_no_plugin_is_refused_with_a_sentence(thing: Any, words: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        App().install(thing)

    assert raised.value.code == "plugins.not-a-plugin"
    assert words in str(raised.value)
    assert "test_plugins.py" in str(raised.value)


def test_after_the_start_nothing_is_installed() -> None:
    app = App()
    compile_app(app, mode="test")

    for late in (
        lambda: app.install(Made("a")),
        lambda: app.extensions.command(compile_app),
        lambda: app.extensions.template_context(compile_app),
        lambda: app.extensions.error_reporter(lambda error, request: None),
    ):
        with pytest.raises(RoutingError, match="was started"):
            late()


# -- extensions


def test_two_claims_to_one_key_name_both_places() -> None:
    app = App()

    @app.extensions.template_context
    def user() -> str:
        return ""

    @app.extensions.command
    def send_mails() -> None: ...

    with pytest.raises(ConfigurationError) as context:
        app.extensions.template_context(name="user")(lambda: "")
    with pytest.raises(ConfigurationError) as command:
        app.extensions.command(name="send-mails")(lambda: "")

    for raised in (context, command):
        assert raised.value.code == "extensions.taken"
        assert len(set(raised.value.places)) == 2


@pytest.mark.parametrize("name", ["request", "url_for", "csp_nonce"])
def test_what_every_template_has_is_nobody_elses(name: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        App().extensions.template_context(name=name)(lambda: "")

    assert raised.value.code == "extensions.taken"


def test_the_commands_of_kingpost_itself_are_taken() -> None:
    assert set(kingpost.commands) == OWN_COMMANDS
    with pytest.raises(ConfigurationError) as raised:
        App().extensions.command(name="run")(lambda: None)

    assert raised.value.code == "extensions.taken"
    assert "`kingpost run` is Kingpost's own" in str(raised.value)


@pytest.mark.parametrize("name", ["Send", "send mails", "-x", "x-", "ä"])
def test_names_that_cannot_be_typed_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        App().extensions.command(name=name)(lambda: None)

    assert raised.value.code == "extensions.bad-name"


@pytest.mark.parametrize("name", ["user-name", "_user", "1"])
def test_names_that_no_template_can_read_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        App().extensions.template_context(name=name)(lambda: None)

    assert raised.value.code == "extensions.bad-name"


class Paid:
    pass


def test_reporters_are_told_of_every_exception_that_nobody_took(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL)
    app = App()
    told: list[tuple[str, str]] = []

    @app.extensions.error_reporter
    def broken(error: BaseException, request: Request | None) -> None:
        raise RuntimeError("the reporter is broken")

    @app.extensions.error_reporter
    def note(error: BaseException, request: Request | None) -> None:
        told.append((str(error), "" if request is None else request.path))

    def fail(word: str) -> None:
        raise RuntimeError(word)

    @app.on(Paid)
    def receive(event: Paid) -> None:
        fail("event")

    @app.error(KeyError)
    def taken(request: Request, error: KeyError) -> str:
        return "taken"

    @app.get("/def")
    def in_def() -> None:
        fail("def")

    @app.get("/async")
    async def in_async() -> None:
        fail("async")

    @app.get("/taken")
    def key() -> None:
        raise KeyError

    @app.get("/after")
    def after(tasks: BackgroundTasks) -> None:
        tasks.add_task(fail, "after")

    @app.get("/event")
    def event() -> None:
        app.emit(Paid())

    with TestClient(app, raise_errors=False) as browser:
        statuses = [
            browser.get(path).status for path in ("/def", "/async", "/taken", "/after", "/event")
        ]

    assert statuses == [500, 500, 500, 204, 204]
    assert sorted(told) == [("after", ""), ("async", "/async"), ("def", "/def"), ("event", "")]


def test_an_async_reporter_is_refused() -> None:
    async def report(error: BaseException, request: Request | None) -> None: ...

    with pytest.raises(ConfigurationError) as raised:
        App().extensions.error_reporter(report)

    assert raised.value.code == "extensions.async-reporter"
