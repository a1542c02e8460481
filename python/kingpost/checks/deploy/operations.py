"""Whether those who run it can see how it is, and stop it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from kingpost.checks.deploy.site import Setup, Site, Told, around, warning
from kingpost.middleware import AccessLog, RateLimit, WhenSent

if TYPE_CHECKING:
    from kingpost.app.plan import CompiledRoute

LOGIN = re.compile(
    r"log-?_?in|sign-?_?in|sign-?_?up|password|passwd|token|regist|otp|2fa", re.IGNORECASE
)
UNSAFE: Final = {"POST", "PUT", "PATCH"}
KUBERNETES: Final = 30.0
"""Seconds after which Kubernetes kills what it has told to stop."""
DOCKER: Final = 10.0
"""Seconds after which Docker and Podman do."""
OPERATIONS: Final = "say --ops-port 9000, which has /livez, /readyz and /metrics"


def health(site: Setup) -> Iterator[Told]:
    """That something can ask whether it is well."""
    if not site.has("health"):
        yield warning(
            "nothing can ask whether the app is well",
            "from kingpost.checks import Health; app.install(Health())"
            if isinstance(site, Site)
            else OPERATIONS,
        )


def health_checks(site: Site) -> Iterator[Told]:
    """That being ready says something."""
    app = site.app
    if app.__plugin__("health") is not None and not app.extensions.__health__() and uses_much(site):
        yield warning(
            "/readyz asks nothing, and says that the app is ready while what it stands on is down",
            "write a function under app.extensions.health that asks it",
        )


def uses_much(site: Site) -> bool:
    """Whether the App opens something when it starts."""
    lasting = any(each.scope == "app" for each in site.app.__routes__().providers)
    return bool(site.app.__lifespans__) or lasting


def access_log(site: Site) -> Iterator[Told]:
    """That somebody writes down who asked for what."""
    if site.outermost(AccessLog) is None and site.outermost(WhenSent) is None:
        yield warning(
            "nothing writes down which requests there were",
            "add middleware: AccessLog(); silence this where the proxy writes a log",
        )


def rate_limit_login(site: Site) -> Iterator[Told]:
    """That passwords cannot be tried as fast as the network goes."""
    for route in site.routes:
        if is_login(route) and not any(isinstance(each, RateLimit) for each in around(route)):
            yield warning(
                f"{route.path} can be called as often as one likes: passwords and codes can be guessed",
                f'@app.post("{route.path}", middleware=[RateLimit("10/minute", name="login")])',
                route.place,
            )


def is_login(route: CompiledRoute) -> bool:
    last = route.path.rstrip("/").rpartition("/")[2]
    return not UNSAFE.isdisjoint(route.methods) and LOGIN.search(last) is not None


def grace_vs_orchestrator(site: Setup) -> Iterator[Told]:
    """That it is not killed while it stops."""
    if not site.machine.is_container:
        return
    inside = "KUBERNETES_SERVICE_HOST" in site.machine.environment
    name, most = ("Kubernetes", KUBERNETES) if inside else ("the container's engine", DOCKER)
    if site.serving.grace >= most:
        yield warning(
            f"--grace {site.serving.grace:g} is no shorter than the {most:g} seconds after which {name} kills it",
            f"say --grace {most - 5:g}, or give it longer and silence this",
        )


def metrics(site: Setup) -> Iterator[Told]:
    """That there are numbers to look at when it is slow."""
    if not site.has("metrics"):
        yield warning(
            "it has no metrics: nobody sees that it becomes slow before visitors say so",
            "from kingpost.checks import Metrics; app.install(Metrics())"
            if isinstance(site, Site)
            else OPERATIONS,
        )


OF_SETUP: Final[Mapping[str, Callable[[Setup], Iterator[Told]]]] = {
    "health": health,
    "metrics": metrics,
    "grace-vs-orchestrator": grace_vs_orchestrator,
}
OF_APP: Final[Mapping[str, Callable[[Site], Iterator[Told]]]] = {
    "health-checks": health_checks,
    "access-log": access_log,
    "rate-limit-login": rate_limit_login,
}
