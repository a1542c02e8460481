"""Commands and groups that help: a mistyped command is answered with the nearest one, a refusal with its remedy."""

from __future__ import annotations

from collections.abc import Callable

import click

from kingpost.errors import ConfigurationError


class Command(click.Command):
    """A click command that says how to name the app, where it stands among arguments that are something else."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if not any("--app" in param.opts for param in self.params):
                raise
            _, extra, _ = self.make_parser(ctx).parse_args(args=list(given))
            if not extra:
                raise
            kept = [each for each in given if each not in extra]
            said = " ".join([ctx.command_path, *kept, "--app", extra[-1]])
            raise click.UsageError(
                f"{error.message.removesuffix('.')}. The app is named with --app: {said}", ctx
            ) from error


class Group(click.Group):
    """A click group that suggests, lists commands in the order they were written, and prints our refusals as sentences."""

    command_class = Command
    otherwise: str | None = None
    """The command that takes over when the first argument is not the name of one; it gets that argument."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def others(self, word: str, args: list[str]) -> click.Command | None:
        """A command that is not in the list: the root group asks the App."""
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if self.get_command(ctx, word) is None and not word.startswith("-"):
            found = self.others(word, args[1:])
            if found is not None:
                return word, found, args[1:]
            if self.otherwise is not None:
                return self.otherwise, self.commands[self.otherwise], args
            raise click.UsageError(self._unknown(word, args[1:]), ctx)
        return super().resolve_command(ctx, args)

    def names(self, args: list[str]) -> list[str]:
        """The names that a mistyped one may have meant."""
        return list(self.commands)

    def _unknown(self, word: str, args: list[str]) -> str:
        import difflib

        if word.endswith(".py") or ":" in word:
            return f"{word} looks like an app, but a command comes first: kingpost dev {word}"
        close = difflib.get_close_matches(word, names := self.names(args), n=1)
        hint = f"Did you mean: {close[0]}?" if close else f"There are: {', '.join(names)}."
        return f"There is no command {word!r}. {hint}"

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            raise Refusal(str(error)) from error


class Refusal(click.ClickException):
    """A mistake of the user's that ends the command with status 1 and a sentence."""

    def show(self, file: object = None) -> None:
        click.echo(f"{click.style('error:', fg='red', bold=True)} {self.message}", err=True)


def app_option(function: Callable[..., object]) -> Callable[..., object]:
    """The option --app, for commands whose arguments are something else."""
    return click.option(
        "--app",
        "target",
        metavar="TARGET",
        help="Which app; as for `kingpost run`. Without it: the default one.",
    )(function)
