"""A real server for tests that need one: a browser, another process, a client library."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from kingpost.server.listen import Address, Listener, open_listeners
from kingpost.server.operations import open_operations
from kingpost.server.options import Options
from kingpost.server.worker import Worker

if TYPE_CHECKING:
    from kingpost.app.application import App

# Seconds that requests in flight have when the test is over.
_GRACE = 1.0
# Seconds for start-up, and for the thread to end.
_PATIENCE = 30.0


class LiveServer:
    """Serves an App over TCP on 127.0.0.1 from a thread of this process, in mode "test".

    Args:
        app: What is served.
        port: 0 to 65535; 0, the default, takes a free one.

    Example:
        >>> import urllib.request
        >>> with LiveServer(app) as server:
        ...     urllib.request.urlopen(server.url + "/").status
        200

    An exception in a handler is answered with 500 here: there is no test on the other side of the socket to raise it in.
    """

    def __init__(self, app: App, *, port: int = 0) -> None:
        self._app = app
        self._listeners = open_listeners(Address(port=port))
        self.url = self._listeners[0].url
        """Address without a slash at its end: "http://127.0.0.1:49152"."""
        self._operations: list[Listener] = []
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._worker: Worker | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.url.rpartition(":")[2])

    def start(self) -> None:
        """Starts serving; returns when connections are answered.

        Raises:
            Exception: whatever the App's start-up raises.
            TimeoutError: it took more than 30 seconds.
        """
        from kingpost.app.compile import compile_app

        try:
            service = compile_app(self._app, mode="test")
            self._operations = open_operations(Address(port=self.port))
            options = Options(grace=_GRACE)
            self._worker = Worker(
                service,
                self._listeners,
                options,
                on_ready=lambda _: self._ready.set(),
                operations=self._operations,
            )
            self._thread = threading.Thread(
                target=self._run, args=(self._worker,), name="kingpost-live", daemon=True
            )
            self._thread.start()
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self) -> None:
        if not self._ready.wait(_PATIENCE):
            raise TimeoutError(f"the app's start-up took more than {_PATIENCE:g} seconds")
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Stops serving: requests in flight have a second to finish. Harmless the second time."""
        if self._worker is not None:
            self._worker.stop()
        if self._thread is not None:
            self._thread.join(_PATIENCE)
        for listener in (*self._listeners, *self._operations):
            listener.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self, worker: Worker) -> None:
        try:
            worker.run()
        except BaseException as error:  # noqa: BLE001 - raised in the test's thread
            self._error = error
        finally:
            self._ready.set()
