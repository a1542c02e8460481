"""What providers make for a request: once, in order, finished in time."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import gc
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import pytest

from kingpost import (
    App,
    Blueprint,
    Conflict,
    Depends,
    NotFound,
    Request,
    Response,
    Settings,
    Struct,
    UploadFile,
    from_thread,
)
from kingpost.app.compile import compile_app
from kingpost.templates import Template, Templates
from kingpost.testing import BadReply, TestClient
from tests.unit.app.asking import ask, ask_and_leave, until_served
from tests.waiting import PATIENCE, pass_time

T = TypeVar("T")


class One(Struct):
    text: str = "one"


class Two(Struct):
    one: One


class Three(Struct):
    one: One
    two: Two


class Box(Generic[T]):
    def __init__(self, model: type[T], one: One) -> None:
        self.model = model
        self.one = one


class Note(Struct):
    text: str = ""


class Sent(Struct):
    """No provider makes it."""

    text: str


def test_a_value_is_made_once_for_a_request() -> None:
    app = App()
    made: list[int] = []

    @app.provide
    def one() -> One:
        made.append(1)
        return One()

    @app.provide
    async def two(one: One) -> Two:
        return Two(one)

    @app.provide
    def three(one: One, two: Two) -> Three:
        return Three(one, two)

    @app.get("/def")
    def show(one: One, three: Three) -> bool:
        return three.one is one and three.two.one is one

    @app.get("/async")
    async def show_async(three: Three, one: One) -> bool:
        return three.one is one and three.two.one is one

    with TestClient(app) as client:
        for path in ("/def", "/async"):
            assert client.get(path).json() is True

    assert len(made) == 2


def test_a_provider_that_nobody_names_costs_nothing() -> None:
    app = App()
    called: list[int] = []

    @app.provide
    def one() -> One:
        called.append(1)
        return One()

    @app.provide(scope="app")
    def note() -> Note:
        called.append(2)
        return Note()

    @app.get("/", inline=True)
    def home() -> str:
        return "x"

    with TestClient(app) as client:
        for _ in range(1000):
            client.get("/")

    assert called == []
    assert compile_app(app, mode="production").routes[0].served.program is None


def test_generic_providers_get_the_class() -> None:
    app = App()
    app.provide(inline=True)(One)
    app.provide(Box)

    @app.get("/")
    def home(notes: Box[Note], ones: Box[One]) -> list[str]:
        assert notes.one is ones.one
        return [notes.model.__name__, ones.model.__name__]

    assert ask(app).json() == ["Note", "One"]


def test_the_nearest_wins() -> None:
    app, near = App(), Blueprint("near", prefix="/near")
    inner = Blueprint("inner", prefix="/inner")
    near.include(inner)
    app.include(near)

    def saying(word: str) -> Callable[[], One]:
        def one() -> One:
            return One(word)

        return one

    def show(one: One) -> str:
        return one.text

    app.provide(saying("app"))
    near.provide(saying("near"))
    for registrar in (app, near, inner):
        registrar.get("/x")(show)
    app.get("/own")(own_one)

    with TestClient(app) as client:
        said = [client.get(path).text for path in ("/x", "/near/x", "/near/inner/x", "/own")]

    assert said == ["app", "near", "near", "own"]


def own_one(one: Annotated[One, Depends(lambda: One("own"))]) -> str:
    return one.text


def test_what_the_app_makes_at_start_may_differ_for_a_blueprint() -> None:
    app, near = App(), Blueprint("near", prefix="/near")
    app.include(near)
    app.provide(scope="app")(lambda_one("app"))
    near.provide(scope="app")(lambda_one("near"))

    @app.provide(scope="app")
    def two(one: One) -> Two:
        return Two(one)

    def show(two: Two) -> str:
        return two.one.text

    for registrar in (app, near):
        registrar.get("/x")(show)

    with TestClient(app) as client:
        assert [client.get(path).text for path in ("/x", "/near/x")] == ["app", "near"]


def lambda_one(word: str) -> Callable[[], One]:
    def one() -> One:
        return One(word)

    return one


def test_or_none_is_a_type_of_its_own() -> None:
    app = App()

    @app.provide(inline=True)
    def maybe(request: Request) -> One | None:
        return One() if "x-one" in request.headers else None

    @app.get("/")
    async def home(one: One | None) -> bool:
        return one is not None

    with TestClient(app) as client:
        assert client.get("/").json() is False
        assert client.get("/", headers={"x-one": "1"}).json() is True


class Sets(Settings):
    title: str = "t"


def test_providers_read_the_request_as_handlers_do() -> None:
    app = App(settings=Sets)

    @app.provide
    def one(size: int, title: str = "none", *, id: int, sets: Sets) -> One:
        return One(f"{id} {size} {title} {sets.title}")

    @app.get("/{id}")
    def show(id: int, one: One) -> str:
        return one.text

    @app.get("/{id}/no")
    def show_alone(one: One) -> str:
        return one.text

    with TestClient(app) as client:
        assert client.get("/3?size=4").text == "3 4 none t"
        assert client.get("/3/no?size=4&title=x").text == "3 4 x t"
        refused = client.get("/3?size=four")
        assert (refused.status, refused.json()["errors"][0]["location"]) == (422, ["query", "size"])


def test_a_body_may_be_read_by_a_provider() -> None:
    app = App()

    @app.provide
    def two(sent: Sent) -> Two:
        return Two(One(sent.text))

    @app.post("/")
    def add(two: Two) -> str:
        return two.one.text

    assert ask(app, method="POST", json={"text": "hi"}).text == "hi"


# ---- generators


class Log(list[str]):
    def provider(self, name: str, *, is_async: bool) -> Callable[[], Any]:
        kind = {"a": One, "b": Note}[name]

        def step() -> Iterator[Any]:
            self.append(f"+{name}")
            try:
                answered = yield kind()
                self.append(f"-{name} {answered.status}")
            except BaseException as error:
                self.append(f"!{name} {type(error).__name__}")
                raise

        async def step_async() -> AsyncIterator[Any]:
            self.append(f"+{name}")
            try:
                answered = yield kind()
                self.append(f"-{name} {answered.status}")
            except BaseException as error:
                self.append(f"!{name} {type(error).__name__}")
                raise

        step.__annotations__["return"] = Iterator[kind]  # type: ignore[valid-type]  # a type made at run time
        step_async.__annotations__["return"] = AsyncIterator[kind]  # type: ignore[valid-type]  # a type made at run time
        return step_async if is_async else step


COLOURS = [(one, two, three) for one in (0, 1) for two in (0, 1) for three in (0, 1)]


def logged(first: int, second: int, handler: int, act: Callable[[], Any]) -> tuple[App, Log]:
    app, log = App(), Log()
    app.provide(log.provider("a", is_async=bool(first)))
    app.provide(log.provider("b", is_async=bool(second)))

    def show(a: One, b: Note) -> Any:
        log.append("handler")
        return act()

    async def show_async(a: One, b: Note) -> Any:
        log.append("handler")
        return act()

    app.get("/")(show_async if handler else show)
    return app, log


@pytest.mark.parametrize("colours", COLOURS)
def test_they_are_finished_in_reverse_before_the_answer(colours: tuple[int, int, int]) -> None:
    app, log = logged(*colours, lambda: Response("x", status=201))

    assert ask(app).status == 201
    assert [step[:2] for step in log[:2]] == ["+a", "+b"] or log[:2] == ["+b", "+a"]
    assert log[2] == "handler"
    assert [step[1] for step in log[:2]] == [step[1] for step in reversed(log[3:])]
    assert all(step.endswith(" 201") for step in log[3:])


@pytest.mark.parametrize("colours", COLOURS)
def test_exceptions_are_thrown_into_them(colours: tuple[int, int, int]) -> None:
    def fail() -> Any:
        raise NotFound("no")

    app, log = logged(*colours, fail)

    assert ask(app).status == 404
    assert sorted(log[3:]) == ["!a NotFound", "!b NotFound"]


@pytest.mark.parametrize("colours", COLOURS)
def test_of_a_stream_they_are_finished_after_the_last_byte(colours: tuple[int, int, int]) -> None:
    log: Log

    def pieces() -> Any:
        def walk() -> Iterator[str]:
            yield "one"
            log.append("between")
            yield "two"

        return walk()

    app, log = logged(*colours, pieces)

    assert ask(app).text == "onetwo"
    assert log[2:4] == ["handler", "between"]
    assert sorted(log[4:]) == ["-a 200", "-b 200"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("colours", COLOURS)
def test_of_a_stream_that_nobody_reads_to_its_end_they_are_closed(
    colours: tuple[int, int, int], method: str
) -> None:
    def pieces() -> Any:
        return ("x" * 65536 for _ in range(10_000))

    app, log = logged(*colours, pieces)

    with TestClient(app, raise_errors=False) as client:
        if method == "HEAD":
            client.head("/")
        else:
            with client.stream("GET", "/") as response:
                assert next(iter(response))
        until_served(client, lambda: len(log) == 5)

    assert sorted(log[3:]) == ["!a GeneratorExit", "!b GeneratorExit"]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_stream_that_fails_throws_into_them(is_async: bool) -> None:
    app, log = App(), Log()
    app.provide(log.provider("a", is_async=is_async))

    @app.get("/")
    def pieces(a: One) -> Iterator[str]:
        yield "one"
        raise KeyError("x")

    with TestClient(app, raise_errors=False) as client:
        with pytest.raises(BadReply, match="in the middle of the answer"):
            client.get("/")

    assert log == ["+a", "!a KeyError"]


@pytest.mark.parametrize("handler", ["def", "async"])
def test_a_commit_that_fails_gives_500_and_no_row(tmp_path: Path, handler: str) -> None:
    app = App()
    file = tmp_path / "rows.db"

    class Broken(sqlite3.Connection):
        def commit(self) -> None:
            raise sqlite3.OperationalError("disk full")

    with sqlite3.connect(file) as db:
        db.execute("create table rows (text)")
    db.close()

    def connection() -> Iterator[Any]:
        opened = sqlite3.connect(file, factory=Broken, check_same_thread=False)
        try:
            yield opened
            opened.commit()
        finally:
            opened.close()

    connection.__annotations__["return"] = Iterator[sqlite3.Connection]
    app.provide(connection)

    def add(db: sqlite3.Connection) -> str:
        db.execute("insert into rows values ('x')")
        return "added"

    async def add_async(db: sqlite3.Connection) -> str:
        return add(db)

    app.post("/")(add if handler == "def" else add_async)

    assert ask(app, method="POST").status == 500
    db = sqlite3.connect(file)
    assert db.execute("select count(*) from rows").fetchone() == (0,)
    db.close()


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("handler", ["def", "async"])
def test_an_http_error_behind_the_yield_is_the_answer(is_async: bool, handler: str) -> None:
    app = App()
    seen: list[str] = []

    def refusing(note: Note) -> Iterator[One]:
        yield One()
        raise Conflict("somebody was faster")

    async def refusing_async(note: Note) -> AsyncIterator[One]:
        yield One()
        raise Conflict("somebody was faster")

    @app.provide
    def outer() -> Iterator[Note]:
        try:
            yield Note()
        except Conflict as error:
            seen.append(str(error.detail))
            raise

    app.provide(refusing_async if is_async else refusing)

    def show(note: Note, one: One) -> str:
        return "done"

    async def show_async(note: Note, one: One) -> str:
        return "done"

    app.get("/")(show if handler == "def" else show_async)
    answer = ask(app)

    assert (answer.status, answer.json()["detail"]) == (409, "somebody was faster")
    assert seen == ["somebody was faster"]


def yields_twice() -> Iterator[One]:
    yield One()
    yield One()


def never_yields() -> Iterator[One]:
    return
    yield


async def yields_twice_async() -> AsyncIterator[One]:
    yield One()
    yield One()


async def never_yields_async() -> AsyncIterator[One]:
    return
    yield


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        (yields_twice, "yields_twice yields twice"),
        (never_yields, "never_yields ended without a yield"),
        (yields_twice_async, "yields_twice_async yields twice"),
        (never_yields_async, "never_yields_async ended without a yield"),
    ],
)
@pytest.mark.parametrize("handler", ["def", "async"])
def test_one_that_yields_not_once_is_a_mistake(
    provider: Callable[[], Any], words: str, handler: str
) -> None:
    app = App()
    app.provide(provider)

    def show(one: One) -> str:
        return ""

    async def show_async(one: One) -> str:
        return ""

    app.get("/")(show if handler == "def" else show_async)

    with TestClient(app) as client, pytest.raises(RuntimeError, match=words):
        client.get("/")


@pytest.mark.parametrize("is_async", [False, True])
def test_one_that_swallows_the_exception_does_not_make_an_answer_of_it(is_async: bool) -> None:
    app = App()

    def swallowing() -> Iterator[One]:
        with contextlib.suppress(NotFound):
            yield One()

    async def swallowing_async() -> AsyncIterator[One]:
        with contextlib.suppress(NotFound):
            yield One()

    app.provide(swallowing_async if is_async else swallowing)

    @app.get("/")
    def show(one: One) -> str:
        raise NotFound("still")

    assert ask(app).status == 404


def test_one_that_raises_something_else_has_the_last_word() -> None:
    app = App()

    @app.provide
    def turning() -> Iterator[One]:
        try:
            yield One()
        except KeyError:
            raise Conflict("turned") from None

    @app.get("/")
    async def show(one: One) -> str:
        raise KeyError("x")

    assert ask(app).status == 409


def test_those_made_before_a_provider_failed_are_finished() -> None:
    app, log = App(), Log()
    app.provide(log.provider("a", is_async=False))

    @app.provide
    def note(one: One) -> Note:
        raise NotFound("nothing")

    @app.get("/")
    async def show(note: Note) -> str:
        return ""

    assert ask(app).status == 404
    assert log == ["+a", "!a NotFound"]


def test_a_hook_that_answers_finishes_what_was_made_for_it() -> None:
    for handler in ("def", "async"):
        app, log = App(), Log()
        app.provide(log.provider("a", is_async=False))

        @app.before_request
        def hook(a: One) -> Response[str]:
            return Response("early", status=203)

        def show(a: One) -> str:
            raise AssertionError

        async def show_async(a: One) -> str:
            raise AssertionError

        app.get("/")(show if handler == "def" else show_async)

        assert (ask(app).text, log) == ("early", ["+a", "-a 203"])


@pytest.mark.parametrize("is_async", [False, True])
def test_a_cancelled_handler_gives_back_what_it_holds(is_async: bool) -> None:
    app, log = App(), Log()
    app.provide(log.provider("a", is_async=is_async))

    @app.get("/", timeout=10)
    async def slow(a: One) -> str:
        # Less than a client waits.
        await pass_time(10)
        return ""

    assert ask(app).status == 503
    assert log == ["+a", "!a CancelledError"]


def test_a_cancellation_waits_for_the_thread_that_makes_something() -> None:
    app = App()
    log: list[str] = []
    give_up: list[Callable[[], object]] = []
    is_cancelled = threading.Event()

    @app.provide
    def slow() -> Iterator[One]:
        give_up[0]()
        assert is_cancelled.wait(PATIENCE)
        time.sleep(0.05)
        log.append("made")
        try:
            yield One()
        finally:
            log.append("given back")

    async def impatient(request: Request, call_next: Any) -> Response[Any]:
        loop = asyncio.get_running_loop()

        def expire() -> None:
            limit.reschedule(loop.time())
            loop.call_soon(is_cancelled.set)

        try:
            async with asyncio.timeout(None) as limit:
                give_up.append(lambda: loop.call_soon_threadsafe(expire))
                response: Response[Any] = await call_next(request)
        except TimeoutError:
            log.append("timed out")
            return Response("late", status=504)
        return response

    @app.get("/", middleware=[impatient])
    async def show(one: One) -> str:
        log.append("never")
        return ""

    assert ask(app).status == 504
    assert log == ["made", "given back", "timed out"]


def test_a_client_that_leaves_gives_back_what_its_request_holds() -> None:
    app, log = App(), Log()
    is_served = asyncio.Event()
    app.provide(log.provider("a", is_async=False))

    @app.get("/")
    async def slow(a: One) -> str:
        is_served.set()
        await asyncio.Event().wait()
        return ""

    asyncio.run(ask_and_leave(app, is_served, seen=lambda: len(log) == 2))

    assert log == ["+a", "!a CancelledError"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("is_async", [False, True])
def test_what_ends_the_process_passes(kind: type[BaseException], is_async: bool) -> None:
    app, log = App(), Log()
    app.provide(log.provider("a", is_async=is_async))

    @app.get("/")
    async def show(a: One) -> str:
        raise kind

    with pytest.raises(kind), TestClient(app) as client:
        client.get("/")

    assert log == ["+a", f"!a {kind.__name__}"]
    gc.collect()


# ---- threads


def test_all_steps_of_a_def_handler_are_one_visit_to_one_thread() -> None:
    app = App()
    threads: list[int] = []

    def here() -> None:
        threads.append(threading.get_ident())

    @app.provide
    def one() -> Iterator[One]:
        here()
        yield One()
        here()

    @app.provide
    async def two(one: One) -> Two:
        assert threading.get_ident() not in threads
        return Two(one)

    @app.provide
    def three(one: One, two: Two) -> Three:
        here()
        return Three(one, two)

    @app.before_request
    def before() -> None:
        here()

    @app.get("/")
    def show(three: Three) -> str:
        here()
        return ""

    assert ask(app).status == 200
    assert len(threads) == 5
    assert len(set(threads)) == 1


def test_a_provider_may_call_the_loop() -> None:
    app = App()

    async def word() -> str:
        await asyncio.sleep(0)
        return "called"

    @app.provide
    def one() -> Iterator[One]:
        yield One(from_thread(word))
        assert from_thread(word) == "called"

    @app.get("/def")
    def show(one: One) -> str:
        return one.text

    @app.get("/async")
    async def show_async(one: One) -> str:
        return one.text

    with TestClient(app) as client:
        assert [client.get(path).text for path in ("/def", "/async")] == ["called"] * 2


@pytest.mark.parametrize("handler", ["def", "async", "later", "event", "stream"])
def test_with_four_connections_and_four_threads_nobody_waits_for_ever(handler: str) -> None:
    app = App()
    connections = threading.Semaphore(4)

    class Connection: ...

    class Checked: ...

    def connection() -> Iterator[Any]:
        assert connections.acquire(timeout=20)
        try:
            yield Connection()
        finally:
            connections.release()

    async def checked(connection: Any) -> Any:
        await asyncio.sleep(0)
        return Checked()

    def late(checked: Any) -> Any:
        return One()

    connection.__annotations__["return"] = Iterator[Connection]
    checked.__annotations__ = {"connection": Connection, "return": Checked}
    late.__annotations__ = {"checked": Checked, "return": One}
    for provider in (connection, checked, late):
        app.provide(provider)

    @app.on(Note)
    def told(note: Note) -> None: ...

    def show(connection: Any) -> str:
        time.sleep(0.0005)
        return "x"

    async def show_async(connection: Any) -> str:
        await asyncio.sleep(0.0005)
        return "x"

    async def show_later(connection: Any, one: One) -> str:
        await asyncio.sleep(0.0005)
        return "x"

    async def show_event(connection: Any) -> str:
        await app.aemit(Note())
        return "x"

    def show_stream(connection: Any) -> Iterator[str]:
        yield "x"
        time.sleep(0.0005)

    async def passing(request: Request, call_next: Any) -> Any:
        return await call_next(request)

    functions = {
        "def": show,
        "async": show_async,
        "later": show_later,
        "event": show_event,
        "stream": show_stream,
    }
    function = functions[handler]
    function.__annotations__["connection"] = Connection
    app.get("/", middleware=[passing] if handler == "stream" else [])(function)

    assert asyncio.run(many(app, 500, threads=4)) == ["x"] * 500


@pytest.mark.parametrize("later", ["connection", "page"])
def test_what_is_made_while_a_slot_is_held_waits_for_no_worker_thread(
    later: str, tmp_path: Path
) -> None:
    (tmp_path / "page.html").write_text("{{ seen }}")
    app, slots = App(plugins=[Templates(tmp_path)]), threading.Semaphore(2)

    @app.provide
    def slot() -> Iterator[One]:
        assert slots.acquire(timeout=20)
        yield One()
        slots.release()

    @app.provide(scope="connection")
    def two() -> Two:
        return Two(One())

    @app.extensions.template_context
    def seen() -> str:
        return "x"

    async def show(one: One, two: Two) -> str:
        await asyncio.sleep(0.001)
        return "x"

    async def fail() -> str:
        raise KeyError

    @app.error(KeyError)
    async def failed(request: Request, error: KeyError, one: One) -> Template:
        await asyncio.sleep(0.001)
        return Template("page.html")

    app.get("/")(show if later == "connection" else fail)

    assert asyncio.run(many(app, 40, threads=4)) == ["x"] * 40


async def many(app: App, count: int, *, threads: int) -> list[str]:
    """The answers to as many requests at once, of a server with few threads."""
    from kingpost.server.engine import Engine
    from kingpost.server.options import Options
    from kingpost.testing import AsyncTestClient

    client = AsyncTestClient(app)
    started = Engine.__init__
    wrapped = functools.partialmethod(with_options, started, Options(threads=threads))
    Engine.__init__ = wrapped  # type: ignore[method-assign,assignment]  # watched for this test alone
    try:
        async with client:
            async with asyncio.timeout(60):
                answers = await asyncio.gather(*(client.get("/") for _ in range(count)))
    finally:
        Engine.__init__ = started  # type: ignore[method-assign]  # watched for this test alone
    return [answer.text for answer in answers]


def with_options(self: Any, started: Any, options: Any, service: Any, _: Any, **more: Any) -> None:
    started(self, service, options, **more)


# ---- context variables


who: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


@pytest.mark.parametrize("colours", COLOURS)
def test_context_variables_reach_the_handler_and_no_other_request(
    colours: tuple[int, int, int],
) -> None:
    app = App()
    first, second, handler = colours

    def outer(request: Request, call_next: Any) -> Any:
        assert who.get() == "nobody"
        who.set("middleware")
        return call_next(request)

    async def outer_async(request: Request, call_next: Any) -> Any:
        assert who.get() == "nobody"
        who.set("middleware")
        return await call_next(request)

    def one() -> Iterator[One]:
        assert who.get() == "middleware"
        who.set("provider")
        yield One()
        assert who.get() == "handler"

    async def one_async() -> AsyncIterator[One]:
        assert who.get() == "middleware"
        who.set("provider")
        yield One()
        assert who.get() == "handler"

    def show(one: One) -> str:
        said = who.get()
        who.set("handler")
        return said

    async def show_async(one: One) -> str:
        return show(one)

    app.middleware(outer_async if first else outer)
    app.provide(one_async if second else one)
    app.get("/")(show_async if handler else show)

    with TestClient(app) as client:
        assert [client.get("/").text for _ in range(3)] == ["provider"] * 3


# ---- what people write


def with_word(word: str, note: Note) -> Note:
    return Note(word)


def test_odd_functions_may_be_providers() -> None:
    app = App()

    class Made:
        def __call__(self, word: str = "object") -> One:
            return One(word)

    def decorated(function: Callable[..., T]) -> Callable[..., T]:
        @functools.wraps(function)
        def wrapper(*args: Any, **named: Any) -> T:
            return function(*args, **named)

        return wrapper

    @app.provide
    @decorated
    def two(one: One) -> Two:
        return Two(one)

    app.provide(Made())

    @app.get("/")
    def show(
        two: Two,
        note: Annotated[Note, Depends(functools.partial(with_word, "partial", Note()))],
        length: Annotated[int, Depends(lambda: 5)],
    ) -> list[str | int]:
        return [two.one.text, note.text, length]

    assert ask(app).json() == ["object", "partial", 5]


NAMES = [
    *("value", "made", "v1_x", "a1_x", "program", "request", "response", "respond", "visit0"),
    *("Exception", "BaseException", "begin", "finish", "lasting", "missing", "class", "None"),
    *("__builtins__", "__debug__", "background", "early", "bind", "x²", "ﬁ", "<lambda>", "on_loop"),
]


@pytest.mark.parametrize("handler", ["def", "async"])
def test_names_of_functions_do_not_collide_with_the_programs(handler: str) -> None:
    app = App()
    kinds = [type(f"Kind{number}", (), {"name": name}) for number, name in enumerate(NAMES)]

    def making(kind: Any, name: str, *, yields: bool) -> Callable[..., Any]:
        def plain(request: Request) -> Any:
            return kind()

        def generator(request: Request) -> Any:
            yield kind()

        function = generator if yields else plain
        function.__name__ = name
        function.__annotations__["return"] = Iterator[kind] if yields else kind
        return function

    for number, (kind, name) in enumerate(zip(kinds, NAMES, strict=True)):
        app.provide(making(kind, name, yields=bool(number % 2)))

    def show(*args: Any) -> list[str]:
        return [type(value).name for value in args]

    source = ", ".join(f"p{number}: kinds[{number}]" for number in range(len(NAMES)))
    names = ", ".join(f"p{number}" for number in range(len(NAMES)))
    prefix = "async " if handler == "async" else ""
    space: dict[str, Any] = {"kinds": kinds, "show": show}
    exec(f"{prefix}def value({source}) -> list[str]: return show({names})", space)  # noqa: S102 - made here
    app.get("/")(space["value"])

    assert ask(app).json() == NAMES


def test_two_hundred_providers() -> None:
    app = App()
    kinds = [type(f"Many{number}", (), {}) for number in range(200)]

    def making(kind: Any) -> Callable[[], Any]:
        def make() -> Any:
            return kind()

        make.__annotations__["return"] = kind
        return make

    for kind in kinds:
        app.provide(making(kind))
    source = ", ".join(f"p{number}: kinds[{number}]" for number in range(200))
    space: dict[str, Any] = {"kinds": kinds}
    exec(f"def handler({source}) -> int: return len(locals())", space)  # noqa: S102 - made here
    app.get("/")(space["handler"])

    assert ask(app).json() == 200


@pytest.mark.parametrize("is_async", [False, True])
def test_a_stop_iteration_is_a_mistake_and_no_value(is_async: bool) -> None:
    app = App()

    async def outer(request: Request, call_next: Any) -> Any:
        return await call_next(request)

    def outer_def(request: Request, call_next: Any) -> Any:
        return call_next(request)

    @app.get("/", middleware=[outer_def, outer] if is_async else [outer])
    def show() -> str:
        return str(next(iter(())))

    assert ask(app).status == 500


@pytest.mark.parametrize("handler", ["def", "async"])
def test_a_provider_may_read_a_form_and_whoever_may_not_is_told_before(handler: str) -> None:
    app = App()
    log: list[str] = []

    class Picture(Struct):
        size: int

    class Visitor(Struct):
        name: str

    def visitor(request: Request) -> Any:
        log.append("visitor")
        if "x-user" not in request.headers:
            raise Conflict("who")
        return Visitor("ann")

    def picture(visitor: Any, file: UploadFile) -> Any:
        log.append(f"picture {file.size}")
        return Picture(file.size)

    visitor.__annotations__["return"] = Visitor
    picture.__annotations__.update({"visitor": Visitor, "return": Picture})
    app.provide(visitor)
    app.provide(picture)

    def show(picture: Any) -> int:
        return int(picture.size)

    async def show_async(picture: Any) -> int:
        return int(picture.size)

    for function in (show, show_async):
        function.__annotations__["picture"] = Picture
    app.post("/")(show if handler == "def" else show_async)
    files = {"file": ("a.txt", b"12345")}

    with TestClient(app) as client:
        assert client.post("/", files=files, headers={"x-user": "ann"}).json() == 5
        assert client.post("/", files=files).status == 409

    assert log == ["visitor", "picture 5", "visitor"]
