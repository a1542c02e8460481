"""`kingpost routes` and `kingpost routes explain PATH`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from kingpost.cli.loading import GuestOptions, import_any
from kingpost.cli.run import import_app

if TYPE_CHECKING:
    from kingpost.interop.guest import Guest


def list_routes(text: str | None) -> None:
    """Prints one line for each route, columns aligned."""
    from kingpost.app.compile import compile_app
    from kingpost.interop.guest import Guest

    app = import_any(text, GuestOptions())
    if isinstance(app, Guest):
        show(rows_of(app, ""))
        return
    compiled = compile_app(app, mode="production")
    rows = [
        (",".join(route.methods), route.path, route.name, str(route.place), str(route.conditions))
        for route in compiled.routes
    ]
    for mount, guest in compiled.mounted.mounts:
        rows += rows_of(guest, str(mount.place))
    show(rows)


def show(found: Iterable[tuple[str, str, str, str, str]]) -> None:
    """One line for each, columns aligned."""
    rows = list(found)
    if not rows:
        click.echo("This app has no routes yet.")
        return
    # Most apps tell their routes apart by method and path alone: no column of nothing for them.
    when = "WHEN" if any(row[4] for row in rows) else ""
    where = "WRITTEN IN" if any(row[3] for row in rows) else ""
    rows.insert(0, ("METHODS", "PATH", "NAME", where, when))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        click.echo(
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        )


def rows_of(guest: Guest, place: str) -> Iterator[tuple[str, str, str, str, str]]:
    """The URLs of an application of others, one line each; one for all where it cannot be asked."""
    from kingpost.interop.guest_urls import urls_of

    urls = urls_of(guest.app)
    if urls is None:
        yield "*", f"{guest.prefix}/*", guest.name, place, ""
        return
    for url in urls:
        yield ",".join(url.methods) or "*", guest.prefix + url.path, url.name, place, ""


def explain_route(text: str | None, path: str, method: str) -> None:
    """Prints what is done for a request."""
    from kingpost.app.compile import compile_app

    click.echo(compile_app(import_app(text), mode="production").explain(path, method))
