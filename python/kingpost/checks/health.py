"""`Health`: whether the process lives, and whether the App can do its work, for those who send it requests."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kingpost.errors import ConfigurationError
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.routing.route import Route, checked_prefix
from kingpost.types import Place

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.app.errands import Errand

LOG = logging.getLogger("kingpost.checks")
NO_STORE = {"cache-control": "no-store"}


class Health:
    """Serves `/livez`, which says that the process answers, and `/readyz`, which asks every health check of the App.

    `/readyz` is answered with 200 where all of them pass, with 503 where one fails or is not done in time; it names them, and says no more:
    what one has raised is in the log. One that was given up and still runs, on a thread that nobody can stop, fails without being called again.

    Args:
        path: stands before both paths, which are served on the port of `--ops-port` alone where there is one.
        timeout: seconds that all checks have together, more than 0, and finite.

    Raises:
        ConfigurationError: `checks.bad-timeout`.
        RoutingError: the path cannot be one.

    Example:
        ```python
        from kingpost import App
        from kingpost.checks import Health

        app = App(plugins=[Health()])

        @app.extensions.health
        def disk() -> None:
            open("data.txt", "a").close()
        ```
    """

    name: str = "health"
    requires: Sequence[str] = ()

    def __init__(self, path: str = "", *, timeout: float = 5.0) -> None:
        self.path = checked_prefix(path)
        self.seconds = checked_seconds(timeout)

    def install(self, app: App, /) -> None:
        """What `app.install` calls."""
        left: dict[str, asyncio.Task[bool]] = {}

        async def readyz(request: Request) -> Response[Any]:
            failed = await failing(request.dispatch.health, self.seconds, left)
            checks = {
                name: "failing" if name in failed else "ok" for name in request.dispatch.health
            }
            told = {"status": "failing" if failed else "ok", "checks": checks}
            return Response(told, status=503 if failed else 200, headers=NO_STORE)

        alive = Response({"status": "ok"}, headers=NO_STORE)
        routes = [
            Route(f"{self.path}/livez", alive, name="livez", openapi=False),
            Route(f"{self.path}/readyz", readyz, name="readyz", openapi=False),
        ]
        if not app.extensions.__operate__(routes, self.name):
            app.include(routes, name=self.name)
            app.extensions.__spare__(*(route.path for route in routes))


def checked_seconds(timeout: object) -> float:
    if (
        isinstance(timeout, int | float)
        and not isinstance(timeout, bool)
        and 0 < timeout < math.inf
    ):
        return timeout
    raise ConfigurationError(
        f"Health(timeout={timeout!r}): it is a number of seconds, more than 0",
        code="checks.bad-timeout",
        remedy="write timeout=5",
        places=[Place.of_caller()],
    )


async def failing(
    checks: Mapping[str, Errand], seconds: float, left: dict[str, asyncio.Task[bool]]
) -> set[str]:
    """The names of those that fail, or are not done in time.

    Args:
        checks: by their names.
        seconds: that they have together.
        left: those that were given up, by their names. A `def` runs on all the same; until it has ended it is not called again, for
            whoever asks every second would take one worker thread after the other.
    """
    stuck = {name for name, task in left.items() if not task.done()} & checks.keys()
    for name in stuck:
        LOG.error("the health check %s still runs since it was given up", name)
    running = {
        name: asyncio.ensure_future(passes(name, each))
        for name, each in checks.items()
        if name not in stuck
    }
    try:
        if running:
            await asyncio.wait(running.values(), timeout=seconds)
        for name, task in running.items():
            if not task.done():
                LOG.error("the health check %s is not done within %g s", name, seconds)
            elif task.cancelled():
                LOG.error("the health check %s was cancelled by what it waits for", name)
        return stuck | {
            name
            for name, task in running.items()
            if not task.done() or task.cancelled() or not task.result()
        }
    finally:
        # Also where nobody waits for the answer any more.
        left.update({name: task for name, task in running.items() if task.cancel()})


async def passes(name: str, check: Errand) -> bool:
    try:
        await check.called(ignore)
    except Exception:
        LOG.exception("the health check %s fails", name)
        return False
    return True


def ignore(_value: object) -> None:
    """What a health check returns says nothing: it raises, or it does not."""
