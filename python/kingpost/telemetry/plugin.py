"""`Telemetry`: a server span for each request, and how long it took, by OpenTelemetry's stable conventions for HTTP.

Rule 1: only the API is used. Without an SDK that the program sets up, its spans are none, and cost little.
Rule 2: the query is left out, for it is where tokens stand, and so are fields and bodies.
Rule 3: a span ends with the last byte of the answer, and whatever the handler and the stream do belongs to it.
Rule 4: a WebSocket is answered with 101 when it is accepted, and that is what took time. Its span lasts as long as it does; its end is an event.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from kingpost.errors import ConfigurationError
from kingpost.http.before_body import before_body
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.middleware.decided import decided
from kingpost.middleware.paths import checked_paths, is_below
from kingpost.middleware.streams import Counter, send_through
from kingpost.routing.around import CallNext
from kingpost.types import Place

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram, MeterProvider
    from opentelemetry.trace import Span, Tracer, TracerProvider

    from kingpost.app.application import App

METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
)
OTHER: Final = "_OTHER"
"""Stands for a method that is not known: whoever makes them up shall not make as many series of numbers."""
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""Bounds of durations that the conventions advise."""
NORMAL_CLOSURE: Final = 1000
"""What a WebSocket is closed with whose handler returns."""
LEFT: Final = "client_left"
"""The type of the error where nobody waited for the answer."""

_WATCHED: Final = "kingpost.telemetry"


