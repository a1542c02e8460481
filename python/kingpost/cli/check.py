"""`kingpost check`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from kingpost.cli.loading import GuestOptions, app_or_refusal, checked_root, import_any
from kingpost.cli.run import address_of, typed_limits
from kingpost.schema.rules import counted

if TYPE_CHECKING:
    from kingpost.checks.asking import Found
    from kingpost.checks.deploy.serving import Serving


def check(
    text: str | None,
    started: Mapping[str, Any] | None = None,
    silenced: Sequence[str] = (),
    *,
    strict: bool = False,
    as_json: bool = False,
) -> int:
    """Prints what is wrong with an app; 1 where something must not be served like that.

    Args:
        text: the target.
        started: the options of `kingpost run`, to look at how the app is deployed; None for the app alone.
        silenced: names of checks.
        strict: a warning is a failure, too.
        as_json: print a document.
    """
    from kingpost.app.compile import compile_app
    from kingpost.checks.asking import ask, ask_setup, names
    from kingpost.checks.deploy import names_of
    from kingpost.checks.deploy.machine import Machine
    from kingpost.checks.deploy.site import BareGuest, Site
    from kingpost.interop.guest import Guest

    app = import_any(text, GuestOptions() if started is None else guest_of(started))
    if isinstance(app, Guest) and started is not None:
        bare = BareGuest(app, serving_of(started), Machine.here())
        known, all_found = names_of(bare), ask_setup(bare)
        quiet: Mapping[str, str] = {}
    else:
        app = app_or_refusal(app, "kingpost check --deploy asks it what can be asked of it. ")
        compile_app(app, mode="production")
        site = None if started is None else Site(app, serving_of(started), Machine.here())
        known, all_found = names(app, site), ask(app, site)
        quiet = app.extensions.__silenced__()
    for name in silenced:
        if name not in known:
            raise click.BadParameter(unknown(name, known), param_hint="--silence")
    quiet = {**quiet, **dict.fromkeys(silenced, "--silence")}
    found = [each for each in all_found if each.check not in quiet]
    errors = sum(each.problem.is_error for each in found)
    warnings = len(found) - errors
    quiet = {name: why for name, why in quiet.items() if name in known}
    if as_json:
        click.echo(document(len(known), errors, warnings, quiet, found))
    else:
        for each in found:
            show(each)
        for name, why in quiet.items():
            click.echo(f"silenced: {name}: {why}")
        click.echo(
            f"{counted(len(known), 'check')}: {counted(errors, 'error')}, {counted(warnings, 'warning')}"
        )
    return int(errors > 0 or (strict and warnings > 0))


def show(found: Found) -> None:
    problem = found.problem
    kind, colour = ("error", "red") if problem.is_error else ("warning", "yellow")
    click.echo(f"{click.style(f'{kind}:', fg=colour, bold=True)} {found.check}: {problem.message}")
    if problem.remedy:
        click.echo(f"  do: {problem.remedy}")
    if found.place:
        click.echo(f"  at: {found.place}")


def document(
    checks: int, errors: int, warnings: int, silenced: Mapping[str, str], found: Sequence[Found]
) -> str:
    """All of it as JSON, for other programs."""
    import msgspec

    problems = [
        {
            "check": each.check,
            "level": "error" if each.problem.is_error else "warning",
            "message": each.problem.message,
            "remedy": each.problem.remedy,
            "place": each.place,
        }
        for each in found
    ]
    told = {"checks": checks, "errors": errors, "warnings": warnings, "silenced": silenced}
    return msgspec.json.encode({**told, "problems": problems}).decode()


def unknown(name: str, known: Sequence[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, 1)
    return f"{name!r} is no check" + (f"; did you mean {near[0]!r}?" if near else "")


def serving_of(started: Mapping[str, Any]) -> Serving:
    """How an app is started by `kingpost run` with these options."""
    from kingpost.checks.deploy.serving import Serving

    address = address_of(
        started["hosts"],
        started["port"],
        uds=started["uds"],
        uds_mode=started["uds_mode"],
        fd=started["fd"],
    )
    return Serving(
        hosts=started["hosts"],
        uds=address.uds,
        uds_mode=address.uds_mode,
        fd=address.fd,
        tls=bool(started["tls_certs"]),
        workers=workers_of(started["workers"]),
        threads=started["threads"],
        grace=started["grace"],
        loop=started["loop"],
        limits=typed_limits(started["limits"]),
        ops=started["ops_port"] is not None,
    )


def guest_of(started: Mapping[str, Any]) -> GuestOptions:
    """How an application of others is served by `kingpost run` with these options."""
    return GuestOptions(
        started["interface"],
        started["max_body"],
        started["trusted"],
        checked_root(started["root_path"]),
    )


def workers_of(said: object) -> int | None:
    """How many; None for as many as there are processors."""
    if said is None:
        return 1
    return None if said == "auto" else int(str(said))
