"""`Metrics`: numbers for Prometheus, in its text format (version 0.0.4)."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kingpost.checks.exposition import build, family, labels, measured, number
from kingpost.http.counting import keep_here
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.routing.route import Route, checked_path

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.app.errands import Errand
    from kingpost.app.extensions import Metric

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Serves numbers as Prometheus reads them: what is measured of the server, and what functions under `app.extensions.metric` return.

    Measured are, of all workers together, requests by method, route and status with their durations, connections, bodies, refusals, threads and
    their queue, how late the event loops are, workers, and what the processes use. Without this plugin nothing of it is.

    A function that raises, or returns no number, is left out and logged: the others are shown all the same.

    Args:
        path: where; on the port of `--ops-port` alone where there is one. Whoever can reach it can read the numbers.

    Raises:
        RoutingError: the path cannot be one.

    Example:
        ```python
        from kingpost import App
        from kingpost.checks import Metrics

        app = App(plugins=[Metrics()])

        @app.extensions.metric("shop_orders_waiting")
        def waiting() -> int:
            return 3
        ```
    """

    name: str = "metrics"
    requires: Sequence[str] = ()

    def __init__(self, path: str = "/metrics") -> None:
        self.path = checked_path(path)

    def install(self, app: App, /) -> None:
        """What `app.install` calls."""
        app.extensions.__measure__()
        keep_here("Metrics")
        # Now, and not on the loop: it reads files.
        build()

        async def metrics(request: Request) -> Response[str]:
            readings = request.dispatch.readings
            lines: list[str] = [] if readings is None else list(measured(readings.read()))
            asked: Mapping[str, tuple[Metric, Errand]] = request.dispatch.metrics
            for name, (metric, errand) in asked.items():
                values: list[Any] = []
                try:
                    await errand.called(values.append)
                    lines += written(name, metric, values[-1])
                except Exception:
                    logging.getLogger("kingpost.checks").exception("the metric %s fails", name)
            return Response("".join(f"{line}\n" for line in lines), media_type=MEDIA_TYPE)

        routes = [Route(self.path, metrics, name="show", openapi=False)]
        if not app.extensions.__operate__(routes, self.name):
            app.include(routes, name=self.name)


def written(name: str, metric: Metric, value: Any) -> Iterator[str]:
    """The lines of one metric.

    Raises:
        TypeError: the value is no number; with a label, no dict of them.
    """
    told = (inspect.getdoc(metric.claim.function) or "").partition("\n")[0]
    samples = [f"{name} {number(value)}"] if not metric.label else labelled(name, metric, value)
    yield from family(name, metric.kind, told)
    yield from samples


def labelled(name: str, metric: Metric, values: Any) -> list[str]:
    if not isinstance(values, Mapping):
        raise TypeError(f"{values!r} is no dict of numbers, and the metric has a label")
    items: list[tuple[Any, Any]] = list(values.items())  # pyright: ignore[reportUnknownArgumentType,reportUnknownMemberType] - looked at one by one
    return [f"{name}{labels({metric.label: key})} {number(each)}" for key, each in items]
