"""The test client for ordinary tests."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import weakref
from collections.abc import Coroutine, Generator, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from kingpost.http.websocket import WebSocketClosed
from kingpost.server.threads import is_on_loop
from kingpost.testing.core import ClientCore, Streamed
from kingpost.testing.face import ClientFace
from kingpost.testing.request import RequestOptions
from kingpost.testing.response import ReplyStart, TestResponse
from kingpost.testing.talk import SocketOptions, Talk

T = TypeVar("T")


class StreamedResponse(ReplyStart):
    """An answer whose body is read while it is made: `for chunk in response`."""

    def __init__(self, streamed: Streamed, loop: _OwnLoop) -> None:
        self.__dict__.update(
            {name: value for name, value in vars(streamed).items() if not name.startswith("_")}
        )
        self._streamed = streamed
        self._loop = loop

    def __iter__(self) -> Iterator[bytes]:
        while data := self._loop.run(self._streamed.next()):
            yield data

    def read(self) -> bytes:
        """The rest of the body."""
        return b"".join(self)


class TestSocket:
    """A WebSocket of the app under test: `with client.websocket("/echo") as ws:`.

    Attributes:
        subprotocol: The one that the app has chosen; None for none.
    """

    __test__ = False

    def __init__(self, talk: Talk, loop: _OwnLoop) -> None:
        self._talk = talk
        self._loop = loop
        self.subprotocol = talk.subprotocol

    @property
    def closed(self) -> tuple[int, str] | None:
        """Code and reason, once the conversation is over and that was read."""
        return self._talk.closed

    def send(self, message: object) -> None:
        """Sends a text, bytes, or anything else as JSON."""
        __tracebackhide__ = True
        self._loop.run(self._talk.send(message))

    def receive(self) -> Any:
        """The next message: text, bytes, or the value of its JSON where the handler is annotated to send JSON.

        Raises:
            WebSocketClosed: the conversation is over; it says with which code.
            TimeoutError: nothing came in time.
            Exception: whatever the handler raised and the app did not handle.
        """
        __tracebackhide__ = True
        return self._loop.run(self._talk.receive())

    def send_json(self, value: object) -> None:
        """Sends the JSON of a value, of a text as well."""
        __tracebackhide__ = True
        self._loop.run(self._talk.send_json(value))

    def receive_json(self) -> Any:
        """The value of the JSON that the next message is; raises as `receive`."""
        __tracebackhide__ = True
        return self._loop.run(self._talk.receive_json())

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Says good-bye, and waits for the app's; what it sends until then can still be received."""
        __tracebackhide__ = True
        self._loop.run(self._talk.close(code, reason))

    def __iter__(self) -> Iterator[Any]:
        """The messages until the conversation is over."""
        while True:
            try:
                message = self.receive()
            except WebSocketClosed:
                return
            yield message


