"""`kingpost dev`: a supervisor that watches the files, and workers that it starts anew when they change.

The same command line serves both: the supervisor starts the workers with its own arguments and says by an environment
variable that they are workers.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from kingpost.cli.failure import failure_of
from kingpost.cli.group import Refusal
from kingpost.cli.loading import GuestOptions, import_any, load_app, service_of
from kingpost.cli.run import address_of, typed_limits
from kingpost.errors import ConfigurationError
from kingpost.server.child import Failure, Order, ReloadedChild
from kingpost.server.listen import Address, Listener, ListenError, inherit, open_listeners, told
from kingpost.server.loops import LoopKind, LoopMissing
from kingpost.server.operations import VARIABLE as OPERATIONS
from kingpost.server.operations import is_operations, open_operations, told_operations
from kingpost.server.options import Options
from kingpost.server.target import Target, find_target
from kingpost.server.tls import Tls, tls_of

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.interop.guest import Guest
    from kingpost.server.engine import Service

# What Python's audit hooks are told when breakpoint() or a debugger begins.
_DEBUGGER_EVENTS = frozenset({"builtins.breakpoint", "sys.settrace"})
# Seconds that requests in flight have when a worker is replaced or stopped.
_GRACE = 5.0


def run_dev(
    text: str | None,
    hosts: Sequence[str],
    port: int,
    loop: str,
    limits: Sequence[str],
    *,
    guest: GuestOptions,
    https: bool = False,
    certificates: Sequence[str] = (),
    keys: Sequence[str] = (),
    reload: bool,
) -> None:
    """Serves the target in development mode."""
    child = ReloadedChild.from_environment()
    options = Options(
        loop=cast("LoopKind", loop),
        grace=_GRACE,
        limits=typed_limits(limits),
        tls=_tls(https=https, certificates=certificates, keys=keys, is_child=child is not None),
    )
    try:
        if child is not None:
            _work(find_target(text), child, options, guest)
        elif reload:
            secure = options.tls is not None
            _supervise(find_target(text), address_of(hosts, port), secure=secure)
        else:
            _serve_once(text, address_of(hosts, port), options, guest)
    except (ListenError, LoopMissing) as error:
        raise Refusal(str(error)) from None
    except KeyboardInterrupt:
        # Pressed while the code was still being imported.
        raise SystemExit(130) from None


def _tls(
    *, https: bool, certificates: Sequence[str], keys: Sequence[str], is_child: bool
) -> Tls | None:
    """What the options say about HTTPS; a certificate of one's own comes before the one that is made."""
    if not https or certificates or keys:
        return tls_of(certificates, keys)
    from kingpost.cli.local_certificate import advice, local_certificate

    made = local_certificate()
    if made.is_new and not is_child:
        _say(advice(made))
    return Tls([(str(made.certificate), str(made.key))])


# -- the supervisor --------------------------------------------------------------------------------------------------


def _supervise(target: Target, address: Address, *, secure: bool) -> None:
    from kingpost.server.reload import Supervisor, interpreter

    operations = open_operations(address)
    if operations:
        # Port 0 is another number by now, and workers tell them apart by it.
        host, port = operations[0].socket.getsockname()[:2]
        os.environ[OPERATIONS] = f"{host}:{port}"
    listeners = open_listeners(address)
    try:
        for listener in listeners:
            url = told(listener.url, secure=secure)
            _say(f"Kingpost serves {target.text} on {url}{told_operations(operations)}")
        _say("Development mode: it reloads when a file changes. Press Ctrl-C to stop.")
        command = [*interpreter(), "-m", "kingpost.cli", *sys.argv[1:]]
        status = Supervisor(command, [*listeners, *operations], _roots(target), _say).run()
    finally:
        for listener in (*listeners, *operations):
            listener.close()
    if status:
        raise SystemExit(status)


def _roots(target: Target) -> list[Path]:
    """The folders to watch: the project's, and the working one where that is another."""
    roots = [target.folder.absolute()]
    if Path.cwd() != roots[0] and not Path.cwd().is_relative_to(roots[0]):
        roots = [root for root in roots if not root.is_relative_to(Path.cwd())] + [Path.cwd()]
    return roots


def _say(line: str) -> None:
    click.echo(line, err=True)


# -- a worker --------------------------------------------------------------------------------------------------------


