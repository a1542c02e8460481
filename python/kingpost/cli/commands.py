"""Every command, its options and its help. What a command does is in a module of its own, imported when it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import click
from click.core import ParameterSource

from kingpost.cli.group import Group, app_option

if TYPE_CHECKING:
    from kingpost.cli.loading import InterfaceOption
    from kingpost.server.loops import LoopKind
    from kingpost.server.options import Http

_HELP = """Kingpost, a web framework.

\b
A first app is a file, say hello.py:

\b
    from kingpost import App
    app = App()

\b
    @app.get("/")
    def home():
        return "Hello, world!"

\b
Try it:             kingpost dev hello.py
                    then open http://127.0.0.1:8000 in a browser
Serve it for real:  kingpost run hello.py

An app may have commands of its own: kingpost commands lists them.
"""

_WHERE_HELP = """

\b
TARGET says where the app is:
  hello.py              the file hello.py
  hello, shop.web       a module
  shop.web:app          the object `app` in the module shop.web
  shop.web:create_app   a function that returns the app
"""
_WITHOUT_HELP = """
Without TARGET: [tool.kingpost] app of pyproject.toml, then app.py, then main.py."""
_TARGET_HELP = f"{_WHERE_HELP}An app is an App of Kingpost, or any application of ASGI 3 or WSGI.{_WITHOUT_HELP}"
_APP_TARGET_HELP = f"{_WHERE_HELP}An app is an App of Kingpost here; one of ASGI or WSGI can be mounted in it.{_WITHOUT_HELP}"


class Root(Group):
    """The whole command line; words that it does not know may be the App's own commands."""

    def others(self, word: str, args: list[str]) -> click.Command | None:
        if word.endswith(".py") or ":" in word:
            return None
        from kingpost.cli.own import own_command

        return own_command(word, args)

    def names(self, args: list[str]) -> list[str]:
        from kingpost.cli.own import own_names

        return [*self.commands, *own_names(args)]


