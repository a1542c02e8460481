"""Compiling: what is collected, explained and refused."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest

from kingpost import App, Blueprint, NotFound, Request, Settings, route
from kingpost.app.compile import compile_app
from kingpost.app.mode import chosen_mode
from kingpost.errors import ConfigurationError
from kingpost.types import Mode


class AppSettings(Settings):
    title: str = "t"


def show(id: int) -> str:
    return str(id)


def number(x: int) -> str:
    return str(x)


def test_all_problems_are_told_together() -> None:
    app = App()

    def engine(engine: App) -> str:
        return ""

    app.get("/a")(engine)
    app.get("/b")(show)
    app.get("/c")(lambda page: "")

    with pytest.raises(ConfigurationError) as refused:
        compile_app(app, mode="test")

    assert refused.value.code == "binding.unknown-type"
    assert [note.partition(":")[0] for note in refused.value.__notes__] == ["\nproblem 2 of 2"]


def test_conflicts_and_names_are_told_together() -> None:
    app = App()
    for _ in range(2):
        app.get("/a", name="a")(lambda: "")
    app.get("/b", name="a")(lambda: "")
    app.error(404)(lambda: "")

    with pytest.raises(ConfigurationError) as refused:
        compile_app(app, mode="test")

    assert refused.value.code == "routing.conflict"
    assert len(refused.value.__notes__) == 2


@pytest.mark.parametrize(
    ("said", "mode"),
    [(None, "test"), ("", "test"), ("production", "production")],
)
def test_the_environment_overrules_the_mode(
    said: str | None, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KINGPOST_ENV", raising=False)
    if said is not None:
        monkeypatch.setenv("KINGPOST_ENV", said)

    assert chosen_mode("test") == compile_app(App(), mode="test").mode == mode


def test_a_mode_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINGPOST_ENV", "staging")

    with pytest.raises(ConfigurationError) as refused:
        compile_app(App(), mode="test")

    assert refused.value.code == "app.unknown-mode"


def test_converters_are_made_once_for_each_place() -> None:
    class Named:
        def __init__(self, words: str = "a|b") -> None:
            self.words = words.split("|")

        def convert(self, text: str) -> int:
            return self.words.index(text)

        def format(self, value: int) -> str:
            return self.words[value]

    inner = Blueprint("inner", converters={"named": Named})
    inner.get("/{x:named}")(number)
    inner.get("/{x:named(c|d)}/more", name="more")(number)
    app = App(converters={"int": Named})
    app.include(inner)
    app.get("/own/{x:int}", name="own")(number)

    compiled = compile_app(app, mode="test")

    assert [one.native_pattern for one in compiled.routes] == [
        "/{x:own}",
        "/{x:own}/more",
        "/own/{x:own}",
    ]
    assert app.url_for("inner.more", x=1) == "/d/more"
    assert app.url_for("own", x=1) == "/own/b"


@pytest.mark.parametrize(
    ("path", "converter", "code"),
    [
        ("/{x:nope}", str, "unknown-converter"),
        ("/{x:mine(1)}", lambda: None, "bad-converter"),
        ("/{x:mine}", str, "bad-converter"),
        ("/{x:int(5)}", str, "bad-converter"),
    ],
)
def test_a_converter_that_does_not_work_is_refused(path: str, converter: Any, code: str) -> None:
    app = App(converters={"mine": converter})
    app.get(path)(lambda x: "")

    with pytest.raises(ConfigurationError) as refused:
        compile_app(app, mode="test")

    assert refused.value.code == f"routing.{code}"
    assert "test_compiled.py" in str(refused.value)


def test_a_resource_that_needs_something_else_is_refused() -> None:
    app = App()

    @app.resource("/a")
    class A:
        def __init__(self, author: str) -> None: ...

        def get(self) -> str:
            return ""

    with pytest.raises(ConfigurationError) as refused:
        compile_app(app, mode="test")

    assert refused.value.code == "binding.resource-init"
    assert A.__name__ == "A"


def test_a_resource_may_ask_for_the_settings() -> None:
    app = App(settings=AppSettings)

    @app.resource("/a")
    class A:
        def __init__(
            self,
            settings: Annotated[AppSettings, {"a note": []}],
            limit: Annotated[int, []] = 5,
            *more: str,
            **named: str,
        ) -> None:
            self.settings = settings

        def get(self) -> str:
            return self.settings.title

    handler = compile_app(app, mode="test").routes[0].entry.handler

    assert handler() == "t"
    assert A.__name__ == "A"


def test_each_route_is_explained() -> None:
    app = App(settings=AppSettings)

    @app.get("/todos/{id:int}", errors=[NotFound], max_body="2 MiB")
    async def todo(
        id: int, request: Request, settings: AppSettings, page: int = 1
    ) -> dict[str, int]:
        return {}

    @app.post("/nothing", max_body=0)
    def nothing() -> None: ...

    compiled = compile_app(app, mode="test")
    lines = compiled.explain("/todos/3").splitlines()

    assert lines[0] == "GET /todos/{id:int}"
    for fact in (
        "name:        todo",
        "runs:        async def: on the event loop",
        "  id:        path {id}: int",
        "  page:      query page: an integer, 1 if not given",
        "answer:      application/json, status 200",
        "body:        at most 2 MiB",
        "errors:      NotFound",
        "binding:     native",
    ):
        assert f"  {fact}" in lines
    assert "answer:      nothing (204), status 204" in compiled.explain("/nothing", "POST")
    assert compiled.explain("/nowhere") == "GET /nowhere: no route answers it (404)"
    assert (
        compiled.explain("/nothing") == "GET /nothing: the path is there, and takes POST only (405)"
    )


def test_a_compiled_app_has_no_start_up_of_its_own() -> None:
    compiled = compile_app(App(), mode="test")

    async def run() -> None:
        async with compiled.lifespan():
            await compiled.idle()

    asyncio.run(run())


def test_what_the_handler_reads_is_what_url_for_writes() -> None:
    import datetime as dt
    import enum

    class Colour(enum.Enum):
        RED = "red"

    app = App()

    def handler(day: Any, colour: Any, flag: Any, word: Any) -> str:
        return ""

    handler.__annotations__ = {"day": dt.date, "colour": Colour, "flag": bool, "word": str}
    app.get("/{day}/{colour}/{flag}/{word}")(handler)
    values = {"day": dt.date(2026, 1, 2), "colour": Colour.RED, "flag": True, "word": "x"}

    assert app.url_for("handler", **values) == "/2026-01-02/red/true/x"  # type: ignore[arg-type]  # values of several types
    for name, wrong in {"day": "2026-01-02", "colour": "red", "flag": 1, "word": 5}.items():
        with pytest.raises(ConfigurationError):
            app.url_for("handler", **(values | {name: wrong}))  # type: ignore[arg-type]  # values of several types


def test_marked_methods_keep_their_function() -> None:
    def plain() -> None: ...

    assert route("/x")(plain) is plain


def test_a_path_that_the_router_refuses_is_refused_at_its_line() -> None:
    app = App()
    app.get("/pre{rest:path}")(lambda rest: "")

    with pytest.raises(ConfigurationError) as refused:
        compile_app(app, mode="test")

    assert refused.value.code == "routing.bad-pattern"
    assert "test_compiled.py" in str(refused.value)


def test_a_path_that_includes_made_bad_is_refused_at_all_its_lines() -> None:
    inner = Blueprint("inner", prefix="/{id}")
    inner.get("/{id}")(show)
    app = App()
    app.include(inner)

    with pytest.raises(ConfigurationError) as refused:
        compile_app(app, mode="test")

    assert len(refused.value.places) == 2


def test_the_plan_shows_what_runs_around_the_handler() -> None:
    class Made: ...

    async def around(request: Request, call_next: Any) -> Any:
        return await call_next(request)

    def look() -> None: ...
    def made() -> Any: ...
    def show(made: Any) -> str:
        return ""

    made.__annotations__["return"] = Made
    show.__annotations__["made"] = Made
    app = App()
    app.provide(made)
    app.get("/", middleware=[around], before=[look], after=[look])(show)
    lines = compile_app(app, mode="production").explain("/").splitlines()
    begun = [line.split()[0] for line in lines[1:]]

    assert begun[4:8] == ["middleware:", "before:", "provided:", "after:"]
    assert any("around at" in line and "on the event loop" in line for line in lines)
    assert any("Made by made at" in line and "on a thread" in line for line in lines)
    assert "    async def program(request):" in lines or "    def program(request):" in lines