def _work(target: Target, child: ReloadedChild, options: Options, guest: GuestOptions) -> None:
    inherited = [inherit(number) for number in child.listening]
    listeners = [each for each in inherited if not is_operations(each)]
    operations = [each for each in inherited if is_operations(each)]
    _report_debuggers(child)
    try:
        service = _service(target, child, guest)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - SystemExit too: exit() is a mistake to be shown
        _serve_failure(error, target, listeners, options, child)
        return
    try:
        _serve(service, listeners, options, child, operations)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        # Start-up is the user's code as well.
        child.obey(None)
        _serve_failure(error, target, listeners, options, child)


def _serve_failure(
    error: BaseException,
    target: Target,
    listeners: Sequence[Listener],
    options: Options,
    child: ReloadedChild,
) -> None:
    """Says what is wrong, and shows it to browsers where there is no older code that could serve them."""
    failure = failure_of(error)
    child.broken(failure)
    if child.wait_for_order() == "show":
        from kingpost.cli.broken import BrokenService

        _serve(BrokenService(error, failure, target.text), listeners, options, child)


def _service(target: Target, child: ReloadedChild, guest: GuestOptions) -> Service:
    app = load_app(target, guest)
    _prepare(app, child.writing)
    return service_of(app, "development")


def _prepare(app: App | Guest, before_writing: Callable[[Path], None] | None = None) -> None:
    """What an App of ours has in development, and others do not."""
    from kingpost.app.application import App

    if isinstance(app, App):
        _make_secret_key(app, before_writing)
        _show_api(app)


def _serve(
    service: Service,
    listeners: Sequence[Listener],
    options: Options,
    child: ReloadedChild,
    operations: Sequence[Listener] = (),
) -> None:
    from kingpost.app.pages import may_show_details
    from kingpost.server import logs
    from kingpost.server.notice import NoticedDispatch
    from kingpost.server.serve import leave
    from kingpost.server.worker import Worker

    logs.set_up()
    dispatch = NoticedDispatch(service.dispatch, may_show_details)

    def obey(order: Order, failure: Failure) -> None:
        if order == "notice":
            dispatch.notice = failure
        elif order in ("stop", "now"):
            worker.stop(now=order == "now")

    worker = Worker(
        service,
        listeners,
        options,
        dispatch=dispatch,
        on_ready=lambda _: child.ready(),
        on_leaving=child.left,
        operations=operations,
    )
    child.obey(obey)
    try:
        status = worker.run()
    except Exception as error:
        if not worker.is_stopping:
            raise
        # Clean-up: nobody asks for this worker any more, so the console alone is told.
        _say(failure_of(error).report.rstrip())
        status = 1
    leave(status, worker)


def _report_debuggers(child: ReloadedChild) -> None:
    """Tells the supervisor when a debugger is opened: a worker that waits for somebody typing is to be left alone."""
    told = False

    def listen(event: str, _: tuple[object, ...]) -> None:
        nonlocal told
        if not told and event in _DEBUGGER_EVENTS:
            told = True
            child.debugging()

    # Not sys.breakpointhook: the prompt would open in that function, not in the user's.
    sys.addaudithook(listen)


def _make_secret_key(app: App, before_writing: Callable[[Path], None] | None = None) -> None:
    """Development needs no preparation: where the App has settings, or its program signs, a missing key is made once and kept."""
    from kingpost.settings import Settings
    from kingpost.settings.secret_key import ensure_secret_key

    kind = app.__settings__
    if kind is None and "kingpost.signing" in sys.modules:
        kind = Settings
    if kind is not None and (said := ensure_secret_key(kind, before_writing=before_writing)):
        _say(said)


def _show_api(app: App) -> None:
    """Has the page of the API at /docs, unless the App has one, or answers there itself."""
    from kingpost.openapi.development import install

    install(app)


# -- without reload --------------------------------------------------------------------------------------------------


def _serve_once(text: str | None, address: Address, options: Options, guest: GuestOptions) -> None:
    from kingpost.server.serve import serve

    app = import_any(text, guest)
    _prepare(app)
    try:
        serve(
            service_of(app, "development"),
            address=address,
            options=options,
        )
    except (ListenError, LoopMissing, ConfigurationError):
        raise
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        traceback.print_exception(error)
        raise Refusal(
            "the app's start-up or clean-up failed, as the traceback above says"
        ) from None