class TestClient(ClientFace):
    """Sends requests to an App in this process: the real engine and the real dispatch, without sockets.

    Args:
        app: What is tested; it runs in mode "test".
        host: The Host that requests name; cookies belong to it.
        headers: Header fields of every request.
        cookies: Cookies to begin with.
        follow_redirects: Whether redirects are followed; off, so that a test sees them.
        raise_errors: Whether an exception that the app does not handle is raised here instead of answered with 500.
        timeout: Seconds without a sign of the answer before TimeoutError, > 0; None waits for ever.

    Example:
        >>> client = TestClient(app)
        >>> response = client.get("/todos", params={"done": True})
        >>> assert response.status == 200

    The App's start-up runs with the first request, or with `with TestClient(app) as client:`; its clean-up at the end
    of that block, with `close()`, or at the latest when the client is thrown away. It drives an event loop of its own
    on the calling thread, and so cannot be used inside a running one: there is `AsyncTestClient` for that.
    """

    def __enter__(self) -> Self:
        self._run(self._core.host.start())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stops the App: its clean-up runs, and its threads end. Harmless the second time.

        Raises:
            Exception: whatever the App's clean-up raises.
        """
        self._is_closed = True
        _close(self._core, self._loop)

    def request(self, method: str, url: str, /, **options: Unpack[RequestOptions]) -> TestResponse:
        """Sends a request and returns the answer.

        Args:
            method: GET, POST or any other.
            url: The path, with a query if need be: "/todos?done=1".
            options: `RequestOptions` says which there are.

        Raises:
            TimeoutError: there was no answer in time.
            RuntimeError: an event loop runs on this thread.
            BadReply: the answer is not HTTP, or was cut off.
            Exception: whatever the handler raised and the app did not handle.
        """
        __tracebackhide__ = True
        return self._run(self._core.request(method, url, options))

    @contextlib.contextmanager
    def stream(
        self, method: str, url: str, /, **options: Unpack[RequestOptions]
    ) -> Generator[StreamedResponse]:
        """Sends a request and gives the answer once its head is there; leaving the block ends the connection.

        Example:
            >>> with client.stream("GET", "/export.csv") as response:
            ...     first = next(iter(response))
        """
        context = self._core.stream(method, url, options)
        streamed = self._run(context.__aenter__())
        try:
            yield StreamedResponse(streamed, self._loop)
        except BaseException as error:
            if not self._loop.run(context.__aexit__(type(error), error, error.__traceback__)):
                raise
        else:
            self._loop.run(context.__aexit__(None, None, None))

    @contextlib.contextmanager
    def websocket(self, url: str, /, **options: Unpack[SocketOptions]) -> Generator[TestSocket]:
        """Opens a WebSocket; leaving the block closes it.

        Example:
            >>> with client.websocket("/echo") as ws:
            ...     ws.send("hello")
            ...     assert ws.receive() == "hello"

        Raises:
            SocketRefused: the app has answered otherwise; `response` has it.
            Exception: whatever the handler raised and the app did not handle.
        """
        __tracebackhide__ = True
        talk = Talk(self._core, url, options)
        self._run(talk.begin())
        try:
            yield TestSocket(talk, self._loop)
        except BaseException:
            self._loop.run(talk.end(quietly=True))
            raise
        self._loop.run(talk.end(quietly=False))

    def raw(self, data: bytes) -> TestResponse:
        """Sends bytes as they are, to try what no client would send; returns the first answer on the connection."""
        __tracebackhide__ = True
        return self._run(self._core.raw(data))

    def get(self, url: str, /, **options: Unpack[RequestOptions]) -> TestResponse:
        """Sends GET."""
        __tracebackhide__ = True
        return self.request("GET", url, **options)

    def post(self, url: str, /, **options: Unpack[RequestOptions]) -> TestResponse:
        """Sends POST."""
        __tracebackhide__ = True
        return self.request("POST", url, **options)

    def put(self, url: str, /, **options: Unpack[RequestOptions]) -> TestResponse:
        """Sends PUT."""
        __tracebackhide__ = True
        return self.request("PUT", url, **options)

    def patch(self, url: str, /, **options: Unpack[RequestOptions]) -> TestResponse:
        """Sends PATCH."""
        __tracebackhide__ = True
        return self.request("PATCH", url, **options)

    def delete(self, url: str, /, **options: Unpack[RequestOptions]) -> TestResponse:
        """Sends DELETE."""
        __tracebackhide__ = True
        return self.request("DELETE", url, **options)

    def head(self, url: str, /, **options: Unpack[RequestOptions]) -> TestResponse:
        """Sends HEAD."""
        __tracebackhide__ = True
        return self.request("HEAD", url, **options)

    def options(self, url: str, /, **options: Unpack[RequestOptions]) -> TestResponse:
        """Sends OPTIONS."""
        __tracebackhide__ = True
        return self.request("OPTIONS", url, **options)

    @functools.cached_property
    def _loop(self) -> _OwnLoop:
        loop = _OwnLoop()
        # For who throws the client away without closing it.
        weakref.finalize(self, _close, self._core, loop)
        return loop

    def _run(self, what: Coroutine[Any, Any, T]) -> T:
        __tracebackhide__ = True
        if self._is_closed:
            what.close()
            raise RuntimeError("this test client is closed: make a new one")
        return self._loop.run(what)


class _OwnLoop:
    """An event loop that runs only while somebody waits for something."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        __tracebackhide__ = True
        if is_on_loop():
            what.close()
            raise RuntimeError(
                "TestClient drives an event loop of its own and cannot be used inside a running one: "
                "in an `async def` test write `async with AsyncTestClient(app) as client:` and `await client.get(…)`"
            )
        if self._loop is None:
            self._loop = asyncio.SelectorEventLoop()
        return self._loop.run_until_complete(what)

    def close(self) -> None:
        loop, self._loop = self._loop, None
        if loop is None:
            return
        try:
            # A loop runs on this thread when the garbage collector calls from inside one: then there is no clean end.
            if not is_on_loop():
                # What ends the process, raised by a handler, leaves the client's own task in the middle of its request.
                if left := asyncio.all_tasks(loop):
                    for task in left:
                        task.cancel()
                    loop.run_until_complete(asyncio.wait(left))
                loop.run_until_complete(loop.shutdown_asyncgens())
                loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            loop.close()

    @property
    def is_used(self) -> bool:
        return self._loop is not None


def _close(core: ClientCore, loop: _OwnLoop) -> None:
    """Stops the App and ends the loop; harmless the second time."""
    try:
        if loop.is_used and not is_on_loop():
            loop.run(core.host.stop())
    finally:
        loop.close()
