"""The text format of Prometheus, version 0.0.4: what was measured, as it reads it.

Names are those of OpenTelemetry's semantic conventions where there are some, spelled as Prometheus has them; the others begin with
`kingpost_`, and what is known of every process with `process_`.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kingpost.server.readings import Histogram, Read

ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})
LABEL_ESCAPES = ESCAPES | str.maketrans({'"': r"\""})


def measured(read: Read) -> Iterator[str]:
    """The lines of what was measured of all workers."""
    yield from durations(read)
    simple = (
        ("http_server_active_requests", "gauge", "Requests that are being answered.", "in_flight"),
        ("kingpost_body_sent_bytes_total", "counter", "Bytes of the bodies of answers.", "sent"),
        ("kingpost_body_received_bytes_total", "counter", "Bytes of whole bodies of requests.", "received"),
        ("kingpost_connections", "gauge", "Connections that are open.", "connections"),
        ("kingpost_connections_accepted_total", "counter", "Connections that there were.", "accepted"),
        ("kingpost_threads", "gauge", "Threads for handlers that are a def.", "threads"),
        ("kingpost_threads_idle", "gauge", "Threads that wait for something to do.", "threads_idle"),
        ("kingpost_thread_queue_length", "gauge", "Requests that wait for a thread.", "queue"),
        ("kingpost_workers", "gauge", "Workers that serve.", "workers"),
        ("kingpost_workers_started_total", "counter", "Workers that were started, each successor counted.", "started"),
        ("process_resident_memory_bytes", "gauge", "Memory of all workers.", "memory"),
        ("process_open_fds", "gauge", "Open files of all workers.", "files"),
    )  # fmt: skip
    for name, kind, told, key in simple:
        yield from family(name, kind, told)
        yield f"{name} {read.number(key)}"
    yield from family("process_cpu_seconds_total", "counter", "CPU time of all workers.")
    yield f"process_cpu_seconds_total {number(read.number('cpu') / 1e6)}"
    yield from family(
        "kingpost_refused_total", "counter", "Requests that the server refused by itself."
    )
    for code, count in sorted(read.below("refused")):
        yield f"kingpost_refused_total{labels({'code': code})} {count}"
    yield from family(
        "kingpost_bus_lost_total", "counter", "Messages between workers that there was no room for."
    )
    yield f"kingpost_bus_lost_total {read.others.get('bus.lost', 0)}"
    yield from lags(read)
    yield from family("kingpost_build_info", "gauge", "What runs.")
    yield f"kingpost_build_info{labels(build())} 1"


def durations(read: Read) -> Iterator[str]:
    from kingpost.server.readings import DURATION_BOUNDS

    name = "http_server_request_duration_seconds"
    yield from family(name, "histogram", "Time until the last byte of the answer was handed over.")
    for route, histogram in read.requests().items():
        told = {"http_request_method": route.method, "http_response_status_code": route.status}
        if route.path:
            told["http_route"] = route.path
        yield from buckets(name, DURATION_BOUNDS, histogram, told)


def lags(read: Read) -> Iterator[str]:
    from kingpost.server.readings import LAG_BOUNDS

    name = "kingpost_loop_lag_seconds"
    yield from family(name, "histogram", "How late the event loop is, asked four times a second.")
    yield from buckets(name, LAG_BOUNDS, read.lag(), {})


@cache
def build() -> Mapping[str, str]:
    """Versions."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        ours = version("kingpost")
    except PackageNotFoundError:
        ours = "unknown"
    return {
        "version": ours,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
    }


def family(name: str, kind: str, told: str) -> Iterator[str]:
    """What stands before the samples of a metric."""
    if told:
        yield f"# HELP {name} {told.translate(ESCAPES)}"
    yield f"# TYPE {name} {kind}"


def buckets(
    name: str, bounds: Sequence[float], histogram: Histogram, told: Mapping[str, Any]
) -> Iterator[str]:
    """The samples of one histogram."""
    for bound, count in zip((*bounds, math.inf), histogram.counts, strict=True):
        yield f"{name}_bucket{labels({**told, 'le': number(float(bound))})} {count}"
    yield f"{name}_sum{labels(told)} {number(histogram.seconds)}"
    yield f"{name}_count{labels(told)} {histogram.counts[-1]}"


def labels(told: Mapping[str, Any]) -> str:
    """Labels with their values, as they stand behind a name."""
    if not told:
        return ""
    pairs = (f'{key}="{str(value).translate(LABEL_ESCAPES)}"' for key, value in told.items())
    return f"{{{','.join(pairs)}}}"


def number(value: Any) -> str:
    """A number as Prometheus reads it.

    Raises:
        TypeError: it is none.
    """
    if isinstance(value, bool | int):
        return str(int(value))
    if not isinstance(value, float):
        raise TypeError(f"{value!r} is no number")
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
