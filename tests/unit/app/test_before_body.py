"""What needs no body runs before it is read, where it has not come with the head."""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import ExitStack, contextmanager
from inspect import signature
from typing import Annotated, Any

import pytest

import kingpost.middleware
from kingpost import (
    App,
    BackgroundTasks,
    Blueprint,
    BodyStream,
    CallNext,
    Forbidden,
    Form,
    Header,
    Request,
    Response,
    Struct,
    Unauthorized,
)
from kingpost.app.compile import compile_app
from kingpost.http import before_body
from kingpost.http.before_body import is_before_body
from kingpost.testing import LiveServer, TestClient
from tests.programs.test_programs import program
from tests.waiting import PATIENCE, until

WAITS = "expect: 100-continue\r\n"
CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n"


class User(Struct):
    name: str


class Note(Struct):
    text: str


class Connection:
    """What is given back."""


class Pool:
    """What is given back on the loop."""


def user(authorization: Annotated[str | None, Header()] = None) -> User:
    if authorization is None:
        raise Unauthorized("who are you?")
    return User(name=authorization)


class Talk:
    """One connection, spoken to piece by piece."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.heard = ""

    def send(self, text: str) -> None:
        self.socket.sendall(text.encode())

    def head(self, path: str, fields: str, length: int = 12) -> None:
        self.send(
            f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            f"content-length: {length}\r\n{fields}\r\n"
        )

    def post(self, path: str, fields: str, body: str) -> None:
        """Send a body behind its head, when the server asks for it."""
        self.head(path, WAITS + fields, len(body))
        assert self.hears("\r\n\r\n") == CONTINUE
        self.send(body)

    def hears(self, pattern: str) -> str:
        """What was said up to a pattern."""
        while (found := re.search(pattern, self.heard, re.DOTALL)) is None:
            received = self.socket.recv(65536)
            assert received, self.heard
            self.heard += received.decode()
        said, self.heard = self.heard[: found.end()], self.heard[found.end() :]
        return said


@contextmanager
def talking(app: App, mode: str = "production") -> Generator[Talk]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KINGPOST_ENV", mode)
        with LiveServer(app) as live:
            talk = Talk(live.port)
            with talk.socket:
                yield talk


def made(handler: Any, *, hook: Any = None, **options: Any) -> App:
    app = App()
    app.provide(user)
    if hook is not None:
        app.before_request(hook)
    app.post("/notes", **options)(handler)
    return app


def def_handler(note: Note, user: User) -> str:
    return f"{note.text} by {user.name}"


async def async_handler(note: Note, user: User) -> str:
    return f"{note.text} by {user.name}"


HANDLERS = pytest.mark.parametrize("handler", [def_handler, async_handler])


@HANDLERS
def test_who_is_refused_is_not_told_to_send(handler: Any) -> None:
    with talking(made(handler)) as talk:
        talk.head("/notes", WAITS)
        said = talk.hears(r"who are you\?.*\}")

    assert said.startswith("HTTP/1.1 401 ")
    assert "100 Continue" not in said


@HANDLERS
@pytest.mark.parametrize("mode", ["production", "development", "test"])
def test_who_may_is_told_to_send(handler: Any, mode: str) -> None:
    with talking(made(handler), mode) as talk:
        talk.head("/notes", WAITS + "authorization: ann\r\n")
        assert talk.hears("\r\n\r\n") == CONTINUE
        talk.send('{"text":"x"}')
        assert talk.hears("x by ann").startswith("HTTP/1.1 200 ")
        # The connection goes on.
        talk.post("/notes", "authorization: ben\r\n", '{"text":"y"}')
        talk.hears("y by ben")


@HANDLERS
@pytest.mark.parametrize(
    ("fields", "status"), [("", 401), ("authorization: ann\r\n", 413)], ids=["who", "too much"]
)
def test_a_gigabyte_is_refused_before_it_is_sent(handler: Any, fields: str, status: int) -> None:
    with talking(made(handler)) as talk:
        talk.head("/notes", fields, length=1_000_000_000)
        assert talk.hears(r"\r\n\r\n\{.*\}").startswith(f"HTTP/1.1 {status} ")


@HANDLERS
@pytest.mark.parametrize(("size", "status"), [(2000, 200), (2001, 413)])
def test_the_limit_holds_for_what_comes_late(handler: Any, size: int, status: int) -> None:
    body = '{"text":"' + "x" * (size - 11) + '"}'
    with talking(made(handler, max_body=2000)) as talk:
        talk.send(
            "POST /notes HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            "authorization: ann\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        talk.send(f"{len(body):x}\r\n{body}\r\n0\r\n\r\n")
        assert talk.hears("\r\n\r\n").startswith(f"HTTP/1.1 {status} ")


@HANDLERS
def test_mistakes_in_a_late_body_are_told_as_ever(handler: Any) -> None:
    with talking(made(handler)) as talk:
        talk.post("/notes", "authorization: ann\r\n", '{"text": 12}')
        said = talk.hears(r"\]\}")

    assert said.startswith("HTTP/1.1 422 ")
    assert '"code":"not-text"' in said


def test_what_may_read_the_body_has_it() -> None:
    """Whoever takes the Request could read it: then the body is there, however late it comes."""
    seen: list[bytes] = []

    def signed(request: Request) -> None:
        seen.append(request.body)

    with talking(made(def_handler, hook=signed)) as talk:
        talk.post("/notes", "authorization: ann\r\n", '{"text":"x"}')
        talk.hears("x by ann")

    assert seen == [b'{"text":"x"}']


def test_a_hook_that_promises_needs_no_body() -> None:
    @before_body
    def no_robots(request: Request) -> None:
        if "bot" in request.headers.get("user-agent", ""):
            raise Forbidden("no robots")

    with talking(made(def_handler, hook=no_robots)) as talk:
        talk.head("/notes", WAITS + "user-agent: bot\r\n")
        assert talk.hears("no robots").startswith("HTTP/1.1 403 ")


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_what_is_required_of_a_request(colour: str) -> None:
    @before_body
    def may(request: Request) -> bool:
        return "session" in request.cookies

    @before_body
    async def may_async(request: Request) -> bool:
        return "session" in request.cookies

    def known(user: User) -> bool:
        return True

    app = made(def_handler, requires=[may if colour == "def" else may_async, known])
    with talking(app) as talk:
        talk.head("/notes", WAITS + "authorization: ann\r\n")
        assert talk.hears("you may not").startswith("HTTP/1.1 403 ")
    with talking(app) as talk:
        talk.head("/notes", WAITS + "cookie: session=1\r\n")
        assert talk.hears("who are you").startswith("HTTP/1.1 401 ")
        assert "100 Continue" not in talk.heard


def test_what_names_the_body_has_it_whatever_it_promises() -> None:
    seen: list[str] = []

    @before_body
    def look(note: Note, request: Request) -> None:
        seen.append(note.text)

    def handler(request: Request) -> str:
        return "done"

    with talking(made(handler, before=[look])) as talk:
        talk.post("/notes", "", '{"text":"x"}')
        talk.hears("done")

    assert seen == ["x"]


def test_a_broken_promise_is_told() -> None:
    found: list[Exception] = []

    @before_body
    def liar(request: Request) -> None:
        try:
            request.json()
        except RuntimeError as error:
            found.append(error)

    with talking(made(def_handler, hook=liar)) as talk:
        talk.post("/notes", "authorization: ann\r\n", '{"text":"x"}')
        talk.hears("x by ann")

    assert [str(each) for each in found] == [
        "the body is still to come: what is marked with before_body runs without it"
    ]


def holding() -> tuple[App, list[str]]:
    """An App with a provider of connections, and what becomes of them."""
    app, order = App(), list[str]()

    @app.provide
    def connection() -> Generator[Connection]:
        order.append("opened")
        yield Connection()
        order.append("closed")

    return app, order


def test_what_only_holds_something_is_made_when_the_body_is_there() -> None:
    app, order = holding()
    app.provide(user)

    @app.provide
    async def pool() -> AsyncIterator[Pool]:
        order.append("pool")
        yield Pool()

    @app.post("/notes")
    def save(note: Note, connection: Connection, pool: Pool, user: User) -> str:
        order.append("saved")
        return note.text

    with talking(app) as talk:
        talk.head("/notes", WAITS)
        talk.hears("who are you")
    assert order == []

    with talking(app) as talk:
        talk.head("/notes", WAITS + "authorization: ann\r\n")
        talk.hears("\r\n\r\n")
        assert order == []
        talk.send('{"text":"x"}')
        talk.hears("\r\n\r\nx")
    assert sorted(order) == ["closed", "opened", "pool", "saved"]


def test_what_is_asked_who_it_is_may_hold_something() -> None:
    app, order = holding()

    @app.provide
    def account(connection: Connection) -> User:
        raise Unauthorized("not in the table")

    app.post("/notes")(def_handler)

    with talking(app) as talk:
        talk.head("/notes", WAITS)
        talk.hears("not in the table")
    assert order == ["opened"]


def test_forms_too() -> None:
    app = App()
    app.provide(user)

    @app.post("/contact")
    async def contact(name: Annotated[str, Form()], user: User) -> str:
        return f"{name} by {user.name}"

    with talking(app) as talk:
        fields = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 6\r\n"
        head = f"POST /contact HTTP/1.1\r\nhost: localhost\r\n{fields}{WAITS}"
        talk.send(f"{head}authorization: ann\r\n\r\n")
        assert talk.hears("\r\n\r\n") == CONTINUE
        talk.send("name=x")
        talk.hears("x by ann")
        talk.send(f"{head}\r\n")
        assert "100 Continue" not in talk.hears("who are you")


def test_middleware_that_does_not_promise_gets_the_body_whole() -> None:
    bodies: list[bytes] = []
    app = made(def_handler)

    @app.middleware
    async def audit(request: Request, call_next: CallNext) -> Response[Any]:
        bodies.append(request.body)
        return await call_next(request)

    with talking(app) as talk:
        talk.post("/notes", "authorization: ann\r\n", '{"text":"x"}')
        talk.hears("x by ann")

    assert bodies == [b'{"text":"x"}']


def test_the_middleware_in_the_box_promises_but_for_csrf() -> None:
    kinds = [getattr(kingpost.middleware, name) for name in kingpost.middleware.__all__]
    box = [
        kind
        for kind in kinds
        if isinstance(kind, type)
        and "__call__" in vars(kind)
        and "call_next" in signature(vars(kind)["__call__"]).parameters
    ]

    assert len(box) > 10
    assert [kind.__name__ for kind in box if not is_before_body(kind)] == ["Csrf"]


@pytest.mark.parametrize("marked", [True, False])
def test_def_middleware_never_waits_for_a_client(marked: bool) -> None:
    app = made(def_handler)

    def audit(request: Request, call_next: Any) -> Response[Any]:
        response: Response[Any] = call_next(request)
        return response

    app.middleware(before_body(audit) if marked else audit)

    assert compile_app(app, mode="production").routes[0].served.early is None


def test_what_has_to_be_done_afterwards_is_done() -> None:
    done: list[str] = []
    app = App()
    app.provide(user)

    @app.post("/notes")
    def save(note: Note, user: User, background: BackgroundTasks) -> str:
        background.add_task(done.append, note.text)
        return "saved"

    with talking(app) as talk:
        talk.post("/notes", "authorization: ann\r\n", '{"text":"x"}')
        talk.hears("saved")
    assert done == ["x"]


def test_a_blueprint_in_a_mounted_app() -> None:
    inner = App()
    inner.provide(user)
    group = Blueprint("notes", prefix="/notes")
    group.post("/new")(async_handler)
    inner.include(group)
    app = App()
    app.mount("/inner", inner)

    with talking(app) as talk:
        talk.head("/inner/notes/new", WAITS)
        assert talk.hears("who are you").startswith("HTTP/1.1 401 ")


def test_an_override_that_takes_the_request_gets_its_body() -> None:
    app = made(async_handler)

    def other(request: Request) -> User:
        return User(name=request.body.decode())

    with TestClient(app) as client, app.override(User, other):
        assert client.post("/notes", json={"text": "x"}).text == 'x by {"text":"x"}'


def plain(note: Note) -> str:
    return note.text


def streamed(stream: BodyStream, user: User) -> str:
    return user.name


def only_reads(user: User) -> str:
    return user.name


@pytest.mark.parametrize(("handler", "method"), [(plain, "POST"), (streamed, "POST"), (only_reads, "GET")])  # fmt: skip
def test_nothing_is_compiled_for_routes_where_nothing_would_run_early(
    handler: Any, method: str
) -> None:
    app = App()
    app.provide(user)
    app.route("/notes", methods=[method])(handler)

    compiled = compile_app(app, mode="production")

    assert len(compiled.plans) == 1
    assert compiled.routes[0].served.early is None


def test_what_explain_says() -> None:
    text = compile_app(made(def_handler), mode="production").explain("/notes", "POST")

    assert "at most 1 MiB; what needs none runs before it" in text


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        (WAITS, 401, "who are you"),
        (WAITS + "user-agent: bot\r\n", 403, "robots do not report"),
        ("authorization: ann\r\n", 201, '"lines":1'),
    ],
)
def test_the_program(fields: str, status: int, said: str) -> None:
    with talking(program("before_body")) as talk:
        talk.head("/reports", fields, length=14)
        if status == 201:
            talk.send('{"lines":[""]}')
        told = talk.hears(said)

    assert told.startswith(f"HTTP/1.1 {status} ")
    assert "referrer-policy" in told


def test_a_slow_crowd_holds_no_thread() -> None:
    """More clients than threads send their bodies slowly; others are served meanwhile."""
    app, known = App(), list[str]()

    @app.provide
    def user(authorization: Annotated[str, Header()]) -> User:
        known.append(authorization)
        return User(name=authorization)

    app.post("/notes")(def_handler)

    with LiveServer(app) as live, ExitStack() as stack:
        *crowd, other = (Talk(live.port) for _ in range(61))
        for talk in (*crowd, other):
            stack.enter_context(talk.socket)
        for talk in crowd:
            talk.head("/notes", "authorization: ann\r\n")
        until(lambda: len(known) == len(crowd))
        other.head("/notes", "authorization: ben\r\n")
        other.send('{"text":"y"}')
        other.hears("y by ben")
        for talk in crowd:
            talk.send('{"text":"x"}')
            talk.hears("x by ann")
