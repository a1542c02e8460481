"""`kingpost routes` and `kingpost routes explain PATH`."""

from __future__ import annotations

import click

from kingpost.cli.run import import_app


def list_routes(text: str | None) -> None:
    """Prints one line for each route, columns aligned."""
    from kingpost.app.compile import compile_app

    compiled = compile_app(import_app(text), mode="production")
    rows = [
        (",".join(route.methods), route.path, route.name, str(route.place), str(route.conditions))
        for route in compiled.routes
    ]
    if not rows:
        click.echo("This app has no routes yet.")
        return
    # Most apps tell their routes apart by method and path alone: no column of nothing for them.
    when = "WHEN" if any(row[4] for row in rows) else ""
    rows.insert(0, ("METHODS", "PATH", "NAME", "WRITTEN IN", when))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        click.echo(
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        )


def explain_route(text: str | None, path: str, method: str) -> None:
    """Prints what is done for a request."""
    from kingpost.app.compile import compile_app

    click.echo(compile_app(import_app(text), mode="production").explain(path, method))
