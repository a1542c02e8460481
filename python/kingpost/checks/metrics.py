"""`Metrics`: numbers for Prometheus, in its text format (version 0.0.4)."""

from __future__ import annotations

import inspect
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.routing.route import Route, checked_path

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.app.errands import Errand
    from kingpost.app.extensions import Metric

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})
LABEL_ESCAPES = ESCAPES | str.maketrans({'"': r"\""})


class Metrics:
    """Serves what functions under `app.extensions.metric` return, as Prometheus reads it.

    A function that raises, or returns no number, is left out and logged: the others are shown all the same.

    Args:
        path: where. Whoever can reach it can read the numbers.

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

        async def metrics(request: Request) -> Response[str]:
            lines: list[str] = []
            asked: Mapping[str, tuple[Metric, Errand]] = request.dispatch.metrics
            for name, (metric, errand) in asked.items():
                values: list[Any] = []
                try:
                    await errand.called(values.append)
                    lines += written(name, metric, values[-1])
                except Exception:
                    logging.getLogger("kingpost.checks").exception("the metric %s fails", name)
            return Response("".join(f"{line}\n" for line in lines), media_type=MEDIA_TYPE)

        app.include([Route(self.path, metrics, name="show", openapi=False)], name=self.name)


def written(name: str, metric: Metric, value: Any) -> Iterator[str]:
    """The lines of one metric.

    Raises:
        TypeError: the value is no number; with a label, no dict of them.
    """
    told = (inspect.getdoc(metric.claim.function) or "").partition("\n")[0]
    samples = [f"{name} {number(value)}"] if not metric.label else labelled(name, metric, value)
    if told:
        yield f"# HELP {name} {told.translate(ESCAPES)}"
    yield f"# TYPE {name} {metric.kind}"
    yield from samples


def labelled(name: str, metric: Metric, values: Any) -> list[str]:
    if not isinstance(values, Mapping):
        raise TypeError(f"{values!r} is no dict of numbers, and the metric has a label")
    items: list[tuple[Any, Any]] = list(values.items())  # pyright: ignore[reportUnknownArgumentType,reportUnknownMemberType] - looked at one by one
    return [
        f'{name}{{{metric.label}="{str(key).translate(LABEL_ESCAPES)}"}} {number(each)}'
        for key, each in items
    ]


def number(value: Any) -> str:
    """A number as Prometheus reads it."""
    if isinstance(value, bool | int):
        return str(int(value))
    if not isinstance(value, float):
        raise TypeError(f"{value!r} is no number")
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