@click.group(
    cls=Root,
    help=_HELP,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(None, "--version", package_name="kingpost", message="Kingpost %(version)s")
@click.pass_context
def kingpost(ctx: click.Context) -> None:
    """The command line; without a command it says what there is."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _refused(
    message: str, param: click.Parameter | None, ctx: click.Context | None
) -> click.BadParameter:
    """What is wrong with a value. Where it comes from the environment, the refusal says so: nobody has written the option then."""
    source = None if param is None or ctx is None else ctx.get_parameter_source(param.name)
    if param is None or source is not ParameterSource.ENVIRONMENT:
        return click.BadParameter(message, ctx, param)
    return click.BadParameter(message, ctx, param, f"the environment variable {param.envvar}")


class Port(click.IntRange):
    """A port."""

    name = "port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter as error:
            raise _refused(error.message, param, ctx) from error


class Workers(click.ParamType[str]):
    """How many workers: a number, or auto."""

    name = "workers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if text == "auto":
            return text
        # Of ASCII digits: int() reads more.
        if not (text.isascii() and text.isdigit()) or len(text) > 3 or not 1 <= int(text) <= 255:
            raise _refused(f"{text!r} is not 1 to 255, and not auto", param, ctx)
        return text


class Seconds(click.ParamType[float]):
    """A time, 0 or more.

    Args:
        least: the shortest that is of use; 0 stands for none at all then.
        why: what would be with a shorter one.
    """

    name = "seconds"

    def __init__(self, least: float = 0.0, why: str = "") -> None:
        self._least = least
        self._why = why

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = -1.0
        # Of what is no number each comparison is false.
        if not 0 <= seconds < _FOREVER:
            raise _refused(
                f"{value!r} is not a number of seconds from 0 to {_FOREVER:.0f}", param, ctx
            )
        if 0 < seconds < self._least:
            raise _refused(
                f"{seconds:g} is less than {self._least:g}: {self._why}. 0 is never", param, ctx
            )
        return seconds


_FOREVER = 1e9


_host = click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="HOST",
    help="Address to listen on; may be given more than once.  [default: 127.0.0.1, this machine only; "
    "0.0.0.0 is everybody by IPv4, :: by IPv6]",
)
_port = click.option(
    "--port",
    type=Port(0, 65535),
    envvar="PORT",
    default=8000,
    show_default=True,
    help="Port to listen on; 0 takes a free one. The environment's PORT is the default where it is set.",
)
_uds = click.option(
    "--uds", metavar="PATH", help="Listen on a Unix socket instead of host and port."
)
_uds_mode = click.option(
    "--uds-mode",
    metavar="MODE",
    default="660",
    show_default=True,
    help="Permissions of the Unix socket, octal.",
)
_fd = click.option(
    "--fd", type=click.IntRange(0), help="Take over this descriptor, a listening socket, instead."
)
_loop = click.option(
    "--loop",
    type=click.Choice(["auto", "uvloop", "asyncio"]),
    default="auto",
    show_default=True,
    help="Event loop; auto is uvloop where it is installed.",
)

_http = click.option(
    "--http",
    type=click.Choice(["auto", "1", "2"]),
    default="auto",
    show_default=True,
    help="Versions of HTTP; auto is both, as the client begins.",
)
_tls_cert = click.option(
    "--tls-cert",
    "tls_certs",
    multiple=True,
    metavar="FILE",
    help="Speak HTTPS with this certificate (PEM, those that vouch for it behind it); given more than once, each with its"
    " --tls-key, clients get the one for the name that they ask for. A file that changes is read anew.",
)
_tls_key = click.option(
    "--tls-key",
    "tls_keys",
    multiple=True,
    metavar="FILE",
    help="The private key of the certificate (PEM).",
)

_limit = click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=N",
    help="Another limit of the server than its own, such as head=65536; may be given more than once. A name that is none"
    " is answered with the list of them.",
)

_interface = click.option(
    "--interface",
    type=click.Choice(["auto", "asgi", "wsgi", "kingpost"]),
    default="auto",
    show_default=True,
    help="What the target is: an App of Kingpost, or an application of ASGI or WSGI; auto finds out.",
)
_max_body = click.option(
    "--max-body",
    type=click.IntRange(0),
    metavar="BYTES",
    help="Bytes that a request's body may have for an application of ASGI or WSGI.  [default: 1 GiB]",
)


_trust_proxy = click.option(
    "--trust-proxy",
    "trusted",
    multiple=True,
    metavar="ADDRESS",
    help="Tell an application of ASGI or WSGI what the proxy at this address, or in this network, says of the client in"
    ' X-Forwarded-For and X-Forwarded-Proto; "unix" is whoever uses the Unix socket. May be given more than once.',
)
_root_path = click.option(
    "--root-path",
    metavar="PATH",
    default="",
    help="Tell an application of ASGI or WSGI that a proxy has taken this from the front of its paths, such as /shop.",
)


@kingpost.command(
    help="Run an app while you write it: reloads when files change, shows errors."
    + _TARGET_HELP
    + "\n\nFiles that count are those named .py, .html, .css, .js, .sql, .toml and .env, below the app's folder and"
    " this one. Others, such as .json and .csv, may be data that the app writes itself."
)
@click.argument("target", required=False)
@_host
@_port
@_loop
@_limit
@_interface
@_max_body
@click.option(
    "--https",
    is_flag=True,
    help="Speak HTTPS, with a certificate for this machine that is made the first time.",
)
@_tls_cert
@_tls_key
@click.option("--no-reload", is_flag=True, help="Do not watch the files.")
def dev(
    *,
    target: str | None,
    hosts: tuple[str, ...],
    port: int,
    loop: str,
    limits: tuple[str, ...],
    interface: str,
    max_body: int | None,
    https: bool,
    tls_certs: tuple[str, ...],
    tls_keys: tuple[str, ...],
    no_reload: bool,
) -> None:
    """Serves in development mode."""
    from kingpost.cli.dev import run_dev
    from kingpost.cli.loading import GuestOptions

    guest = GuestOptions(cast("InterfaceOption", interface), max_body)
    run_dev(
        target,
        hosts,
        port,
        loop,
        limits,
        guest=guest,
        https=https,
        certificates=tls_certs,
        keys=tls_keys,
        reload=not no_reload,
    )


@kingpost.command(help="Serve an app for real: fast, and errors stay private." + _TARGET_HELP)
@click.argument("target", required=False)
@_host
@_port
@_uds
@_uds_mode
@_fd
@_loop
@_http
@_limit
@_interface
@_max_body
@_tls_cert
@_tls_key
@click.option(
    "--tls-client-ca",
    metavar="FILE",
    help="Let in only clients whose certificate one of these authorities has signed (PEM).",
)
@click.option(
    "--tls-client-optional",
    is_flag=True,
    help="With --tls-client-ca: let in clients without a certificate too.",
)
@click.option(
    "--proxy-protocol",
    multiple=True,
    metavar="FROM",
    help="Have the proxies at this address or network say by the PROXY protocol whom they speak for, and let in nobody else;"
    ' "unix" is whoever uses the Unix socket. May be given more than once.',
)
@_trust_proxy
@_root_path
@click.option(
    "--ops-port",
    type=click.IntRange(0, 65535),
    help="Serve the pages of Health() and Metrics() on this port, and not on the others; 0 takes a free one.",
)
@click.option(
    "--ops-host",
    default="127.0.0.1",
    show_default=True,
    help="Address of that port; 0.0.0.0 where an orchestrator asks from elsewhere.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    envvar="KINGPOST_LOG_FORMAT",
    default="text",
    show_default=True,
    help="How lines of the log look where the app does not configure logging; json is an object a line.",
)
@click.option(
    "--grace",
    type=Seconds(),
    default=30.0,
    show_default=True,
    help="Seconds that running requests have to finish when the server is told to stop.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=40,
    show_default=True,
    help="Threads for `def` handlers, and for WSGI applications, in each worker.",
)
@click.option(
    "--workers",
    type=Workers(),
    metavar="N|auto",
    envvar="WEB_CONCURRENCY",
    help="Processes that serve, under a supervisor that replaces them; auto is one for each processor. The environment's"
    " WEB_CONCURRENCY is the default where it is set.  [default: this process, without a supervisor]",
)
@click.option(
    "--shared-listener",
    is_flag=True,
    help="All workers take connections from one socket, not each from one of its own.",
)
@click.option(
    "--max-requests",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Replace a worker after about N requests.",
)
@click.option(
    "--max-age",
    type=Seconds(1, "workers would be replaced before they serve"),
    default=0.0,
    metavar="SECONDS",
    help="Replace a worker after about so many seconds.",
)
@click.option(
    "--max-memory",
    type=click.IntRange(0),
    default=0,
    metavar="MIB",
    help="Replace a worker that has more memory; more than it has as it starts.",
)
@click.option(
    "--worker-timeout",
    type=Seconds(2, "a worker shows once a second that it is alive"),
    metavar="SECONDS",
    help="Replace a worker whose event loop is blocked for so long, 2 or more; 0: never.  [default: 30]",
)
@click.option(
    "--start-timeout",
    type=Seconds(),
    metavar="SECONDS",
    help="Give up an import, and the start-up of a worker, that takes longer; 0: never.  [default: 60]",
)
@click.option(
    "--control",
    metavar="PATH",
    envvar="KINGPOST_CONTROL",
    help="Unix socket on which `kingpost reload` finds this service.",
)
def run(
    *,
    target: str | None,
    hosts: tuple[str, ...],
    port: int,
    uds: str | None,
    uds_mode: str,
    fd: int | None,
    loop: str,
    http: str,
    limits: tuple[str, ...],
    interface: str,
    max_body: int | None,
    tls_certs: tuple[str, ...],
    tls_keys: tuple[str, ...],
    tls_client_ca: str | None,
    tls_client_optional: bool,
    proxy_protocol: tuple[str, ...],
    grace: float,
    threads: int,
    workers: str | None,
    control: str | None,
    shared_listener: bool,
    worker_timeout: float | None,
    start_timeout: float | None,
    max_requests: int,
    max_age: float,
    max_memory: int,
    log_format: str,
    trusted: tuple[str, ...],
    root_path: str,
    ops_port: int | None,
    ops_host: str,
) -> None:
    """Serves in production mode."""
    import os

    from kingpost.cli.loading import GuestOptions, checked_root
    from kingpost.cli.run import address_of, processes_of, run_app, typed_limits
    from kingpost.server.logs import FORMAT
    from kingpost.server.operations import VARIABLE as OPERATIONS
    from kingpost.server.options import Options
    from kingpost.server.proxy_protocol import proxies_of
    from kingpost.server.tls import tls_of

    source = click.get_current_context().get_parameter_source("port")
    if source is ParameterSource.COMMANDLINE and (uds is not None or fd is not None):
        other = "--fd" if uds is None else "--uds"
        raise click.UsageError(
            f"--port says where to listen, and so does {other}: choose one. To listen on both, have a proxy do it"
        )
    # Workers, and whatever else is started, write as this process does.
    os.environ[FORMAT] = log_format
    if ops_port is not None:
        os.environ[OPERATIONS] = f"{ops_host}:{ops_port}"
    address = address_of(hosts, port, uds=uds, uds_mode=uds_mode, fd=fd, by_systemd=True)
    processes = processes_of(
        workers,
        control,
        shared_listener=shared_listener,
        silence=worker_timeout,
        start_timeout=start_timeout,
        max_requests=max_requests,
        max_age=max_age,
        max_memory=max_memory,
    )
    proxies_of(proxy_protocol)
    options = Options(
        loop=cast("LoopKind", loop),
        grace=grace,
        threads=threads,
        limits=typed_limits(limits),
        http=cast("Http", http),
        tls=tls_of(
            tls_certs,
            tls_keys,
            tls_client_ca,
            client_optional=tls_client_optional,
            http=cast("Http", http),
        ),
        proxy_protocol=proxy_protocol,
    )
    guest = GuestOptions(
        cast("InterfaceOption", interface), max_body, trusted, checked_root(root_path)
    )
    run_app(target, address, options, guest, processes)


@kingpost.command("reload", short_help="Have a running service take in new code.")
@click.option(
    "--control",
    metavar="PATH",
    envvar="KINGPOST_CONTROL",
    help="The Unix socket that the service was given by `kingpost run --control`. The environment's KINGPOST_CONTROL is the default"
    " of both.",
)
def reload(*, control: str | None) -> None:
    """Have a running service take in new code, without a request that fails.

    Code that cannot be imported, or does not start, replaces nothing: then this says why, and ends with status 1.
    """
    from kingpost.cli.run import reload_service

    if control is None:
        raise click.UsageError(
            "Which service? Say --control PATH here and at `kingpost run --workers N --control PATH`, or set KINGPOST_CONTROL for both."
            " One that was started with --workers and without --control reloads on SIGHUP, and tells its log what came of it:"
            " kill -HUP and the number of its first process, or systemctl kill --kill-whom=main -s HUP and the unit"
        )
    reload_service(control)


@kingpost.group(cls=Group, invoke_without_command=True, short_help="List the routes of an app.")
@app_option
@click.pass_context
def routes(ctx: click.Context, target: str | None) -> None:
    """List the routes of an app: methods, path, name, and where each was written."""
    ctx.obj = target
    if ctx.invoked_subcommand is None:
        from kingpost.cli.routes import list_routes

        list_routes(target)


@routes.command("explain", short_help="Say what happens on a request to a path.")
@click.argument("path")
@click.option("--method", default="GET", show_default=True, help="The request's method.")
@app_option
@click.pass_context
def routes_explain(ctx: click.Context, path: str, method: str, target: str | None) -> None:
    """Say which route answers PATH, where its arguments come from, and what is done with its value."""
    from kingpost.cli.routes import explain_route

    explain_route(target or ctx.obj, path, method.upper())


@routes.command("list", hidden=True)
@click.argument("target")
def routes_list(target: str) -> None:
    """What `kingpost routes hello.py` means."""
    from kingpost.cli.routes import list_routes

    list_routes(target)


routes.otherwise = "list"  # type: ignore[attr-defined]  # click's decorators hide the class


@kingpost.command("request", short_help="Send one request to an app, without a server.")
@click.argument("method")
@click.argument("url")
@app_option
@click.option(
    "-H", "--header", "headers", multiple=True, metavar="NAME:VALUE", help="A header field."
)
@click.option(
    "-d",
    "--data",
    metavar="TEXT",
    help="The body, JSON if no header says otherwise; @FILE for a file, @- for what is piped in.",
)
@click.option(
    "-f", "--form", "form", multiple=True, metavar="NAME=VALUE", help="A field of a form."
)
@click.option("-i", "--include", "head", is_flag=True, help="Print status and header fields too.")
@click.pass_context
def request(
    ctx: click.Context,
    *,
    method: str,
    url: str,
    target: str | None,
    headers: tuple[str, ...],
    data: str | None,
    form: tuple[str, ...],
    head: bool,
) -> None:
    """Send METHOD to URL, such as `kingpost request GET /todos`, and print the answer.

    The app starts, answers and stops; nothing listens on a port. The exit status is 1 for an answer of 400 or more.
    """
    from kingpost.cli.request import send

    ctx.exit(send(target, method, url, headers=headers, data=data, form=form, head=head))


@kingpost.command(
    help="Print the OpenAPI document of an app, made from the types of its routes."
    + _APP_TARGET_HELP,
    short_help="Print the OpenAPI document of an app.",
)
@click.argument("target", required=False)
@click.option("--yaml", "as_yaml", is_flag=True, help="YAML in place of JSON.")
def openapi(target: str | None, *, as_yaml: bool) -> None:
    """Prints the document; with an installed `OpenAPI`, the one that it serves."""
    from kingpost.cli.openapi import print_document

    print_document(target, as_yaml=as_yaml)


@kingpost.command(short_help="Open a Python prompt with the app and what its handlers are given.")
@app_option
@click.option(
    "-c", "--command", "program", metavar="CODE", help="Run this program in place of a prompt."
)
@click.option("--plain", is_flag=True, help="Python's own prompt, also where IPython is installed.")
@click.pass_context
def shell(ctx: click.Context, target: str | None, program: str | None, *, plain: bool) -> None:
    r"""Open a Python prompt with the app in `app`.

    \b
    Beside it: settings, get(T) for what a handler is given that names T, a TestClient
    in client, and url_for. `await` works. What was made is finished when you leave.

    A program may be piped in as well: echo 'print(app)' | kingpost shell
    """
    from kingpost.cli.shell import open_shell

    ctx.exit(open_shell(target, program, plain=plain))


@kingpost.command(
    help="Say what is wrong with an app: what would keep it from starting, and what its checks find. The exit status"
    " is 1 where there are errors; warnings are told."
    + _APP_TARGET_HELP
    + "\n\nWith --deploy, an application of ASGI or WSGI is asked, too. Put the options of `kingpost run` behind two dashes, as you start it:"
    " kingpost check --deploy app.py -- --workers 4 --uds shop.sock",
    short_help="Say what is wrong with an app.",
)
@click.argument("target", required=False)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.option("--deploy", is_flag=True, help="Look at what matters where others can reach it, too.")
@click.option(
    "--silence",
    "silenced",
    multiple=True,
    metavar="NAME",
    help="Keep quiet about what this check finds; may be given more than once.",
)
@click.option("--strict", is_flag=True, help="The exit status is 1 where there are warnings, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document in place of text.")
@click.pass_context
def check(
    ctx: click.Context,
    *,
    target: str | None,
    options: tuple[str, ...],
    deploy: bool,
    silenced: tuple[str, ...],
    strict: bool,
    as_json: bool,
) -> None:
    """Asks Kingpost's own checks, and those that plugins and the app have added."""
    from kingpost.cli.check import check as ask

    # `kingpost check --deploy -- --workers 4` names no target.
    if target is not None and target.startswith("-"):
        options, target = (target, *options), None
    if options and not deploy:
        raise click.UsageError("only `kingpost check --deploy` takes the options of `kingpost run`")
    serving = run.make_context("run", list(options)).params if deploy else None
    ctx.exit(ask(target, serving, silenced, strict=strict, as_json=as_json))


@kingpost.group(cls=Group, short_help="Ask about the settings of an app.")
@app_option
@click.pass_context
def settings(ctx: click.Context, target: str | None) -> None:
    """Ask about the settings of an app."""
    ctx.obj = target


@settings.command("explain", short_help="Say where a setting's value comes from.")
@click.argument("name")
@app_option
@click.pass_context
def settings_explain(ctx: click.Context, name: str, target: str | None) -> None:
    """Say what the setting NAME is, its value now, where that comes from, and how to change it."""
    from kingpost.cli.settings import explain_setting

    explain_setting(target or ctx.obj, name)


@kingpost.command(short_help="Explain an error code, with the wrong program and the right one.")
@click.argument("code", required=False)
def explain(code: str | None) -> None:
    """Explain the error CODE: a wrong program, and the right one. Without CODE: list all codes."""
    from kingpost.cli.explain import explain_code

    explain_code(code)


@kingpost.command(short_help="Say what works on which server: native, ASGI, WSGI.")
def hosts() -> None:
    """Say what works on which server: ours, those that speak ASGI, those that speak WSGI."""
    from kingpost.cli.hosts import show_hosts

    show_hosts()


@kingpost.command(short_help="List the commands that an app has of its own.")
@app_option
def commands(target: str | None) -> None:
    """List the commands that an app has of its own: `kingpost NAME` runs one."""
    from kingpost.cli.own import list_commands

    list_commands(target)
