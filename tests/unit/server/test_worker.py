import asyncio
import contextlib
import contextvars
import socket
import threading
import time
import traceback
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from kingpost.server.listen import Address, open_listeners
from kingpost.server.options import Options
from kingpost.server.worker import Worker
from tests.unit.server.service import TestService
from tests.waiting import PATIENCE, is_refused, until, until_async

SHELLS = [
    ("asyncio", "native"),
    ("asyncio", "asyncio"),
    ("uvloop", "native"),
    ("uvloop", "asyncio"),
]
shells = pytest.mark.parametrize(("loop", "driver"), SHELLS)

Loop = Literal["auto", "uvloop", "asyncio"]
Driver = Literal["auto", "native", "asyncio"]

GET = b"GET %b HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"


class Running:
    """A worker on a thread."""

    def __init__(self, service: TestService, options: Options, address: Address) -> None:
        self.listeners = open_listeners(address)
        self.ready = threading.Event()
        self.worker = Worker(service, self.listeners, options, on_ready=lambda _: self.ready.set())
        self.status: int | None = None
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        try:
            self.status = self.worker.run()
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.error = error
        self.ready.set()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    @property
    def port(self) -> int:
        return int(self.listeners[0].url.rpartition(":")[2])

    def get(self, path: str) -> bytes:
        """The whole answer to one request on a connection of its own."""
        with self.connect() as connection:
            connection.sendall(GET % path.encode())
            return read_all(connection)

    def until_begun(self) -> None:
        """Waits until a request is in flight: an `async def` handler has begun then, a `def` handler may wait for its thread."""
        until(lambda: self.in_flight)

    @property
    def in_flight(self) -> int:
        engine = self.worker._engine
        assert engine is not None
        return engine.server.in_flight

    def is_refusing(self) -> bool:
        """Whether new connections are refused."""
        # Not at once: what asyncio accepts while it closes, it leaves to the garbage collector, which warns in a later test.
        time.sleep(0.3)
        return is_refused(self.connect)

    def end(self) -> None:
        self.thread.join(15)
        assert not self.thread.is_alive()


def read_all(connection: socket.socket) -> bytes:
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


@contextmanager
def serving(
    routes: dict[str, Callable[..., Any]] | TestService,
    loop: Loop = "asyncio",
    driver: Driver = "native",
    grace: float = 5.0,
    address: Address | None = None,
) -> Generator[Running]:
    service = routes if isinstance(routes, TestService) else TestService(routes)
    options = Options(loop=loop, driver=driver, grace=grace)
    running = Running(service, options, address or Address(port=0))
    running.thread.start()
    assert running.ready.wait(PATIENCE)
    try:
        yield running
    finally:
        running.worker.stop(now=True)
        running.end()
        for listener in running.listeners:
            listener.close()


async def hello(request: Any) -> str:
    return "hello"


def hello_from_thread(request: Any) -> str:
    return threading.current_thread().name


@shells
def test_a_request_is_answered(loop: Loop, driver: Driver) -> None:
    with serving({"/": hello}, loop, driver) as running:
        answer = running.get("/")

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nhello")


@shells
def test_a_def_handler_runs_on_a_named_thread(loop: Loop, driver: Driver) -> None:
    with serving({"/": hello_from_thread}, loop, driver) as running:
        assert b"kingpost-worker-" in running.get("/")


@shells
@pytest.mark.parametrize("kind", ["async", "thread"])
def test_a_stop_finishes_what_is_in_flight_and_takes_nothing_new(
    loop: Loop, driver: Driver, kind: str
) -> None:
    may_finish = threading.Event()

    async def waiting(request: Any) -> str:
        await until_async(may_finish.is_set)
        return "finished"

    def waiting_on_thread(request: Any) -> str:
        assert may_finish.wait(60)
        return "finished"

    handler: Callable[..., Any] = waiting if kind == "async" else waiting_on_thread
    with (
        serving({"/": handler}, loop, driver, grace=60) as running,
        running.connect() as connection,
    ):
        connection.sendall(GET % b"/")
        running.until_begun()
        running.worker.stop()
        until(running.is_refusing)
        may_finish.set()

        assert read_all(connection).endswith(b"finished")
        running.end()

    assert running.status == 0


