"""`kingpost settings explain NAME`."""

from __future__ import annotations

import click

from kingpost.cli.run import import_app
from kingpost.settings import Settings, explain


def explain_setting(text: str | None, name: str) -> None:
    """Prints the value of a setting, where it comes from, and what would change it."""
    click.echo(str(explain(import_app(text).__settings__ or Settings, name)))
