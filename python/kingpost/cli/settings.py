"""`kingpost settings explain NAME`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kingpost.cli.run import import_app
from kingpost.settings import Settings, explain

if TYPE_CHECKING:
    from kingpost.app.application import App


def explain_setting(text: str | None, name: str) -> None:
    """Prints the value of a setting, where it comes from, and what would change it."""
    click.echo(str(explain(settings_class(import_app(text)) or Settings, name)))


def settings_class(app: App) -> type[Settings] | None:
    """The class that the App was given; its settings are not read, since one of them may be wrong."""
    found: object = getattr(app, "_settings", None)
    return found if isinstance(found, type) and issubclass(found, Settings) else None
