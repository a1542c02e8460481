"""The test client for tests that are `async def` themselves."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from types import TracebackType
from typing import Self, Unpack

from kingpost.testing.core import Streamed
from kingpost.testing.face import ClientFace
from kingpost.testing.request import RequestOptions
from kingpost.testing.response import ReplyStart, TestResponse


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
