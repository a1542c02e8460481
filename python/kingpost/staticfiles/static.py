"""`Static`: a folder of files below a path, with names that may be cached for ever."""

from __future__ import annotations

import errno
import inspect
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from kingpost._native import Answer
from kingpost.app.application import App, current_app
from kingpost.errors import ConfigurationError, NotFound
from kingpost.http.accept import prefers_html
from kingpost.http.cache_control import CacheControl
from kingpost.http.request import Request
from kingpost.routing.route import (
    Include,
    Registry,
    Route,
    RouteGroup,
    checked_name,
    checked_prefix,
)
from kingpost.staticfiles.asset import ASK, FOR_EVER, Asset, Found
from kingpost.staticfiles.library import Folder, Library, Listing
from kingpost.staticfiles.names import hides_a_slash, is_safe, with_digest, without_digest
from kingpost.types import Mode, Place

OPEN: Final = 128
"""Assets that are kept open in production; a further one takes the place of the one that was opened first."""

BROUGHT_ALONG: Final = frozenset({"htmx.js", "icons.svg", "simple.css"})
"""What `BrowserAssets` has."""

# ENXIO: nobody reads what is a pipe or a socket. EINVAL: it is no regular file.
NOT_THERE: Final = frozenset(
    {
        *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG),
        *(errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENXIO),
    }
)
"""What opening a file fails with where it is gone since the folder was listed, or may not be read. Anything else is our fault: 500."""

FALLBACK: Final = "\0"
"""What the fallback is kept under: no name of a file."""


class Static(RouteGroup):
    """The files of a folder, below a path.

    In development every request looks at the folder as it is. In production the folder is listed when the App starts and is taken not to
    change while it runs: a request costs no look into the file system.

    Args:
        path: Begins with a slash, such as `"/static"`; `"/"` serves the folder wherever no other route answers.
        folder: Where the files lie; a relative one is meant from the file that this call stands in.
        name: Stands before the names of its routes, and tells it from others.
        index: What is sent for a folder that has a file of this name; None for nothing.
        fallback: The file that is sent where there is none and a page is asked for: a single-page application's. None for 404.
        cache: What caches are told of names without a digest; `no-cache` if not said, so they ask each time whether it has changed.
        immutable: Patterns such as `"assets/*"` of names that never mean another content, since a bundler has put a digest into them.
        dot_files: Whether files and folders whose names begin with a dot are served.

    Raises:
        ConfigurationError: There is no such folder (code `static.no-folder`), or no such fallback in it (code `static.no-fallback`).
        RoutingError: The path or the name cannot work.

    Example:
        `app.include(Static("/static", "static"))`
    """

    requires: Sequence[str] = ()
    __template_functions__: Mapping[str, Callable[..., Any]]

    def __init__(
        self,
        path: str,
        folder: str | os.PathLike[str],
        *,
        name: str = "static",
        index: str | None = "index.html",
        fallback: str | None = None,
        cache: CacheControl | None = None,
        immutable: Sequence[str] = (),
        dot_files: bool = False,
    ) -> None:
        self.place = Place.of_caller()
        self.name = checked_name(name)
        self.prefix = checked_prefix("" if path == "/" else path)
        self.folder = folder_of_caller() / folder
        self._index = index
        self._fallback = fallback
        self._cache = ASK if cache is None else str(cache)
        self._immutable = (immutable,) if isinstance(immutable, str) else tuple(immutable)
        if not self.folder.is_dir():
            raise ConfigurationError(
                f"there is no folder {os.fspath(folder)!r} (looked for {self.folder})",
                code="static.no-folder",
                remedy="make it, or name the one that is there; a relative path begins at the file that says it",
                places=[self.place],
            )
        self.dot_files = dot_files
        self._listed = Folder(self.folder, dot_files=dot_files)
        if fallback is not None and self._listed.find(fallback) is None:
            raise ConfigurationError(
                f"there is no file {fallback!r} in {self.folder}, and it is the fallback",
                code="static.no-fallback",
                remedy="build it first, or name the one that is there",
                places=[self.place],
            )
        self._library: Library = self._listed
        self._mode: Mode = "test"
        self._ready: dict[str, Asset] = {}
        routes: list[Route | Include | Any] = [
            # A page about an API lists no files.
            Route("/{path:path}", self._file, name="file", inline=True, openapi=False)
        ]
        if index is not None or fallback is not None:
            routes.append(Route("/", self._top, name="index", inline=True, openapi=False))
        for route in routes:
            route.place = self.place
        self._registry = Registry(items=routes)

    def __routes__(self) -> Registry:
        return self._registry

    def install(self, app: App, /) -> None:
        """What `app.install` calls, for those who install all that an App stands on: `app.include(…)` does the same."""
        app.include(self)

    def __start__(self, mode: Mode) -> None:
        """An App that includes it is made ready for a mode."""
        self._mode = mode
        self._ready = {}
        self._library = Listing(self._listed) if mode == "production" else self._listed

    def url(self, name: str) -> str:
        """The URL of a file, with a digest of its content in it: it may be cached for ever, since another content has another name.

        Args:
            name: Below the folder, such as `"css/app.css"`.

        Returns:
            The path, such as `/static/css/app.0123456789abcdef.css`; for files above 4 MiB, without a digest.

        Raises:
            LookupError: There is no such file, or no App that includes this is being served.
        """
        if self._library.find(name) is None:
            raise LookupError(f"there is no file {name!r} in {self.folder}")
        digest = self._library.digest(name)
        app = current_app()
        for dotted, static in statics_of(app.__routes__()):
            if static is self:
                full = (
                    name
                    if digest is None or self._is_immutable(name)
                    else with_digest(name, digest)
                )
                return app.url_for(f"{dotted}.file", path=full)
        raise LookupError(f"{self!r} is included in no App that is served")

    def __repr__(self) -> str:
        return f"Static({self.prefix or '/'!r}, {str(self.folder)!r})"

    # -- requests

    def _file(self, request: Request, path: str) -> Any:
        """A file of the folder."""
        return self._answer(request, path)

    def _top(self, request: Request) -> Any:
        """The folder itself."""
        return self._answer(request, "")

    def _answer(self, request: Request, path: str) -> Answer:
        if hides_a_slash(request.raw_path):
            raise NotFound
        ready = self._ready.get(path)
        if ready is not None:
            return ready.answer(request)
        name = path
        if not path or path.endswith("/"):
            name = path + (self._index or "/")
        asset = self._asset(path, name)
        return self._instead(request, path) if asset is None else asset.answer(request)

    def _asset(self, key: str, name: str) -> Asset | None:
        found = self._library.find(name)
        if found is None:
            return None
        cache, is_known = self._cache_of(name)
        return self._opened(key, found, cache, is_known=is_known)

    def _opened(
        self, key: str, found: Found, cache: str, vary: tuple[str, ...] = (), *, is_known: bool
    ) -> Asset | None:
        try:
            asset = Asset(found, cache, vary)
        except OSError as error:
            if error.errno not in NOT_THERE:
                # It may well be there: nobody is told that it is not.
                raise
            return None
        if is_known and self._mode == "production":
            if len(self._ready) >= OPEN:
                del self._ready[next(iter(self._ready))]
            self._ready[key] = asset
        return asset

    def _cache_of(self, name: str) -> tuple[str, bool]:
        """What caches are told of a name, and whether it is one that the folder itself has or gives: clients can make up any other."""
        if self._is_immutable(name):
            return self._in_development(FOR_EVER), True
        hashed = without_digest(name)
        if hashed is None:
            return self._cache, True
        if self._library.digest(hashed.name) == hashed.digest:
            return self._in_development(FOR_EVER), True
        return ASK, False

    def _is_immutable(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self._immutable)

    def _in_development(self, cache: str) -> str:
        # There a browser should see what was changed, whatever went wrong with the names.
        return ASK if self._mode == "development" else cache

    def _instead(self, request: Request, path: str) -> Answer:
        """The answer where there is no such file."""
        if (
            self._index is not None
            and path
            and self._library.find(f"{path}/{self._index}") is not None
        ):
            return with_slash(request)
        if (
            self._fallback is not None
            and is_page(path)
            and prefers_html(request.headers.get("accept"))
        ):
            asset = self._ready.get(FALLBACK)
            found = None if asset is not None else self._library.find(self._fallback)
            if found is not None:
                asset = self._opened(FALLBACK, found, ASK, ("accept",), is_known=True)
            if asset is not None:
                return asset.answer(request)
        raise NotFound


