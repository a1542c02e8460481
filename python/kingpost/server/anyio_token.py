"""`anyio.from_thread` in worker threads, however late a program imports anyio.

anyio keeps the loop of a worker thread in a thread-local of its own and has no public way to set it. Where anyio is
there when a thread starts, the thread claims its token. Where it is not, nothing is paid for it, neither an import nor
a look per job: a finder waits for anyio's import and puts a thread-local in place that claims in each worker thread
when it is first asked, in those as well that are in the middle of a handler.

Where a future version has moved its parts, `anyio.from_thread` asks for an explicit token, as in any other thread.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_BACKEND = "anyio._backends._asyncio"
_CORE = "anyio._core._eventloop"


class _Here(threading.local):
    """What the current thread may still claim."""

    offer: tuple[asyncio.AbstractEventLoop, ExitStack] | None = None


_here = _Here()


@contextmanager
def anyio_token(loop: asyncio.AbstractEventLoop) -> Generator[None]:
    """Lets `anyio.from_thread` find `loop` from the calling thread, within the block."""
    if _CORE not in sys.modules and _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    with ExitStack() as claims:
        _here.offer = loop, claims
        if "anyio" in sys.modules:
            _claim()
        try:
            yield
        finally:
            _here.offer = None


def _claim() -> bool:
    """Claims what the thread is offered, once; whether it did."""
    offer, _here.offer = _here.offer, None
    if offer is None:
        return False
    loop, claims = offer
    try:
        backend: Any = import_module(_BACKEND)
        core: Any = import_module(_CORE)
        token: AbstractContextManager[object] = core.claim_worker_thread(
            backend.AsyncIOBackend, loop
        )
    except (ImportError, AttributeError, TypeError):
        return False
    claims.enter_context(token)
    return True


class _Locals(threading.local):
    """anyio's thread-locals; a worker thread that has not claimed its token does when one is looked for."""

    def __getattr__(self, name: str) -> Any:
        if _claim():
            return getattr(self, name)
        raise AttributeError(name)


class _Finder:
    """Stands in `sys.meta_path` from the first worker thread to the import of anyio, and finds nothing else."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
        /,
    ) -> ModuleSpec | None:
        """The module that makes anyio's thread-locals, as the other finders find it, and followed."""
        if fullname != _CORE:
            return None
        from importlib.util import find_spec

        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None and not isinstance(spec.loader, type):
            _follow(spec.loader)
        return spec


_finder = _Finder()


def _follow(loader: Any) -> None:
    """Has a loader, of this one module, put our thread-locals in the place of anyio's."""
    execute: Callable[[ModuleType], None] = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        execute(module)
        # Whoever imports them by name comes later: nobody has the old ones.
        if isinstance(getattr(module, "threadlocals", None), threading.local):
            vars(module)["threadlocals"] = _Locals()

    # On the loader and not around it, so that the module's source, data and files are found as ever.
    loader.exec_module = exec_module
