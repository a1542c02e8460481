"""What `kingpost dev` serves while the code does not run and no older code is there: the error, for browser and curl."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from kingpost import _native
from kingpost.http.response import Response
from kingpost.server.child import Failure
from kingpost.types import Mode

# Seconds after which the browser asks again, so that the page goes away by itself once the file is mended.
_REFRESH = 2


class BrokenService:
    """A service without routes: every request is answered with what is wrong, status 500."""

    mode: Mode = "development"
    trusted_peers: Sequence[tuple[str, int]] = ()

    def __init__(self, error: BaseException, failure: Failure, target: str) -> None:
        self.router = _native.Router()
        self.plans: list[_native.Plan] = []
        self.dispatch = _BrokenDispatch(error, failure, target)
        self.context = contextvars.copy_context()

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        return _nothing()

    def attach(self, call: object) -> None:
        """Runs nothing on threads."""

    async def idle(self) -> None:
        """There is never anything left to do."""


@contextlib.asynccontextmanager
async def _nothing() -> AsyncGenerator[None]:
    yield


class _BrokenDispatch:
    """The dispatch of a `BrokenService`; the names are those of `kingpost.server.dispatch`."""

    request_type = _native.Request
    html_type = str
    response_type = Response
    guard_all = False
    warn_markup = False

    def __init__(self, error: BaseException, failure: Failure, target: str) -> None:
        self._error = error
        self._failure = failure
        self._target = target

    def json_encode(self, value: object) -> bytes:
        raise TypeError("no route gives a value")

    def answer(self, request: Any, plan: int, value: object) -> _native.Answer:
        raise TypeError("no route gives a value")

    def guard(self, request: Any) -> _native.Answer | None:
        return None

    def fail(
        self, request: Any, plan: int | None, error: BaseException
    ) -> _native.Answer | Awaitable[_native.Answer]:
        return self._tell(request)

    def miss(self, request: Any, allowed: tuple[str, ...] | None) -> _native.Answer:
        return self._tell(request)

    def refusal(self, status: int, code: str, sentence: str) -> BaseException:
        return RuntimeError(f"{status} {code}: {sentence}")

    def _tell(self, request: Any) -> _native.Answer:
        from kingpost.app.pages import import_failure_page, may_show_details, page_policy

        fields = [("cache-control", "no-store")]
        if not may_show_details(request.host):
            text = b"The app does not start; the console says why.\n"
            return _native.Answer(
                500, [("content-type", "text/plain; charset=utf-8"), *fields], text
            )
        if "text/html" in request.headers.get("accept", ""):
            page = import_failure_page(self._error, target=self._target, refresh_seconds=_REFRESH)
            body = str(page).encode("utf-8", "replace")
            fields.append(("content-security-policy", page_policy(framed=False)))
            return _native.Answer(
                500, [("content-type", "text/html; charset=utf-8"), *fields], body
            )
        body = f"{self._failure.report.rstrip()}\n".encode("utf-8", "replace")
        return _native.Answer(500, [("content-type", "text/plain; charset=utf-8"), *fields], body)
