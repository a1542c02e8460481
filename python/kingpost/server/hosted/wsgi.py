"""An application as PEP 3333 wants it: for gunicorn, mod_wsgi, CGI and whatever else speaks it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from kingpost.server.engine import Service
from kingpost.server.hosted.background import Background
from kingpost.server.hosted.processes import warn_of_others
from kingpost.server.hosted.wsgi_call import WsgiCall

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class WsgiApplication:
    """Serves on whichever thread it is called; what is asynchronous runs on one loop of the process.

    Args:
        make: Compiles the application.
        grace: Seconds that requests in flight have at a stop; as the native server's if not said.
    """

    def __init__(self, make: Callable[[], Service], *, grace: float | None = None) -> None:
        self._make = make
        self._grace = grace
        self._lock = threading.Lock()
        self._process = 0
        self._background: Background | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        background = self.here(multiprocess=environ.get("wsgi.multiprocess"))
        engine = background.start()
        return WsgiCall(background, engine, environ).answer(start_response)

    def here(self, *, multiprocess: object = None) -> Background:
        """What serves in this process: after a fork, another one.

        Args:
            multiprocess: whether there are others, as the host says.
        """
        if self._background is None or self._process != os.getpid():
            with self._lock:
                if self._background is None or self._process != os.getpid():
                    warn_of_others(multiprocess)
                    made = Background(self._make, grace=self._grace)
                    self._background, self._process = made, os.getpid()
        return self._background

    def __repr__(self) -> str:
        return f"<WSGI application of {self._make!r}>"
