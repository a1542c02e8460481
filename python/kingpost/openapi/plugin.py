"""`OpenAPI`: the plugin that serves the document of an App, and a page that shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kingpost.errors import ConfigurationError
from kingpost.http.response import Response
from kingpost.openapi.document import Info, document_of
from kingpost.openapi.page import policy, shown
from kingpost.openapi.writing import to_json, to_yaml
from kingpost.routing.route import Constant, Route, checked_prefix
from kingpost.types import Place

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.app.plan import CompiledRoute


class OpenAPI:
    """Serves the OpenAPI 3.1 document of an App, and a page on which people read it and try it.

    Everything is made once, when the App starts, and sent without any Python. The page needs nothing from elsewhere; without JavaScript it is
    a list to read.

    Args:
        path: where the page is; the document is below it, `/docs/openapi.json` and `/docs/openapi.yaml`.
        title: what the API is called.
        version: of the API, such as `"1.4"`.
        description: CommonMark.
        servers: URLs where the API is served, or Server Objects; if not said, where the document is.

    Raises:
        ConfigurationError: `openapi.bad-info` for a title or a version that is no text.
        RoutingError: the path cannot be one.

    Example:
        ```python
        from kingpost import App
        from kingpost.openapi import OpenAPI

        app = App()
        app.install(OpenAPI(title="Todos", version="1.4"))
        ```
    """

    name: str = "openapi"
    requires: Sequence[str] = ()

    def __init__(
        self,
        path: str = "/docs",
        *,
        title: str = "API",
        version: str = "0.1.0",
        description: str = "",
        servers: Sequence[str | Mapping[str, Any]] = (),
    ) -> None:
        self.path = checked_prefix("" if path == "/" else path)
        for name, value in (("title", title), ("version", version), ("description", description)):
            check_text(name, value)
        self.info = Info(title, version, description, tuple(servers))

    def install(self, app: App, /) -> None:
        """What `app.install` calls."""
        made = [Response(None) for _ in range(3)]
        page, as_json, as_yaml = (
            Route(path, response, name=name, openapi=False)
            for path, response, name in zip(
                (self.path or "/", f"{self.path}/openapi.json", f"{self.path}/openapi.yaml"),
                made,
                ("page", "json", "yaml"),
                strict=True,
            )
        )
        app.include([page, as_json, as_yaml], name=self.name)

        def bake(routes: Sequence[CompiledRoute]) -> None:
            document = document_of(routes, self.info, app.extensions.__openapi__())
            put(as_json, to_json(document), "application/json")
            put(as_yaml, to_yaml(document), "application/yaml")
            put(page, shown(document, self.path).encode(), "text/html; charset=utf-8")

        app.extensions.__when_compiled__(bake)

    def __repr__(self) -> str:
        return f"OpenAPI({self.path or '/'!r})"


def put(route: Route, body: bytes, media_type: str) -> None:
    """Make a route answer with a body, for ever."""
    handler = route.handler
    if isinstance(handler, Constant):
        headers = {"cache-control": "no-cache"}
        if media_type.startswith("text/html"):
            headers["content-security-policy"] = policy()
        handler.response = Response(body, headers=headers, media_type=media_type)


def check_text(name: str, value: object) -> None:
    if not isinstance(value, str) or (name != "description" and not value):
        raise ConfigurationError(
            f"OpenAPI({name}={value!r}): the {name} of an API is text",
            code="openapi.bad-info",
            remedy=f'write {name}="{value}"' if value else f"give the API a {name}",
            places=[Place.of_caller()],
        )