class Telemetry:
    """Tells OpenTelemetry of each request: a span of kind SERVER, below the one that the client names in `traceparent`, and its duration.

    Install it in an App whose first middleware is `TrustedProxies`, where there is a proxy. Without this plugin nothing of it runs.

    Args:
        except_for: Parts of the site that are not worth a span, by the beginnings of their paths, such as "/livez".
        tracer_provider: where spans go; the program's global one if not said.
        meter_provider: where durations go; the program's global one if not said.

    Raises:
        ConfigurationError: `telemetry.no-opentelemetry` where its API is not installed; `middleware.bad-path`.

    Example:
        ```python
        from kingpost import App
        from kingpost.telemetry import Telemetry

        app = App(plugins=[Telemetry(except_for=["/livez", "/readyz"])])
        ```
    """

    name: str = "telemetry"
    requires: Sequence[str] = ()

    def __init__(
        self,
        *,
        except_for: Sequence[str] = (),
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self._exempt = checked_paths(except_for, option="except_for")
        try:
            from opentelemetry import metrics, trace
        except ImportError:
            raise ConfigurationError(
                "Telemetry() speaks to OpenTelemetry, and its API is not installed",
                code="telemetry.no-opentelemetry",
                remedy="pip install 'kingpost[telemetry]'",
                places=[Place.of_caller()],
            ) from None
        self._tracer: Tracer = trace.get_tracer("kingpost", tracer_provider=tracer_provider)
        meter = metrics.get_meter("kingpost", meter_provider=meter_provider)
        self._durations: Histogram = meter.create_histogram(
            "http.server.request.duration",
            unit="s",
            description="Duration of HTTP server requests.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )

    def install(self, app: App, /) -> None:
        """What `app.install` calls."""
        app.middleware(self._around)
        app.extensions.error_reporter(report)

    @before_body
    async def _around(self, request: Request, call_next: CallNext) -> Response[Any]:
        if is_below(request.path, self._exempt):
            return await call_next(request)
        from opentelemetry import context, propagate, trace

        route: str = request.dispatch.endpoint_of(request)[1]
        method = request.method if request.method in METHODS else OTHER
        told = attributes(request, method, route)
        name = "HTTP" if method == OTHER else method
        span = self._tracer.start_span(
            f"{name} {route}" if route else name,
            context=propagate.extract(request.headers, getter=FIELDS),
            kind=trace.SpanKind.SERVER,
            attributes=told,
        )
        watched = Watched(span, told, self._durations)
        request.cache[_WATCHED] = watched
        socket = request.websocket
        if socket is not None:
            socket.on_accept(watched.accepted)
        token = context.attach(trace.set_span_in_context(span))
        is_streamed = False
        try:
            response = await decided(request, await call_next(request))
            if socket is not None and watched.is_accepted:
                watched.closed(socket.closed)
            else:
                watched.status = response.status
            # A stream is made in this context, too, so the span stays the current one until the context is no more.
            is_streamed = response.file is None and send_through(
                response, watched, keeps_length=True
            )
            if not is_streamed:
                watched.close()
        except asyncio.CancelledError:
            if socket is not None and watched.is_accepted:
                watched.closed(socket.closed)
                watched.close()
            else:
                watched.close(LEFT)
            raise
        except BaseException as error:
            watched.fail(error)
            watched.close()
            raise
        else:
            return response
        finally:
            if not is_streamed:
                context.detach(token)


class Watched(Counter):
    """An answer that is on its way."""

    def __init__(self, span: Span, told: dict[str, str | int], durations: Histogram) -> None:
        super().__init__()
        self._span = span
        self._told = told
        self._durations = durations
        self._start = time.perf_counter()
        self._error = ""
        self.status = 0
        self.is_accepted = False

    def accepted(self) -> None:
        """The request has become a WebSocket."""
        self.is_accepted = True
        self.status = 101
        self._span.set_attribute("http.response.status_code", 101)
        self._measure({"http.response.status_code": 101})

    def closed(self, closed: tuple[int, str] | None) -> None:
        """The WebSocket is over; where nobody has closed it yet, the engine is about to."""
        code = NORMAL_CLOSURE if closed is None else closed[0]
        self._span.add_event("websocket.closed", {"websocket.close_code": code})

    def fail(self, error: BaseException) -> None:
        """Record what went wrong."""
        if self._span.is_recording():
            self._span.record_exception(error)
        self._error = qualified(error)

    def over(self, *, whole: bool) -> None:
        """The stream has ended, or was cut off."""
        self.close("" if whole else LEFT)

    def close(self, kind: str = "") -> None:
        """End the span; `kind` is that of the error where the status does not say it."""
        from opentelemetry.trace import Status, StatusCode

        ending: dict[str, str | int] = {}
        if self.status:
            ending["http.response.status_code"] = self.status
        is_ours = self.status >= 500 or bool(self._error)
        if kind or is_ours:
            ending["error.type"] = self._error or kind or str(self.status)
        if is_ours:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.set_attributes(ending)
        self._span.end()
        if not self.is_accepted:
            self._measure(ending)

    def _measure(self, ending: Mapping[str, str | int]) -> None:
        measured = {key: value for key, value in self._told.items() if key in MEASURED}
        self._durations.record(time.perf_counter() - self._start, {**measured, **ending})


MEASURED: Final = frozenset(
    {"http.request.method", "http.route", "url.scheme", "network.protocol.version"}
)
"""What durations are told apart by: nothing of which there are many."""


def attributes(request: Request, method: str, route: str) -> dict[str, str | int]:
    """What is known of a request before it is answered."""
    host, port = host_and_port(request.host)
    told: dict[str, str | int | None] = {
        "http.request.method": method,
        "http.request.method_original": request.method if method == OTHER else None,
        "url.path": request.path,
        "url.scheme": request.scheme,
        "http.route": route or None,
        "server.address": host or None,
        "server.port": port,
        "client.address": request.client,
        "network.protocol.version": request.http_version.removeprefix("HTTP/"),
        "user_agent.original": request.headers.get("user-agent"),
    }
    return {key: value for key, value in told.items() if value is not None}


def host_and_port(host: str) -> tuple[str, int | None]:
    """Both parts of a Host field."""
    name, colon, port = host.rpartition(":")
    if colon and port.isascii() and port.isdigit():
        return name.strip("[]"), int(port)
    return host.strip("[]"), None


class Fields:
    """Reads the fields of a request for what finds a trace in them."""

    def get(self, carrier: Any, key: str) -> list[str] | None:
        """All values of a field; None where there is none."""
        return carrier.get_all(key) or None

    def keys(self, carrier: Any) -> list[str]:
        """The names of the fields."""
        return list(carrier.keys())


FIELDS: Final[Any] = Fields()


def report(error: BaseException, request: Request | None) -> None:
    """Record what no error handler took in the span of its request."""
    watched = None if request is None else request.cache.get(_WATCHED)
    if isinstance(watched, Watched):
        watched.fail(error)


def qualified(error: BaseException) -> str:
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
