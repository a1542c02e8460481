"""Serving an application from this process: sockets, ready line, worker, and leaving."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence

from kingpost.server import logs
from kingpost.server.engine import Service
from kingpost.server.listen import Address, Listener, open_listeners, told
from kingpost.server.operations import open_operations, told_operations
from kingpost.server.options import Options
from kingpost.server.signals import (
    HANG_UP,
    USERS,
    handled,
    has_terminal,
    of_no_use,
    unclaimed,
)
from kingpost.server.systemd import Notifier
from kingpost.server.worker import Worker

# Seconds that threads have to come back from user code once everything else has ended.
_THREAD_GRACE = 1.0


def serve(
    service: Service,
    *,
    host: str | Sequence[str] = "127.0.0.1",
    port: int = 8000,
    address: Address | None = None,
    options: Options | None = None,
) -> None:
    """Serves until SIGINT or SIGTERM and ends the process's serving part; returns only after a stop that went well.

    Args:
        service: What to serve.
        host: One name or number, or several.
        port: 0 to 65535; 0 takes a free one.
        address: Instead of host and port: everything that can be listened on.
        options: How; the defaults are right for most.

    Raises:
        ListenError: the address cannot be had.
        SystemExit: the process was told to end with a status that is not 0.
    """
    logs.set_up()
    hosts = (host,) if isinstance(host, str) else tuple(host)
    where = address if address is not None else Address(hosts=hosts, port=port)
    listeners = open_listeners(where)
    operations: list[Listener] = []
    options = options or Options()
    notifier = Notifier()
    try:
        operations = open_operations(where)
        worker = Worker(
            service,
            listeners,
            options,
            on_ready=_say_ready(service, listeners, operations, options, notifier),
            on_leaving=notifier.stopping,
            operations=operations,
        )
        with handled(_others(worker), unclaimed((*HANG_UP, *USERS))):
            status = worker.run()
        logs.logger().info("Kingpost has stopped")
    finally:
        notifier.close()
        for listener in (*listeners, *operations):
            listener.close()
    leave(status, worker)


def leave(status: int, worker: Worker) -> None:
    """Ends the process with `status`, or returns when that is 0 and no thread is in the way.

    A thread that is stuck in user code must not meet an interpreter that is being taken down, and must not keep the
    process alive: then the process leaves at once, after everything that was written has been flushed.
    """
    stuck = worker.stuck_threads(_THREAD_GRACE) + _others_running(_THREAD_GRACE)
    if stuck and threading.current_thread() is threading.main_thread():
        logs.logger().warning("leaving while user code still runs on %s", ", ".join(stuck))
        flush()
        os._exit(status)
    if status:
        raise SystemExit(status)


def _others(worker: Worker) -> Callable[[int], None]:
    """What is done on signals that would end the process, and are not meant so."""
    had_terminal = has_terminal()

    def hear(number: int) -> None:
        if number in USERS:
            worker.soon(lambda: logs.logger().warning("%s", of_no_use(number)))
        elif had_terminal and not has_terminal():
            # The terminal was closed: nobody is there who could stop this any more.
            worker.stop()
        else:
            worker.soon(
                lambda: logs.logger().warning(
                    "SIGHUP reloads nothing here: one process alone cannot take in new code, and serves on."
                    " Start it with --workers 1, and SIGHUP reloads without a request that fails"
                )
            )

    return hear


def flush() -> None:
    """Writes out what streams and log handlers hold back."""
    import logging

    logging.shutdown()
    flush_streams()


def flush_streams() -> None:
    """Writes out what standard output and error hold back."""
    for stream in (sys.stdout, sys.stderr):
        # It may be closed, from the start or since, or nobody reads it any more.
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()


def _others_running(wait: float) -> list[str]:
    """Names of the threads for which Python would wait at its end, without end if need be."""
    deadline = time.monotonic() + wait
    left: list[str] = []
    for thread in threading.enumerate():
        if (
            thread.daemon
            or thread in (threading.current_thread(), threading.main_thread())
            or _is_idle(thread)
        ):
            continue
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive() and not _is_idle(thread):
            left.append(thread.name)
    return left


def _is_idle(thread: threading.Thread) -> bool:
    """Whether a thread of a `ThreadPoolExecutor` waits for work: Python ends those by itself."""
    # The documented way to see what another thread does.
    frames = sys._current_frames()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # as said above
    frame = frames.get(thread.ident or 0)
    if frame is None:
        return True
    code = frame.f_code
    return code.co_name == "_worker" and code.co_filename.replace(os.sep, "/").endswith(
        "concurrent/futures/thread.py"
    )


def _say_ready(
    service: Service,
    listeners: Sequence[Listener],
    operations: Sequence[Listener],
    options: Options,
    notifier: Notifier,
) -> Callable[[asyncio.AbstractEventLoop], None]:
    def live(loop: asyncio.AbstractEventLoop, every: float) -> None:
        notifier.alive()
        loop.call_later(every, live, loop, every)

    def say(loop: asyncio.AbstractEventLoop) -> None:
        urls = [told(one.url, secure=options.tls is not None) for one in listeners]
        where = " and ".join(urls) + told_operations(operations)
        logs.logger().info("Kingpost is ready on %s (%s)", where, service.mode)
        notifier.ready("serving")
        if notifier.every is not None:
            live(loop, notifier.every)

    return say
