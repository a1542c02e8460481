"""Commands of the user's: `kingpost NAME …` for functions that an App has under `app.extensions.command`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from kingpost.cli.group import app_option
from kingpost.errors import TargetError

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.app.commands import Command, Typed
    from kingpost.schema.text import Scalar


def target_in(words: Sequence[str]) -> str | None:
    """The value of --app among the words behind a command."""
    for index, word in enumerate(words):
        if word == "--":
            return None
        if word == "--app" and index + 1 < len(words):
            return words[index + 1]
        if word.startswith("--app="):
            return word.removeprefix("--app=")
    return None


def own_command(name: str, words: Sequence[str]) -> click.Command | None:
    """The App's command of a name, to be called with `words`; None where there is no App, or it has none of that name."""
    app = app_of(target_in(words))
    if app is None or name not in app.extensions.__commands__():
        return None
    return as_click(app.__command__(name))


def own_names(words: Sequence[str]) -> list[str]:
    """The names of the App's commands, none where there is no App."""
    app = app_of(target_in(words))
    return [] if app is None else list(app.extensions.__commands__())


def list_commands(text: str | None) -> None:
    """Prints the commands of an App, columns aligned: name, what it does, and where it was written."""
    from kingpost.cli.run import import_app

    known = import_app(text).extensions.__commands__()
    rows = [
        (name, (claim.function.__doc__ or "").strip().partition("\n")[0], str(claim.place))
        for name, claim in known.items()
    ]
    if not rows:
        click.echo("This app has no commands of its own.")
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    for row in rows:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


def app_of(text: str | None) -> App | None:
    """The App that a command means; None where none was named, and there is no default one."""
    from kingpost.cli.run import import_app

    try:
        return import_app(text)
    except TargetError:
        if text is not None:
            raise
        return None


def as_click(command: Command) -> click.Command:
    """The command as click sees it."""

    def call(**values: Any) -> None:
        command.run(
            {
                each.name: list(values[each.name.lower()])
                if each.is_list
                else values[each.name.lower()]
                for each in command.typed
            }
        )

    params = [parameter_of(each) for each in command.typed]
    made = click.Command(command.name, params=params, callback=call, help=command.help or None)
    app_option(made)
    return made


def parameter_of(typed: Typed) -> click.Parameter:
    """An argument where it must be given, an option where it has a default, a flag where that is a bool."""
    from kingpost.binding.signature import EMPTY

    key = typed.name.lower()
    words = typed.name.replace("_", "-").lower()
    if typed.default is EMPTY:
        return click.Argument(
            [key],
            type=ScalarType(typed.scalar),
            nargs=-1 if typed.is_list else 1,
            metavar=f"[{words.upper()}]..." if typed.is_list else words.upper(),
        )
    if typed.scalar.type is bool and not typed.is_list:
        return click.Option(
            [key, f"--{words}/--no-{words}"], default=typed.default, show_default=True
        )
    return click.Option(
        [key, f"--{words}"],
        type=ScalarType(typed.scalar),
        default=typed.default,
        multiple=typed.is_list,
        show_default=typed.default is not None,
    )


class ScalarType(click.ParamType[Any]):
    """A type of the command line that reads as a query does."""

    def __init__(self, scalar: Scalar) -> None:
        self.name = scalar.words
        self._scalar = scalar

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        from kingpost.schema.problems import Refused

        try:
            return self._scalar.convert(value)
        except Refused as refused:
            said = "; ".join(message or code for code, message in refused.problems)
            self.fail(f"{value!r}: {said}", param, ctx)
        except (ValueError, ArithmeticError):
            self.fail(f"{value!r} is no {self._scalar.words}", param, ctx)
