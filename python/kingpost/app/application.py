"""App: the object that a user makes, registers routes on and runs."""

from __future__ import annotations

import contextvars
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from contextvars import Context, ContextVar
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from kingpost.app.extensions import Extensions
from kingpost.app.hosts import check_hosts_option
from kingpost.app.mode import chosen_mode
from kingpost.app.plugins import Plugin, Plugins
from kingpost.errors import ConfigurationError
from kingpost.routing.converters import Converters
from kingpost.routing.mount import Mount, Mountable
from kingpost.routing.refusal import refused
from kingpost.routing.registrar import Registrar
from kingpost.routing.route import F, Include, Route, checked_handler
from kingpost.types import Mode, Place

# Two thirds of what there is to import serve requests, or read settings: a program that only makes an App does not wait for them.
if TYPE_CHECKING:
    from kingpost.app.around import Around
    from kingpost.app.commands import Command
    from kingpost.app.compiled import CompiledApp
    from kingpost.app.crossing import Threads
    from kingpost.app.events import On, Receivers
    from kingpost.app.outside import Outside
    from kingpost.app.plan import CompiledRoute
    from kingpost.app.rendering import Rendering
    from kingpost.app.reporting import Reporters
    from kingpost.injection.lookup import Lookup
    from kingpost.injection.provider import Provider
    from kingpost.routing.around import Middleware
    from kingpost.routing.reverse import Urls
    from kingpost.server.hosted.asgi import AsgiApplication, Receive, Scope, Send
    from kingpost.server.hosted.wsgi import WsgiApplication
    from kingpost.settings import Settings

T = TypeVar("T")

_current: ContextVar[App] = ContextVar("kingpost.current_app")
_compiled: weakref.WeakSet[App] = weakref.WeakSet()


def with_known_options(init: F) -> F:
    """The constructor of an App, which says what to write in place of an option that it has not."""
    known = {*init.__code__.co_varnames[: init.__code__.co_argcount], *(init.__kwdefaults__ or {})}

    @wraps(init)
    def checked(self: object, *positional: Any, **options: Any) -> None:
        for name, value in options.items():
            if name not in known:
                remedy = INSTEAD.get(
                    name, "it takes routes, settings, hosts, middleware, converters and plugins"
                )
                raise TypeError(f"App({name}={value!r}): an App has no option {name!r}; {remedy}")
        init(self, *positional, **options)

    return cast("F", checked)


