"""What visitors are shown that is not for them."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from kingpost.app.mode import VARIABLE
from kingpost.checks.deploy.site import Setup, Site, Told, error, warning
from kingpost.routing.options import several

if TYPE_CHECKING:
    from kingpost.app.plan import CompiledRoute

UNESCAPED = re.compile(r"\|\s*safe\b|\{%-?\s*autoescape\s+false")
TEMPLATES: Final = (".html", ".htm", ".xml", ".svg")
LARGEST_TEMPLATE: Final = 1_000_000


def debug(site: Site) -> Iterator[Told]:
    """That errors do not show their insides."""
    said = site.machine.environment.get(VARIABLE, "")
    if said not in ("", "production"):
        yield error(
            f"{VARIABLE}={said}: errors show source, variables and settings to every visitor",
            f"unset {VARIABLE}",
        )


def openapi_public(site: Site) -> Iterator[Told]:
    """That the API page is for everybody on purpose."""
    yield from of_everybody(
        site, "openapi", "the API page tells everybody of every route", "leave OpenAPI() out of"
    )


def metrics_public(site: Site) -> Iterator[Told]:
    """That numbers are not for everybody."""
    if not site.serving.ops:
        yield from of_everybody(
            site, "metrics", "everybody can read the metrics", "say --ops-port for"
        )


def of_everybody(site: Site, plugin: str, message: str, remedy: str) -> Iterator[Told]:
    installed: Any = site.app.__plugin__(plugin)
    for route in site.routes:
        if installed is not None and route.group == plugin and not is_guarded(route):
            yield warning(
                f"{message}: {route.path}",
                f"{remedy} production, or keep it to yourself: middleware, hosts, or the proxy, and silence this",
            )
            return


def is_guarded(route: CompiledRoute) -> bool:
    """Whether something decides who may ask."""
    options = route.entry.options
    return bool(
        route.entry.requires or route.conditions.hosts or several(options.get("before", ()))
    )


def template_autoescape(site: Site) -> Iterator[Told]:
    """That templates escape what they are given."""
    templates: Any = site.app.__plugin__("templates")
    for folder in () if templates is None else templates.folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix not in TEMPLATES or path.stat().st_size > LARGEST_TEMPLATE:
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
            found = UNESCAPED.search(text)
            if found is not None:
                line = text.count("\n", 0, found.start()) + 1
                yield warning(
                    f"{found[0].strip()!r} puts a value into the page as it is, scripts and all",
                    "give the template Html where the markup is yours, and take this out",
                    f"{path.name}:{line}",
                )


def log_level(site: Setup) -> Iterator[Told]:
    """That logs do not have everything that libraries say."""
    del site
    root = logging.getLogger()
    if root.handlers and root.getEffectiveLevel() <= logging.DEBUG:
        yield warning(
            "the root logger writes DEBUG: what libraries say then has queries, tokens and bodies in it",
            "set its level to INFO",
        )


OF_SETUP: Final[Mapping[str, Callable[[Setup], Iterator[Told]]]] = {
    "log-level": log_level,
}
OF_APP: Final[Mapping[str, Callable[[Site], Iterator[Told]]]] = {
    "debug": debug,
    "openapi-public": openapi_public,
    "metrics-public": metrics_public,
    "template-autoescape": template_autoescape,
}
