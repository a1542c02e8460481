"""What both faces of the test client do, written once, for a running loop."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from kingpost.server.reply import BadReply, ReplyHead
from kingpost.testing.cookies import CookieJar
from kingpost.testing.host import TestHost
from kingpost.testing.hosted import AnyExchange, AnyTalkExchange
from kingpost.testing.request import (
    HeaderFields,
    RequestOptions,
    WireRequest,
    check_options,
    make_request,
    pairs_of,
    redirect_target,
)
from kingpost.testing.response import ReplyStart, TestResponse

if TYPE_CHECKING:
    from kingpost.app.application import App

_MOST_REDIRECTS = 20


class ClientCore:
    """A browser-like client of one App: cookies, redirects, and exceptions that are raised where the test is."""

    def __init__(
        self,
        app: App,
        *,
        host: str,
        headers: HeaderFields,
        cookies: Mapping[str, str],
        follow_redirects: bool,
        raise_errors: bool,
        timeout: float | None,
    ) -> None:
        self.host = TestHost(app)
        self.jar = CookieJar()
        self.jar.update(cookies)
        self._name = host
        self._headers = pairs_of(headers)
        self._follow = follow_redirects
        self._raise = raise_errors
        self._timeout = timeout

    async def request(self, method: str, url: str, options: RequestOptions) -> TestResponse:
        """Sends a request, follows redirects where that is wanted, and returns the complete answer."""
        __tracebackhide__ = True
        check_options(options)
        await self.host.start()
        history: list[TestResponse] = []
        while True:
            response = await self._once(method, url, options, tuple(history))
            if not (response.is_redirect and options.get("follow_redirects", self._follow)):
                return response
            if len(history) == _MOST_REDIRECTS:
                raise RuntimeError(
                    f"more than {_MOST_REDIRECTS} redirects, the last one to {response.headers['location']}"
                )
            history.append(response)
            url = redirect_target(response.url, response.headers["location"], self._name)
            method, options = _after_redirect(method, response.status, options)

    @contextlib.asynccontextmanager
    async def stream(
        self, method: str, url: str, options: RequestOptions
    ) -> AsyncGenerator[Streamed]:
        """Sends a request and gives its answer as soon as the head is there."""
        check_options(options)
        await self.host.start()
        request = self.make(method, url, options)
        exchange = self.exchange(request, options)
        exchange.send(request.head, request)
        streamed = Streamed(self, exchange, request, options)
        try:
            await streamed.begin()
            yield streamed
        finally:
            await exchange.close()
            await self.host.settle()
            if not self._raises(options):
                self.host.forget_errors()

    async def raw(self, data: bytes) -> TestResponse:
        """Sends bytes as they are and returns the first answer on the connection."""
        await self.host.start()
        method = data.partition(b" ")[0].decode("latin-1")
        exchange = self.host.exchange(method, repr(data[:40]), self._timeout)
        try:
            exchange.send(data)
            head = await exchange.head()
            return TestResponse(head, await _all(exchange), _target_of(data), self.jar)
        finally:
            await exchange.close()
            await self.host.settle()
            self.host.forget_errors()

    async def _once(
        self, method: str, url: str, options: RequestOptions, history: tuple[TestResponse, ...]
    ) -> TestResponse:
        __tracebackhide__ = True
        request = self.make(method, url, options)
        exchange = self.exchange(request, options)
        head: ReplyHead | None = None
        try:
            exchange.send(request.head, request)
            head = await exchange.head()
            content = await _all(exchange)
        except BadReply:
            self.raise_error(head, options)
            raise
        finally:
            await exchange.close()
            await self.host.settle()
        self.raise_error(head, options)
        self.keep_cookies(head, request)
        return TestResponse(head, content, request.target, self.jar, history)

    def raise_error(self, head: ReplyHead | None, options: RequestOptions) -> None:
        """Raises what the handler of an answered request has raised, if it did."""
        __tracebackhide__ = True
        error = self.host.error_of(head.get("x-request-id") or "" if head else "")
        if error is not None and self._raises(options):
            raise error

    def keep_cookies(self, head: ReplyHead, request: WireRequest) -> None:
        """Takes in the cookies that an answer sets."""
        path = request.target.partition("?")[0]
        for name, value in head.fields:
            if name == "set-cookie":
                self.jar.receive(value, self._name.partition(":")[0], path)

    def _raises(self, options: RequestOptions) -> bool:
        return options.get("raise_errors", self._raise)

    def make(self, method: str, url: str, options: RequestOptions) -> WireRequest:
        """The request as it is sent: with what the client adds to each.

        Raises:
            ValueError: the address is another site's.
        """
        parts = urlsplit(url)
        if parts.scheme and parts.netloc != self._name:
            raise ValueError(
                f"{url!r} is another site than the tested one, {self._name}: give the path alone"
            )
        path = parts.path or "/"
        return make_request(
            method,
            url,
            options,
            host=self._name,
            headers=self._headers,
            cookie=self.jar.field(path),
        )

    def exchange(self, request: WireRequest, options: RequestOptions) -> AnyExchange:
        """A new connection for a request."""
        timeout = options.get("timeout", self._timeout)
        return self.host.exchange(request.method, f"{request.method} {request.target}", timeout)

    def conversation(self, request: WireRequest, options: RequestOptions) -> AnyTalkExchange:
        """A new connection for a request that asks for a WebSocket."""
        timeout = options.get("timeout", self._timeout)
        return self.host.conversation(f"{request.method} {request.target}", timeout)


class Streamed(ReplyStart):
    """An answer whose body is read piece by piece; the engine of both `StreamedResponse`s."""

    def __init__(
        self, core: ClientCore, exchange: AnyExchange, request: WireRequest, options: RequestOptions
    ) -> None:
        self._core = core
        self._exchange = exchange
        self._request = request
        self._options = options
        self._head: ReplyHead | None = None

    async def begin(self) -> None:
        """Reads the head."""
        try:
            self._head = await self._exchange.head()
        except BadReply:
            self._core.raise_error(None, self._options)
            raise
        self._core.keep_cookies(self._head, self._request)
        super().__init__(self._head, self._request.target, self._core.jar)

    async def next(self) -> bytes:
        """The next bytes, b"" at the end; raises what the handler raised."""
        try:
            data = await self._exchange.read()
        except BadReply:
            self._core.raise_error(self._head, self._options)
            raise
        if not data:
            self._core.raise_error(self._head, self._options)
        return data


async def _all(exchange: AnyExchange) -> bytes:
    pieces: list[bytes] = []
    while piece := await exchange.read():
        pieces.append(piece)
    return b"".join(pieces)


def _after_redirect(
    method: str, status: int, options: RequestOptions
) -> tuple[str, RequestOptions]:
    """Method and arguments of the request that follows a redirect (RFC 9110 section 15.4)."""
    # Parameters and body belonged to the first address; a 307 or 308 repeats the body.
    kept = cast(
        "RequestOptions", {name: value for name, value in options.items() if name != "params"}
    )
    if status in (307, 308):
        return method, kept
    if (status == 303 and method.upper() != "HEAD") or (
        status in (301, 302) and method.upper() == "POST"
    ):
        bodyless = {
            name: value for name, value in kept.items() if name not in ("json", "form", "content")
        }
        return "GET", cast("RequestOptions", bodyless)
    return method, kept


def _target_of(data: bytes) -> str:
    words = data.partition(b"\r\n")[0].split(b" ")
    return words[1].decode("latin-1") if len(words) > 1 else ""
