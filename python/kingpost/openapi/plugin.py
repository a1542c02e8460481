"""`OpenAPI`: the plugin that serves the document of an App, and a page that shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kingpost.errors import ConfigurationError, NotFound
from kingpost.http.files import FileResponse
from kingpost.http.response import Response
from kingpost.openapi.document import Info, document_of
from kingpost.openapi.page import files, policy, redirect, shown
from kingpost.openapi.writing import to_json, to_yaml
from kingpost.routing.route import Constant, Route, checked_prefix
from kingpost.types import Place

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.app.plan import CompiledRoute


HTML: Final = "text/html; charset=utf-8"


class OpenAPI:
    """Serves the OpenAPI 3.1 document of an App, and a page on which people read it and try it.

    All is made once, when the App starts, and sent without any Python. The page is Swagger UI, which comes with Kingpost: it loads nothing from
    elsewhere, and its Content-Security-Policy lets nothing else in.

    Args:
        path: where the page is; what belongs to it is below, the document at `/docs/openapi.json` and `/docs/openapi.yaml`.
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
        page, back, as_json, as_yaml = (
            Route(path, Response(None), name=name, openapi=False)
            for name, path in (
                ("page", self.path or "/"),
                ("redirect", f"{self.path}/oauth2-redirect.html"),
                ("json", f"{self.path}/openapi.json"),
                ("yaml", f"{self.path}/openapi.yaml"),
            )
        )
        found: dict[str, Path] = {}

        def file(name: str) -> FileResponse:
            if name not in found:
                raise NotFound
            response = FileResponse(found[name])
            if name == found[name].name:
                return response.cache_control(no_cache=True)
            # It has a digest in its name.
            return response.cache_control(public=True, max_age=365 * 24 * 3600, immutable=True)

        part = Route(f"{self.path}/swagger-ui/{{name}}", file, name="file", openapi=False)
        app.include([page, back, as_json, as_yaml, part], name=self.name)

        def bake(routes: Sequence[CompiledRoute]) -> None:
            document = document_of(routes, self.info, app.extensions.__openapi__())
            path = next(each.path for each in routes if each.entry.handler is page.handler)
            found.update(files())
            put(as_json, to_json(document), "application/json")
            put(as_yaml, to_yaml(document), "application/yaml")
            put(page, shown(document, path).encode(), HTML, policy(document))
            put(back, redirect().encode(), HTML, policy(document))

        app.extensions.__when_compiled__(bake)

    def __repr__(self) -> str:
        return f"OpenAPI({self.path or '/'!r})"


def put(route: Route, body: bytes, media_type: str, policy: str = "") -> None:
    """Make a route answer with a body, for ever."""
    handler = route.handler
    if isinstance(handler, Constant):
        headers = {"cache-control": "no-cache"}
        if policy:
            headers["content-security-policy"] = policy
        handler.response = Response(body, headers=headers, media_type=media_type)


def check_text(name: str, value: object) -> None:
    if not isinstance(value, str) or (name != "description" and not value):
        raise ConfigurationError(
            f"OpenAPI({name}={value!r}): the {name} of an API is text",
            code="openapi.bad-info",
            remedy=f'write {name}="{value}"' if value else f"give the API a {name}",
            places=[Place.of_caller()],
        )
