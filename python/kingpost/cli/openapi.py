"""`kingpost openapi`."""

from __future__ import annotations

import click

from kingpost.cli.run import import_app


def print_document(text: str | None, *, as_yaml: bool) -> None:
    """Prints the OpenAPI document of an App."""
    from kingpost.openapi import document
    from kingpost.openapi.writing import to_json, to_yaml

    made = document(import_app(text))
    click.echo(to_yaml(made) if as_yaml else to_json(made, indent=2), nl=False)