@shells
def test_an_idle_connection_does_not_hold_up_a_stop(loop: Loop, driver: Driver) -> None:
    with serving({"/": hello}, loop, driver, grace=60) as running, running.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        connection.recv(65536)
        running.worker.stop()
        # Long before the grace is over.
        running.end()


@shells
def test_a_stop_at_once_cuts_off_what_is_in_flight(loop: Loop, driver: Driver) -> None:
    async def endless(request: Any) -> None:
        await asyncio.Event().wait()

    with (
        serving({"/": endless}, loop, driver, grace=60) as running,
        running.connect() as connection,
    ):
        connection.sendall(GET % b"/")
        running.until_begun()
        running.worker.stop()
        running.worker.stop(now=True)
        # Long before the grace is over.
        running.end()

    assert running.status == 0


def test_the_grace_of_a_stop_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    async def endless(request: Any) -> None:
        await asyncio.Event().wait()

    with serving({"/": endless}, grace=0.2) as running, running.connect() as connection:
        connection.sendall(GET % b"/")
        running.until_begun()
        begun = time.monotonic()
        running.worker.stop()
        running.end()

    assert time.monotonic() - begun >= 0.2
    assert "stopped with 1 request unfinished" in caplog.text


@shells
@pytest.mark.parametrize(
    ("error", "status"),
    [(SystemExit(3), 3), (SystemExit(), 0), (SystemExit("text"), 1), (KeyboardInterrupt(), 130)],
)
@pytest.mark.parametrize("is_async", [True, False], ids=["async", "def"])
def test_what_ends_programs_ends_the_worker_gracefully(
    loop: Loop,
    driver: Driver,
    *,
    error: BaseException,
    status: int,
    is_async: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # One object serves several runs, each of which would find the traceback of the one before.
    error.__traceback__ = None

    async def leave(request: Any) -> None:
        raise error

    def leave_thread(request: Any) -> None:
        raise error

    may_finish = threading.Event()

    async def slow(request: Any) -> str:
        await until_async(may_finish.is_set)
        return "finished"

    routes = {"/slow": slow, "/leave": leave if is_async else leave_thread}
    with serving(routes, loop, driver, grace=60) as running:
        with running.connect() as connection:
            connection.sendall(GET % b"/slow")
            running.until_begun()
            with contextlib.suppress(OSError):
                running.get("/leave")
            may_finish.set()
            assert read_all(connection).endswith(b"finished")
        running.end()

    assert running.status == status
    (record,) = (each for each in caplog.records if each.levelname == "ERROR")
    assert record.getMessage().startswith(
        f"GET '/leave' raised {type(error).__name__}, which ends the process, request "
    )
    # With its traceback: who called exit() is what is asked first.
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    assert traceback.extract_tb(record.exc_info[2])[-1].name.startswith("leave")


def test_start_up_and_clean_up_run_once_and_in_order() -> None:
    service = TestService({"/": hello})

    with serving(service) as running:
        assert service.log == ["start"]
        running.get("/")

    assert service.log == ["start", "end"]


class WithLife(TestService):
    """A service whose start-up and clean-up are given."""

    def __init__(
        self, life: Callable[[], AbstractAsyncContextManager[None]], **routes: Any
    ) -> None:
        super().__init__({f"/{name}": handler for name, handler in routes.items()})
        self.life = life

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        return self.life()


def test_start_up_that_fails_is_raised_and_nothing_is_served() -> None:
    @contextlib.asynccontextmanager
    async def life() -> AsyncGenerator[None]:
        raise LookupError("no database")
        yield

    with serving(WithLife(life)) as running:
        running.end()

    assert isinstance(running.error, LookupError)


def test_clean_up_that_fails_is_raised() -> None:
    @contextlib.asynccontextmanager
    async def life() -> AsyncGenerator[None]:
        yield
        raise LookupError("cannot close")

    with serving(WithLife(life)) as running:
        running.worker.stop()
        running.end()

    assert isinstance(running.error, LookupError)


@pytest.mark.parametrize("kind", ["async", "def"])
def test_requests_start_from_the_context_that_start_up_left(kind: str) -> None:
    variable = contextvars.ContextVar("variable", default="unset")

    @contextlib.asynccontextmanager
    async def life() -> AsyncGenerator[None]:
        variable.set("from start-up")
        yield

    async def read(request: Any) -> str:
        before = variable.get()
        variable.set("from a request")
        return before

    def read_on_thread(request: Any) -> str:
        before = variable.get()
        variable.set("from a request")
        return before

    handler = read if kind == "async" else read_on_thread
    with serving(WithLife(life, it=handler)) as running:
        answers = [running.get("/it") for _ in range(3)]

    assert all(answer.endswith(b"from start-up") for answer in answers)
    assert variable.get() == "unset"


def test_tasks_that_requests_left_are_cancelled_at_the_end() -> None:
    ended = threading.Event()

    async def left() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    tasks: list[asyncio.Task[None]] = []

    async def leave(request: Any) -> str:
        tasks.append(asyncio.create_task(left()))
        return "left"

    with serving({"/": leave}) as running:
        running.get("/")
        assert not ended.is_set()

    assert ended.is_set()


def test_a_worker_that_is_stopped_before_it_runs_never_serves() -> None:
    service = TestService({"/": hello})
    listeners = open_listeners(Address(port=0))
    worker = Worker(service, listeners, Options(loop="asyncio"))

    worker.stop()

    assert worker.run() == 0
    listeners[0].close()


def test_stopping_a_worker_that_has_stopped_does_nothing() -> None:
    with serving({"/": hello}) as running:
        running.worker.stop()
        running.end()
        running.worker.stop()
        running.worker.stop(now=True)


@shells
def test_a_unix_socket_is_served_and_removed(loop: Loop, driver: Driver, tmp_path: Path) -> None:
    path = tmp_path / "socket"

    with (
        serving({"/": hello}, loop, driver, address=Address(uds=str(path))),
        socket.socket(socket.AF_UNIX) as connection,
    ):
        connection.connect(str(path))
        connection.sendall(GET % b"/")
        assert read_all(connection).endswith(b"hello")

    assert not path.exists()


@shells
def test_a_large_answer_to_a_slow_reader_arrives_whole(loop: Loop, driver: Driver) -> None:
    async def large(request: Any) -> str:
        return "x" * 5_000_000

    with serving({"/": large}, loop, driver) as running, running.connect() as connection:
        connection.sendall(GET % b"/")
        time.sleep(0.2)
        answer = read_all(connection)

    assert answer.endswith(b"\r\n\r\n" + b"x" * 5_000_000)


@shells
def test_a_body_in_pieces_is_read_whole(loop: Loop, driver: Driver) -> None:
    async def echo(request: Any) -> str:
        return str(len(request.body))

    with serving({"/": echo}, loop, driver) as running, running.connect() as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 500000\r\n\r\n"
        )
        for _ in range(500):
            connection.sendall(b"y" * 1000)
        assert read_all(connection).endswith(b"\r\n\r\n500000")


@shells
def test_what_is_not_http_is_refused_and_the_reason_arrives(loop: Loop, driver: Driver) -> None:
    with serving({"/": hello}, loop, driver) as running, running.connect() as connection:
        connection.sendall(b"NOT HTTP AT ALL\r\n\r\n" + b"z" * 100_000)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                answer += piece

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"application/problem+json" in answer


def test_a_thread_in_user_code_is_named_and_left_behind() -> None:
    begun, release = threading.Event(), threading.Event()

    def stuck(request: Any) -> str:
        begun.set()
        release.wait(PATIENCE)
        return "late"

    with serving({"/": stuck}, grace=0.1) as running, running.connect() as connection:
        connection.sendall(GET % b"/")
        assert begun.wait(PATIENCE)
        running.worker.stop()
        running.end()
        names = running.worker.stuck_threads(0.1)
        release.set()

    assert len(names) == 1
    assert names[0].startswith("kingpost-worker-")