def is_page(path: str) -> bool:
    """Whether a path could be one of a single-page application: what could be no name anywhere is none."""
    return not path or is_safe(path.removesuffix("/"), dot_files=False)


def with_slash(request: Request) -> Answer:
    """Sends the client to the folder that it named without its slash.

    It has a name, so the path does not begin with two slashes, which would be another host's.
    """
    query = b"?" + request.query_string if request.query_string else b""
    location = quote(request.raw_path + b"/" + query, safe="/%!$&'()*+,;=:@-._~?")
    return Answer(308, [("location", location), ("x-content-type-options", "nosniff")], b"")


def static_url(name: str) -> str:
    """The URL of a file in the first Static of the App that has it; see `Static.url`.

    Raises:
        LookupError: No Static of the App has it, or no App is being served.

    Example:
        `static_url("css/app.css")` is `/static/css/app.0123456789abcdef.css`
    """
    tried: list[str] = []
    for _, static in statics_of(current_app().__routes__()):
        try:
            return static.url(name)
        except LookupError:
            tried.append(str(static.folder))
    where = ", ".join(tried) if tried else "the App includes no Static"
    remedy = ""
    if name in BROUGHT_ALONG:
        remedy = "; from kingpost.staticfiles import BrowserAssets; app.include(BrowserAssets())"
    raise LookupError(f"there is no static file {name!r} ({where}){remedy}")


Static.__template_functions__ = {"static": static_url}


def statics_of(registry: Registry) -> Iterator[tuple[str, Static]]:
    """Every Static that is included, with the dotted name that it goes by."""
    yield from _statics(registry.items, "")


def _statics(items: Sequence[Any], names: str) -> Iterator[tuple[str, Static]]:
    for item in items:
        if not isinstance(item, Include):
            continue
        group = item.routes
        name = item.name or (group.name if isinstance(group, RouteGroup) else "")
        dotted = ".".join(filter(None, (names, name)))
        if isinstance(group, Static):
            yield dotted, group
        elif isinstance(group, RouteGroup):
            yield from _statics(group.__routes__().items, dotted)
        else:
            yield from _statics(group, dotted)


def folder_of_caller() -> Path:
    """The folder of the nearest file outside of this package; the working directory where there is none."""
    frame = inspect.currentframe()
    while frame is not None and f"{frame.f_globals.get('__name__')}.".startswith("kingpost."):
        frame = frame.f_back
    file = None if frame is None else frame.f_globals.get("__file__")
    return Path(file).parent.absolute() if isinstance(file, str) else Path.cwd()
