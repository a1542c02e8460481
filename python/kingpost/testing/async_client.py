"""The test client for tests that are `async def` themselves."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from types import TracebackType
from typing import Any, Self, Unpack

from kingpost.http.websocket import WebSocketClosed
from kingpost.testing.core import Streamed
from kingpost.testing.face import ClientFace
from kingpost.testing.request import RequestOptions
from kingpost.testing.response import ReplyStart, TestResponse
from kingpost.testing.talk import SocketOptions, Talk


class AsyncStreamedResponse(ReplyStart):
    """An answer whose body is read while it is made: `async for chunk in response`."""

    def __init__(self, streamed: Streamed) -> None:
        self.__dict__.update(
            {name: value for name, value in vars(streamed).items() if not name.startswith("_")}
        )
        self._streamed = streamed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self._streamed.next():
            yield data

    async def read(self) -> bytes:
        """The rest of the body."""
        return b"".join([data async for data in self])


class AsyncTestSocket:
    """A WebSocket of the app under test, in a test that is `async def`; otherwise as `TestSocket`.

    Attributes:
        subprotocol: The one that the app has chosen; None for none.
    """

    __test__ = False

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.subprotocol = talk.subprotocol

    @property
    def closed(self) -> tuple[int, str] | None:
        """Code and reason, once the conversation is over and that was read."""
        return self._talk.closed

    async def send(self, message: object) -> None:
        """Sends a text, bytes, or anything else as JSON."""
        await self._talk.send(message)

    async def receive(self) -> Any:
        """The next message, as `TestSocket.receive`."""
        return await self._talk.receive()

    async def send_json(self, value: object) -> None:
        """Sends the JSON of a value, of a text as well."""
        await self._talk.send_json(value)

    async def receive_json(self) -> Any:
        """The value of the JSON that the next message is."""
        return await self._talk.receive_json()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Says good-bye, and waits for the app's."""
        await self._talk.close(code, reason)

    async def __aiter__(self) -> AsyncIterator[Any]:
        """The messages until the conversation is over."""
        while True:
            try:
                message = await self.receive()
            except WebSocketClosed:
                return
            yield message


class AsyncTestClient(ClientFace):
    """Sends requests to an App within the test's own event loop; otherwise as `TestClient`.

    Example:
        >>> async with AsyncTestClient(app) as client:
        ...     response = await client.get("/")
        ...     assert response.text == "Hello, world!"

    It is started by `async with`, or by the first request, and stopped by `async with` or `aclose()`; all requests are
    made on the loop that started it. Requests may be made at the same time.
    """

    async def __aenter__(self) -> Self:
        await self._core.host.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stops the App: its clean-up runs, and its threads end."""
        self._is_closed = True
        await self._core.host.stop()

    async def request(
        self, method: str, url: str, /, **options: Unpack[RequestOptions]
    ) -> TestResponse:
        """As `TestClient.request`."""
        self._check_open()
        return await self._core.request(method, url, options)

    @contextlib.asynccontextmanager
    async def stream(
        self, method: str, url: str, /, **options: Unpack[RequestOptions]
    ) -> AsyncGenerator[AsyncStreamedResponse]:
        """As `TestClient.stream`."""
        self._check_open()
        async with self._core.stream(method, url, options) as streamed:
            yield AsyncStreamedResponse(streamed)

    @contextlib.asynccontextmanager
    async def websocket(
        self, url: str, /, **options: Unpack[SocketOptions]
    ) -> AsyncGenerator[AsyncTestSocket]:
        """As `TestClient.websocket`."""
        self._check_open()
        talk = Talk(self._core, url, options)
        await talk.begin()
        try:
            yield AsyncTestSocket(talk)
        except BaseException:
            await talk.end(quietly=True)
            raise
        await talk.end(quietly=False)

    async def raw(self, data: bytes) -> TestResponse:
        """As `TestClient.raw`."""
        __tracebackhide__ = True
        self._check_open()
        return await self._core.raw(data)

    async def get(self, url: str, /, **options: Unpack[RequestOptions]) -> TestResponse:
        """Sends GET."""
        __tracebackhide__ = True
        return await self.request("GET", url, **options)

    async def post(self, url: str, /, **options: Unpack[RequestOptions]) -> TestResponse:
        """Sends POST."""
        __tracebackhide__ = True
        return await self.request("POST", url, **options)

    async def put(self, url: str, /, **options: Unpack[RequestOptions]) -> TestResponse:
        """Sends PUT."""
        __tracebackhide__ = True
        return await self.request("PUT", url, **options)

    async def patch(self, url: str, /, **options: Unpack[RequestOptions]) -> TestResponse:
        """Sends PATCH."""
        __tracebackhide__ = True
        return await self.request("PATCH", url, **options)

    async def delete(self, url: str, /, **options: Unpack[RequestOptions]) -> TestResponse:
        """Sends DELETE."""
        __tracebackhide__ = True
        return await self.request("DELETE", url, **options)

    async def head(self, url: str, /, **options: Unpack[RequestOptions]) -> TestResponse:
        """Sends HEAD."""
        __tracebackhide__ = True
        return await self.request("HEAD", url, **options)

    async def options(self, url: str, /, **options: Unpack[RequestOptions]) -> TestResponse:
        """Sends OPTIONS."""
        __tracebackhide__ = True
        return await self.request("OPTIONS", url, **options)

    def _check_open(self) -> None:
        if self._is_closed:
            raise RuntimeError("this test client is closed: make a new one")