class App(Registrar, Mountable):
    """A web application.

    Args:
        routes: a table of Route and Include, for those who like to see the whole map in one place.
        settings: the class of the App's settings; a handler that names it gets them.
        hosts: the names that the App answers to in production, such as `["example.org", "*.example.org"]`; any if not said.
        middleware: what runs around every route; the first is the outermost.
        converters: path converters by name, beside the built-in ones.
        plugins: as `install` takes them.

    Raises:
        ConfigurationError: an argument that cannot work.

    Example:
        ```python
        from kingpost import App

        app = App()

        @app.get("/")
        def home() -> str:
            return "Hello, world!"
        ```
    """

    def __init__(
        self,
        *,
        routes: Sequence[Route | Include] = (),
        settings: type[Settings] | None = None,
        hosts: Sequence[str] = (),
        middleware: Sequence[Middleware] = (),
        converters: Converters | None = None,
        plugins: Sequence[Plugin] = (),
    ) -> None:
        super().__init__()
        self._lifespans: list[Callable[..., Any]] = []
        self._made_receivers: Receivers | None = None
        self._plugins = Plugins()
        self._extensions = Extensions(self._registry.check_open)
        self._overrides: dict[Any, Provider] = {}
        for each in listed_middleware(middleware):
            self.middleware(each)
        self._settings = checked_settings(settings)
        self._hosts = check_hosts_option(hosts)
        self._registry.converters = dict(converters or {})
        self._urls: Urls | None = None
        self._compiled: weakref.ref[CompiledApp] | None = None
        if routes:
            self.include(routes)
        if plugins:
            self.install(*plugins)

    if not TYPE_CHECKING:
        # Checkers say it in their own words.
        __init__ = with_known_options(__init__)

    @property
    def settings(self) -> Settings:
        """The App's settings, read at the first look.

        Raises:
            SettingsError: one of them is missing or wrong.
        """
        from kingpost.settings import Settings

        return (self._settings or Settings).load()

    def url_for(
        self, name: object, view: str = "", /, *, absolute: bool = False, **params: object
    ) -> str:
        """The URL of the route called `name`, or of a view of an object in a tree, where there is no request to ask.

        Args:
            name: the route's name below its blueprint's, such as `todos.show`; or an object with `__parent__` and `__name__`.
            view: of an object: the name of the view, empty for the default one.
            absolute: put `https://` and the first of the App's `hosts` in front; a route with hosts of its own always has them.
            params: the path's parameters; further ones become the query string.

        Raises:
            RoutingError: no route is called that, or a parameter is missing or of another type; `absolute` without `hosts`.
        """
        from kingpost.app.compiled import compile_routes, named

        # Only names are asked for, maybe before `kingpost dev` has made the key.
        urls = self._urls or named(compile_routes(self._registry, self._constants("test")))
        if not isinstance(name, str):
            path = urls.url_of(name, view, params)
            return f"https://{self._own_host()}{path}" if absolute else path
        path = urls.url_for(name, params)
        other = urls.host_for(name, params)
        if other or absolute:
            return f"https://{other or self._own_host()}{path}"
        return path

    def install(self, *plugins: Plugin) -> None:
        """Install plugins; their order does not matter.

        A plugin that requires others is installed as soon as they are.

        Args:
            plugins: objects with a `name`, with `requires`, the names of others that they need, and with `install(app)`.

        Raises:
            ConfigurationError: `plugins.not-a-plugin`; `plugins.twice` where one of that name is installed. That one is missing is said when
                the App starts.
        """
        self._registry.check_open()
        place = Place.of_caller()
        for plugin in plugins:
            self._plugins.add(plugin, place)
        self._plugins.install(self)

    @property
    def extensions(self) -> Extensions:
        """Where plugins, and the App itself, add commands, checks, variables of templates, and more."""
        return self._extensions

    def lifespan(self, function: F, /) -> F:
        """Run the decorated function from start to stop: what is before its `yield` at start, what is behind it at stop, last one first.

        Its parameters are served like a provider's of scope "app".
        """
        self._registry.check_open()
        self._lifespans.append(checked_handler(function))
        return function

    def on(self, event: type[T], /) -> On[T]:
        """Call the decorated function with every event of a class, or of a class below it, that is emitted.

        `await app.on(OrderPaid)` waits for the next one, and is that event.
        """
        return self._receivers.on(event)

    @property
    def _receivers(self) -> Receivers:
        # Made late: receivers need asyncio, and a program that only makes an App does not.
        if self._made_receivers is None:
            from kingpost.app.events import Receivers

            self._made_receivers = Receivers()
        return self._made_receivers

    def emit(self, event: object, /, *, strict: bool = False) -> None:
        """Call the receivers of an event from a `def`, in the order of their registration; those that are `async def` run on the event loop.

        What a receiver raises is logged: it is not the emitter's mistake, and the others are called.

        Args:
            event: any object; who asked for its class, or for one above it, is called.
            strict: raise what a receiver has raised, when all were called.

        Raises:
            RuntimeError: on the event loop, where a receiver is `async def`: write `await app.aemit(event)`.
            Exception: with `strict`, what a receiver raised; an ExceptionGroup where several did.
        """
        self._receivers.emit(event, strict=strict)

    async def aemit(self, event: object, /, *, strict: bool = False) -> None:
        """As `emit`, from an `async def`; receivers that are `def` run on a worker thread."""
        await self._receivers.aemit(event, strict=strict)

    def override(
        self, what: type[T] | Callable[..., T], by: T | Callable[..., T], /
    ) -> AbstractContextManager[None]:
        """Put something in the place of what a provider makes, or of the App's settings, within a `with` block of a test.

        Args:
            what: the type that handlers name, or the provider's function; or the class of the App's settings, or of a mounted App's.
            by: the value itself, or a function that makes it; an object for settings, and then their `load()` gives it, too.

        Raises:
            ConfigurationError: `injection.nothing-to-override`: no provider makes that, and it is not the settings' class;
                `app.bad-settings`: what stands in for settings is no object of their class.
        """
        from kingpost.app.overriding import override

        return override(self, what, by)

    def run(self, host: str = "127.0.0.1", port: int = 8000) -> None:
        """Serve the App until the process is told to stop; `kingpost run` can do more.

        Args:
            host: the address to listen on.
            port: 0 to 65535; 0 takes a free one.
        """
        # Sockets, signals and processes: half of what there is to import, and most programs that make an App do not run it so.
        from kingpost.server.serve import serve

        serve(self.__compile__(chosen_mode("production")), host=host, port=port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the App as an ASGI 3 application: `uvicorn shop:app`. It runs in production, as `kingpost run` does.

        Args:
            scope: what the host says of a request, or of its lifespan.
            receive: where the rest of it comes from.
            send: where the answer goes.

        Raises:
            ConfigurationError: something that was registered cannot work.
            ValueError: the scope is of a type that an App does not serve.
        """
        await self._asgi(scope, receive, send)

    @cached_property
    def _asgi(self) -> AsgiApplication:
        # Made late: it needs asyncio, and a program that only makes an App does not.
        from kingpost.server.hosted.asgi import AsgiApplication

        return AsgiApplication(self._compile_for_host)

    @cached_property
    def wsgi(self) -> WsgiApplication:
        """The App as a WSGI application, for servers that speak no ASGI: write `application = app.wsgi` for gunicorn, mod_wsgi or CGI.

        `def` handlers run on the server's threads, `async def` ones on one event loop of the process.
        """
        from kingpost.server.hosted.wsgi import WsgiApplication

        return WsgiApplication(self._compile_for_wsgi)

    def _compile_for_wsgi(self) -> CompiledApp:
        from kingpost.app.left_out import warn_of_websockets

        compiled = self._compile_for_host()
        warn_of_websockets(compiled)
        return compiled

    def _compile_for_host(self) -> CompiledApp:
        return self.__compile__(chosen_mode("production"))

    def mount(
        self,
        path: str,
        app: App | Callable[..., Any],
        /,
        *,
        name: str | None = None,
        hosts: Sequence[str] = (),
        interface: Literal["asgi", "wsgi"] | None = None,
        max_body: int | None = None,
    ) -> None:
        """Serve another App below a path: with its own settings, middleware, error handlers, templates and lifespans.

        What is around this App is around the other as well, outside of what the other has itself. Its handlers call their routes as ever; from
        outside, and by the others' handlers, they are called `name.route`.

        An application of ASGI or WSGI (Django, Flask, FastAPI, …) is asked where no route of this App answers, at `"/"` for every path. It is
        given the request untouched, and what it answers is sent as it is: nothing of this App is around it.

        Args:
            path: without parameters, such as `"/shop"`; `"/"` for an App that has a host of its own, and for an application of others.
            app: the other App; it may be served alone as well.
            name: stands before the names of its routes in `url_for`; the path's if not said.
            hosts: the hosts that it answers for; any if not said. Only for an App.
            interface: how an application of others is called; it is found out if not said.
            max_body: bytes that a request's body may have for an application of others; 1 GiB if not said.

        Raises:
            RoutingError: `routing.bad-mount`, `routing.bad-prefix` or `routing.bad-host`.
        """
        if not isinstance(app, Mountable):
            from kingpost.app.guests import guest_mount

            self._add(
                guest_mount(
                    path, app, name=name, hosts=hosts, interface=interface, max_body=max_body
                )
            )
            return
        if interface is not None or max_body is not None:
            from kingpost.app.guests import only_for_guests

            raise only_for_guests(app)
        if hosts:
            from kingpost.routing.hosts import check_hosts

            check_hosts(hosts)
        self._add(Mount(path, app, name=name, hosts=hosts))

    def __enter_context__(self) -> None:
        """From here on `current_app()` is this App."""
        _current.set(self)

    def __constants__(self, mode: Mode) -> Mapping[type[Any], Any]:
        """The objects of the App by their class: its settings."""
        return self._constants(mode)

    @property
    def __hosts__(self) -> Sequence[str]:
        return self._hosts

    @property
    def __lifespans__(self) -> Sequence[Callable[..., Any]]:
        return self._lifespans

    def __mounted__(
        self,
        urls: Urls,
        mode: Mode,
        around: Around,
        routes: Sequence[CompiledRoute],
        reporters: Reporters,
    ) -> Sequence[ConfigurationError]:
        """An App in which this one is mounted was compiled; what is wrong with what this one renders."""
        from kingpost.app.compiled import rendering_functions

        self._plugins.check()
        self._extensions.__compiled__(
            [it for it in routes if any(each.mount.app is self for each in it.entry.scope.mounts)]
        )
        self._receivers.threads, self._receivers.reporters = around.threads, reporters
        self._urls = urls
        self._registry.start(mode)
        own = [
            route
            for route in routes
            if route.entry.scope.mounts and route.entry.scope.mounts[-1].mount.app is self
        ]
        rendering = around.rendering
        if rendering is None:
            return []
        return list(rendering.prepare(mode, urls, rendering_functions(self._registry, own)))

    def __rendering__(self, threads: Threads) -> Rendering:
        """What renders the answers of its handlers, where it is mounted in another App."""
        from kingpost.app.rendering import Rendering

        extensions = self._extensions
        return Rendering(extensions.__renderers__(), extensions.__context__(), threads)

    def __compile__(self, mode: Mode) -> CompiledApp:
        from kingpost.app.compiled import compile_registry, named

        self._plugins.check()
        context = contextvars.copy_context()
        context.run(_current.set, self)
        compiled = compile_registry(
            self._registry,
            self._constants(mode),
            hosts=self._hosts,
            mode=mode,
            context=context,
            lifespans=self._lifespans,
            overrides=self._overrides,
            extensions=self._extensions,
        )
        self._receivers.reporters = compiled.reporters
        self._receivers.threads = compiled.around.threads
        self._compiled = weakref.ref(compiled)
        self._urls = named(compiled.routes)
        self._registry.start(mode)
        self._registry.close()
        _compiled.add(self)
        return compiled

    def __command__(self, name: str) -> Command:
        from kingpost.app.commands import compile_command

        lookup, constants, context = self.__alone__()
        return compile_command(
            name,
            self._extensions.__commands__()[name],
            lookup=lookup,
            constants=constants,
            context=context,
        )

    def __alone__(self) -> tuple[Lookup, Mapping[type[Any], Any], Context]:
        """For what runs without a server: the App's providers, its objects, and the context in which `current_app()` is the App."""
        from kingpost.app.served import visible

        self._plugins.check()
        context = contextvars.copy_context()
        context.run(_current.set, self)
        lookup = visible((self._registry.providers,), self._overrides)
        return lookup, self._constants(chosen_mode("production")), context

    def __outside__(self) -> Outside:
        """Makes what handlers name, for `kingpost shell`."""
        from kingpost.app.outside import Outside

        return Outside(*self.__alone__())

    def __plugin__(self, name: str) -> Plugin | None:
        return self._plugins.named(name)

    def __describe__(self) -> tuple[CompiledRoute, ...]:
        from kingpost.app.around import Around
        from kingpost.app.compiled import compile_routes

        # For who looks at the routes without serving them; as for `url_for`, there need be no key.
        self._plugins.check()
        around = Around()
        around.codecs = self._extensions.__codecs__()
        return compile_routes(self._registry, self._constants("test"), around)

    def __override__(self, what: Any, by: Provider | None, place: Place) -> Provider | None:
        """Put a provider in the place of another from the next request on, None for that itself; what was there until now."""
        from kingpost.app.compiled import compile_routes
        from kingpost.app.overriding import check_something

        compiled = None if self._compiled is None else self._compiled()
        before = self._overrides.get(what)
        if by is not None and before is None:
            routes = (
                compile_routes(self._registry, self._constants("test"))
                if compiled is None
                else compiled.routes
            )
            check_something(what, routes, self._registry.providers, place)
        changed = {**self._overrides, what: by}
        overrides = {key: provider for key, provider in changed.items() if provider is not None}
        if compiled is not None:
            compiled.recompile(self._constants("test"), overrides)
        self._overrides = overrides
        return before

    def __renew__(self) -> None:
        """Serve with the settings that there are now, from the next request on; nothing where nobody serves it. For tests."""
        compiled = None if self._compiled is None else self._compiled()
        if compiled is not None:
            compiled.recompile(self._constants("test"), self._overrides)

    @property
    def __settings__(self) -> type[Settings] | None:
        """The class that the App was given; its settings are not read, since one of them may be wrong."""
        return self._settings

    def _constants(self, mode: Mode) -> Mapping[type[Any], Any]:
        from kingpost.app.constants import constants_of

        made = {} if self._settings is None else {self._settings: self._settings.load()}
        return constants_of(made, lambda: self.settings, mode)

    def _own_host(self) -> str:
        for host in self._hosts:
            if not host.startswith("*."):
                return host
        raise ConfigurationError(
            "the App does not know its own name, so it has no absolute URLs",
            code="app.no-host",
            remedy='write App(hosts=["example.org"]), or ask request.url_for(…, absolute=True)',
            places=[Place.of_caller()],
        )


def checked_settings(settings: object) -> type[Settings] | None:
    if settings is None:
        return None
    from kingpost.settings import Settings

    if isinstance(settings, type) and issubclass(settings, Settings):
        return settings
    raise ConfigurationError(
        f"settings={settings!r} is no subclass of Settings",
        code="app.bad-settings",
        remedy="give the class, not an object of it: App(settings=AppSettings)",
        places=[Place.of_caller()],
    )


INSTEAD: Mapping[str, str] = {
    "debug": "run `kingpost dev` while you develop, or set KINGPOST_ENV=development",
    "reload": "run `kingpost dev`, which reloads what you change",
    "host": "write app.run(host=…), or run `kingpost run --host …`",
    "port": "write app.run(port=…), or run `kingpost run --port …`",
}
"""What others write where an App is made, and what is written here."""


def listed_middleware(middleware: Any) -> Sequence[Middleware]:
    if isinstance(middleware, Sequence):
        return cast("Sequence[Middleware]", middleware)
    name = getattr(middleware, "__name__", f"{type(middleware).__name__}(…)")
    raise refused(
        "binding.middleware",
        f"middleware={middleware!r} is no list",
        f"write middleware=[{name}]",
    )


def current_app() -> App:
    """The App that serves the running request; outside of requests, the only one that was started in this process.

    Raises:
        LookupError: there is no such App, or there are several.
    """
    try:
        return _current.get()
    except LookupError:
        pass
    apps = list(_compiled)
    if len(apps) == 1:
        return apps[0]
    raise LookupError(
        "no App serves this code: it runs outside of a request, and not exactly one App was started"
    )
