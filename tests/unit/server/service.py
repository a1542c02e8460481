"""An application without App: handlers straight on the engine, for tests of what is below App."""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from kingpost import _native
from kingpost.http.response import Response
from kingpost.types import Mode


class TestDispatch:
    """Answers by type, errors as text."""

    __test__ = False
    request_type = _native.Request
    html_type = str
    response_type = Response
    guard_all = False
    warn_markup = False

    def json_encode(self, value: object) -> bytes:
        return json.dumps(value).encode()

    def answer(self, request: Any, plan: int, value: object) -> _native.Answer:
        return value if isinstance(value, _native.Answer) else _native.Answer(200, [], b"")

    def guard(self, request: Any) -> None:
        return None

    def fail(self, request: Any, plan: int | None, error: BaseException) -> _native.Answer:
        return _native.Answer(500, [], repr(error).encode())

    def miss(self, request: Any, allowed: tuple[str, ...] | None) -> _native.Answer:
        return _native.Answer(404, [("content-type", "text/html")], b"<p>no</p>")

    def refusal(self, status: int, code: str, sentence: str) -> BaseException:
        return RuntimeError(f"{status} {code}: {sentence}")


class TestService:
    """What a server serves."""

    __test__ = False
    mode: Mode = "test"
    trusted_peers: Sequence[tuple[str, int]] = ()

    def __init__(self, routes: dict[str, Callable[..., Any]]) -> None:
        self.router = _native.Router()
        self.plans: list[_native.Plan] = []
        self.dispatch = TestDispatch()
        self.context = contextvars.copy_context()
        self.log: list[str] = []
        for index, (path, handler) in enumerate(routes.items()):
            self.router.add(path, ["GET", "POST"], index, "test")
            kind: Any = "async" if inspect.iscoroutinefunction(handler) else "thread"
            self.plans.append(
                _native.Plan(
                    handler,
                    kind=kind,
                    binders=[("request", None)],
                    slow=lambda request: ((request,), {}),
                )
            )

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        return self._life()

    @contextlib.asynccontextmanager
    async def _life(self) -> AsyncGenerator[None]:
        self.log.append("start")
        yield
        self.log.append("end")

    def attach(self, call: object) -> None:
        """Runs nothing on threads."""

    async def idle(self) -> None:
        """Nothing is ever left."""
