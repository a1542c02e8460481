"""What a target is, and how it is served: an App of ours, or an application that was written for ASGI or WSGI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import click

from kingpost.cli.failure import failure_of
from kingpost.cli.group import Refusal
from kingpost.errors import ConfigurationError, TargetError
from kingpost.server.target import Target, find_target, load_any

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.interop.guest import Guest
    from kingpost.interop.interface import Interface
    from kingpost.server.engine import Service
    from kingpost.types import Mode

InterfaceOption: TypeAlias = Literal["auto", "asgi", "wsgi", "kingpost"]


@dataclass(frozen=True, slots=True)
class GuestOptions:
    """How an application of others is served.

    Attributes:
        interface: what the target is; "auto" finds out.
        max_body: bytes that a request's body may have; None for the default.
        trusted: addresses and networks of proxies that say who asks.
        root_path: what a proxy has taken from the front of the paths.
    """

    interface: InterfaceOption = "auto"
    max_body: int | None = None
    trusted: Sequence[str] = ()
    root_path: str = ""

    def check_needless(self, target: Target) -> None:
        """Refuses what an App of ours is told in another way.

        Raises:
            TargetError: `target.not-a-guest`.
        """
        remedies = {
            "--trust-proxy": f"add middleware to the App: TrustedProxies({list(self.trusted)!r})"
            if self.trusted
            else "",
            "--root-path": f'mount the App in another one: outer.mount("{self.root_path}", app)'
            if self.root_path
            else "",
        }
        for option, remedy in remedies.items():
            if remedy:
                raise TargetError(
                    f"{option} is for applications of ASGI and WSGI, and {target.text} is an App",
                    code="target.not-a-guest",
                    remedy=remedy,
                )


def checked_root(path: str) -> str:
    """What `--root-path` says, without its last slash."""
    bare = path.rstrip("/")
    if bare and (not bare.startswith("/") or any(each in bare for each in "?#%{ ")):
        raise click.BadParameter(
            f"{path!r} is no path of a proxy: write it as /shop", param_hint="--root-path"
        )
    return bare


def load_app(target: Target, options: GuestOptions) -> App | Guest:
    """The target's App, or the application of others that it is.

    Raises:
        TargetError: as `load_target`; `target.interface` where nobody can tell by which interface it is called.
        Exception: whatever the user's own code raises while it is imported.
    """
    from kingpost.app.application import App

    found: dict[int, Interface] = {}

    def is_guest(candidate: object) -> bool:
        interface = told_interface(candidate, target, options.interface)
        if interface is None:
            return False
        found[id(candidate)] = interface
        return True

    app = load_any(target, App, is_guest)
    if isinstance(app, App):
        options.check_needless(target)
        return app
    from kingpost.interop.guest import MAX_BODY, Guest
    from kingpost.middleware.proxies import TrustedProxies

    return Guest(
        app,
        found[id(app)],
        name=target.text,
        max_body=MAX_BODY if options.max_body is None else options.max_body,
        root=options.root_path,
        proxies=TrustedProxies(options.trusted) if options.trusted else None,
    )


def told_interface(candidate: object, target: Target, option: InterfaceOption) -> Interface | None:
    """The interface of what a target may be.

    Raises:
        TargetError: `target.interface`.
    """
    from kingpost.app.application import App
    from kingpost.interop.interface import interface_of, is_ambiguous, takes

    if option == "kingpost" or isinstance(candidate, App | type):
        return None
    if option == "auto":
        if is_ambiguous(candidate):
            raise TargetError(
                f"{target.text} can be called in any way, so nothing tells whether it is an ASGI or a WSGI application",
                code="target.interface",
                remedy="say which: --interface asgi, or --interface wsgi; --interface kingpost for a function that makes an App",
            )
        return interface_of(candidate)
    # What is made by a function is looked at when it was made.
    if callable(candidate) and takes(candidate, 3 if option == "asgi" else 2):
        return option
    return None


def service_of(app: App | Guest, mode: Mode) -> Service:
    """What a server serves of it.

    Raises:
        ConfigurationError: something in the App cannot work.
    """
    from kingpost.app.compile import compile_app
    from kingpost.interop.guest import Guest, GuestService
    from kingpost.server import operations

    if isinstance(app, Guest):
        service = GuestService(app, mode=mode)
        if operations.address() is not None:
            from kingpost.app.application import App
            from kingpost.checks import Health, Metrics

            pages = compile_app(App(plugins=[Health(), Metrics()]), mode=mode)
            service.operate(pages.operations)
        return service

    return compile_app(app, mode=mode)


def app_or_refusal(app: App | Guest, otherwise: str = "") -> App:
    """The App that a command asks.

    Args:
        app: what the target is.
        otherwise: what can be done with an application of others; a sentence.

    Raises:
        Refusal: it is an application of others.
    """
    from kingpost.interop.guest import Guest

    if not isinstance(app, Guest):
        return app
    raise Refusal(
        f"{app.name} is an application of {app.interface.upper()}, and this asks an App of Kingpost. {otherwise}One can stand in front of it:\n\n"
        "    from kingpost import App\n\n"
        "    front = App()\n"
        '    front.mount("/", app)  # what no route of front answers is that application\'s'
    )


def import_any(text: str | None, options: GuestOptions) -> App | Guest:
    """As `load_app`; a mistake in the user's code ends the command with Python's own words about it."""
    target = find_target(text)
    try:
        return load_app(target, options)
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        failure = failure_of(error)
        click.echo(failure.report.rstrip(), err=True)
        raise Refusal(f"{target.text} cannot be imported: {failure.summary}") from None
