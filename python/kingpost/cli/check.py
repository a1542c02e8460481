"""`kingpost check`."""

from __future__ import annotations

import click

from kingpost.cli.run import import_app
from kingpost.schema.rules import counted


def check(text: str | None) -> int:
    """Prints what is wrong with an app; 1 where something must not be served like that."""
    from kingpost.app.compile import compile_app
    from kingpost.checks.asking import OWN, ask

    app = import_app(text)
    compile_app(app, mode="production")
    errors = warnings = 0
    for found in ask(app):
        problem = found.problem
        kind = "error" if problem.is_error else "warning"
        errors, warnings = errors + problem.is_error, warnings + (not problem.is_error)
        colour = "red" if problem.is_error else "yellow"
        click.echo(
            f"{click.style(f'{kind}:', fg=colour, bold=True)} {found.check}: {problem.message}"
        )
        if problem.remedy:
            click.echo(f"  do: {problem.remedy}")
        if found.place:
            click.echo(f"  at: {found.place}")
    checks = len(OWN) + len(app.extensions.__checks__())
    click.echo(
        f"{counted(checks, 'check')}: {counted(errors, 'error')}, {counted(warnings, 'warning')}"
    )
    return int(errors > 0)
