"""`Templates`: the plugin that renders what handlers answer with."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kingpost.app.application import current_app
from kingpost.errors import ConfigurationError
from kingpost.templates.engine import Engine, EngineOptions, MakeEngine
from kingpost.templates.htmx import HtmxRequest
from kingpost.templates.renderer import TemplateRenderer
from kingpost.templates.template import Template, split_name
from kingpost.types import Place

if TYPE_CHECKING:
    from kingpost.app.application import App


class Templates:
    """Renders templates: what a handler returns as `Template`, and pages for elsewhere.

    A handler that names `Templates` gets this object, and one that names `HtmxRequest` what htmx says of the request.

    Args:
        folders: where templates are, as seen from the file that this is written in; the first one wins where two have a file.
        engine: what renders them: Jinja2 if not said, `MiniJinja` of `kingpost.templates.minijinja`, or a class or function of your own.
        filters: functions for `{{ value | name }}`.

    Raises:
        ConfigurationError: `templates.no-engine`, at the start, where the engine's package is not installed.

    Example:
        `app.install(Templates("pages", filters={"euro": euro}))`
    """

    name: str = "templates"
    requires: Sequence[str] = ()

    def __init__(
        self,
        *folders: str | os.PathLike[str],
        engine: MakeEngine | None = None,
        filters: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        self._place = Place.of_caller()
        home = Path(self._place.file).absolute().parent
        if not home.is_dir() or self._place.file.startswith("<"):
            home = Path.cwd()
        self.folders = tuple(home / folder for folder in folders or ("templates",))
        self._engine = engine or default_engine
        self._filters = dict(filters or {})
        self._renderers: list[TemplateRenderer] = []

    def install(self, app: App, /) -> None:
        """Have the App's templates rendered by this."""
        renderer = TemplateRenderer(app, self._engine, self.folders, self._filters, self._place)
        self._renderers.append(renderer)
        app.extensions.renderer(Template, renderer)

        def templates() -> Templates:
            return self

        app.provide(scope="app", inline=True)(templates)
        app.provide(inline=True)(HtmxRequest.of)

    def render(self, name: str, /, **context: object) -> str:
        """The text of a page, or of a block, where no request is answered: for a mail, a file, middleware.

        Of the App's context it has what needs no request: functions of `app.extensions.template_context` that are `def` and take nothing.

        Args:
            name: as of `Template`.
            context: what the template has by name.

        Raises:
            ConfigurationError: there is no such template or block; this was not installed.
        """
        renderer = self._renderer()
        file, block = split_name(name)
        values: dict[str, Any] = {}
        for key, claim in renderer.app.extensions.__context__().items():
            if key not in context and claim.needs_nothing:
                values[key] = claim.function()
        return renderer.text(file, block, None, values | context)

    def _renderer(self) -> TemplateRenderer:
        if not self._renderers:
            raise ConfigurationError(
                "these Templates render for no App yet",
                code="templates.not-installed",
                remedy="app.install(templates)",
                places=[self._place],
            )
        try:
            app = current_app()
        except LookupError:
            return self._renderers[-1]
        return next((each for each in self._renderers if each.app is app), self._renderers[-1])


def default_engine(options: EngineOptions) -> Engine:
    """Jinja2.

    Raises:
        ConfigurationError: `templates.no-engine`.
    """
    if find_spec("jinja2") is None:
        raise ConfigurationError(
            "templates are rendered by Jinja2, and that is not installed",
            code="templates.no-engine",
            remedy="pip install 'kingpost[templates]'",
        )
    from kingpost.templates.jinja import Jinja

    return Jinja(options)
