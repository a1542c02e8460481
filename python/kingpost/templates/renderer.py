"""Renders the `Template`s of one App."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from kingpost.app.extensions import OWN_VARIABLES
from kingpost.errors import ConfigurationError, RoutingError
from kingpost.http.request import Request
from kingpost.routing.reverse import Urls
from kingpost.routing.route import RouteGroup
from kingpost.templates.engine import (
    Engine,
    EngineOptions,
    Look,
    MakeEngine,
    missing_block,
    no_static,
)
from kingpost.templates.htmx import note_in_vary
from kingpost.templates.names import Use, uses_of
from kingpost.templates.template import Template, joined_name, media_type_of, split_name
from kingpost.types import Mode, Place

if TYPE_CHECKING:
    from pathlib import Path

    from kingpost.app.application import App

NOSNIFF = ("x-content-type-options", "nosniff")


class Scene(msgspec.Struct, frozen=True):
    """For whom a page is rendered: macros of other files have no variables, and are told by this."""

    app: App
    request: Request | None


_scene: ContextVar[Scene] = ContextVar("kingpost.template_scene")


def url_for(name: str, /, *, absolute: bool = False, **params: object) -> str:
    """As of the request, so that a leading dot means its blueprint; as of the App where there is none."""
    scene = _scene.get()
    owner = scene.app if scene.request is None else scene.request
    return owner.url_for(name, absolute=absolute, **params)


def csp_nonce() -> str:
    """The nonce that the middleware `ContentSecurityPolicy` will name in this answer; empty where there is no request."""
    from kingpost.middleware.csp import csp_nonce as nonce_of

    request = _scene.get().request
    return "" if request is None else nonce_of(request)


def static(_name: str, /) -> str:
    """Stands where nothing that the App includes brings another `static`.

    Raises:
        ConfigurationError: `templates.no-static`.
    """
    raise no_static()


FUNCTIONS: Mapping[str, Callable[..., Any]] = {"url_for": url_for, "csp_nonce": csp_nonce}


def functions_of(items: Iterable[Any]) -> dict[str, Callable[..., Any]]:
    """What groups of routes give to templates: `static`, where files of a folder are served."""
    found: dict[str, Callable[..., Any]] = {}
    for item in items:
        group: Any = getattr(item, "routes", None)
        if isinstance(group, RouteGroup):
            found |= getattr(group, "__template_functions__", {})
            group = group.__routes__().items
        found |= functions_of(group or ())
    return found


class TemplateRenderer:
    """What `Templates` gives to the extensions of an App.

    Args:
        app: whose pages it renders.
        make: the engine.
        folders: where the templates are.
        filters: by name.
        place: where `Templates` was written.
    """

    def __init__(
        self,
        app: App,
        make: MakeEngine,
        folders: tuple[Path, ...],
        filters: Mapping[str, Callable[..., Any]],
        place: Place,
    ) -> None:
        self.app = app
        self._make = make
        self._folders = folders
        self._filters = filters
        self._place = place
        self._mode: Mode = "production"
        self._context: frozenset[str] = frozenset()
        self._urls = Urls()
        self._wanted: dict[str, frozenset[str] | None] = {}

    @cached_property
    def engine(self) -> Engine:
        """The engine, made when it is needed first.

        Raises:
            ConfigurationError: `templates.no-folder`; `templates.no-engine`.
        """
        missing = [folder for folder in self._folders if not folder.is_dir()]
        if missing:
            raise ConfigurationError(
                f"there is no folder {missing[0]}",
                code="templates.no-folder",
                remedy='make it, or say where templates are, as seen from this file: Templates("pages")',
                places=[self._place],
            )
        return self._make(
            EngineOptions(
                self._folders,
                self._mode == "development",
                {"static": static, **self._included, **FUNCTIONS},
                self._filters,
            )
        )

    @property
    def _included(self) -> Mapping[str, Callable[..., Any]]:
        return functions_of(self.app.__routes__().items)

    # -- at the start

    def prepare(self, mode: Mode, urls: Urls, context: Collection[str]) -> None:
        if mode != self._mode:
            self.__dict__.pop("engine", None)
        self._mode, self._urls, self._context = mode, urls, frozenset(context)
        self._wanted.clear()

    def check(self, functions: Sequence[Callable[..., Any]]) -> Iterator[ConfigurationError]:
        looks: dict[str, Look] = {}
        try:
            engine = self.engine
        except ConfigurationError as error:
            yield error
            return
        for use in (use for function in functions for use in uses_of(function)):
            yield from self._check_use(engine, use, looks)
        serves_files = "static" in self._included
        for look in looks.values():
            yield from self._check_links(look)
            if look.files and not serves_files:
                yield no_static([look.place(look.files[0])])

    def _check_use(
        self, engine: Engine, use: Use, looks: dict[str, Look]
    ) -> Iterator[ConfigurationError]:
        try:
            name, block = split_name(use.name)
        except ValueError:
            return
        pending: list[tuple[str, Place]] = [(name, use.place)]
        failed = False
        while pending:
            each, place = pending.pop()
            if each in looks:
                continue
            try:
                look = looks[each] = engine.look(each)
            except ConfigurationError as error:
                error.places = (*error.places, place)
                failed = True
                yield error
            else:
                pending += [(found.name, look.place(found.line)) for found in look.references]
        if block and not failed:
            blocks, is_whole = self._blocks(looks, name)
            if block not in blocks and is_whole:
                yield missing_block(name, block, blocks, [use.place])

    def _blocks(self, looks: Mapping[str, Look], name: str) -> tuple[set[str], bool]:
        """The blocks of a template and of those that it extends, and whether these are all."""
        blocks: set[str] = set()
        seen: set[str] = set()
        while name in looks and name not in seen:
            seen.add(name)
            look = looks[name]
            blocks |= look.blocks
            if look.parent is None:
                return blocks, not look.is_open
            name = look.parent
        return blocks, False

    def _check_links(self, look: Look) -> Iterator[ConfigurationError]:
        for link in look.links:
            try:
                self._urls.check(link.name, link.params)
            except RoutingError as error:
                error.places = (look.place(link.line),)
                yield error

    # -- for a request

    def wanted(self, response: Template, /) -> Collection[str] | None:
        return self.wanted_by(response.name)

    def wanted_by(self, name: str) -> Collection[str] | None:
        """The variables of the App's context that a page reads; None: any."""
        if not self._context:
            return ()
        if self._mode == "development" or name not in self._wanted:
            self._wanted[name] = self._find_wanted(name)
        return self._wanted[name]

    def _find_wanted(self, name: str) -> frozenset[str] | None:
        found: set[str] = set()
        seen: set[str] = set()
        pending = [name]
        while pending:
            each = pending.pop()
            if each in seen:
                continue
            seen.add(each)
            look = self.engine.look(each)
            if look.is_open:
                return None
            found |= look.variables & self._context
            pending += [reference.name for reference in look.references]
        return frozenset(found)

    def render(
        self, response: Template, request: Request | None, values: dict[str, Any], /
    ) -> None:
        text = self.text(response.name, response.block, request, values | response.context)
        response.headers.setdefault("content-type", media_type_of(response.name))
        response.headers.setdefault(*NOSNIFF)
        if request is not None:
            note_in_vary(request, response)
        # A lone surrogate, from a file's name or a message, must not cost the whole page.
        response.body = text.encode("utf-8", "replace")

    def text(
        self, name: str, block: str, request: Request | None, values: Mapping[str, Any]
    ) -> str:
        """The text of a page or block."""
        given = {**values} if request is None else {"request": request, **values}
        token = _scene.set(Scene(self.app, request))
        try:
            return self.engine.render(name, block, given)
        except ConfigurationError:
            raise
        except Exception as error:
            shown = ", ".join(sorted(given.keys() - OWN_VARIABLES)) or "nothing"
            error.add_note(f"{joined_name(name, block)} was given: {shown}")
            raise
        finally:
            _scene.reset(token)
