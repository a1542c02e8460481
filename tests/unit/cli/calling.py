"""One call of the command."""

from __future__ import annotations

from click.testing import CliRunner, Result

from kingpost.cli.commands import kingpost


def call(*arguments: str, given: bytes | None = None) -> Result:
    """What `kingpost` with these arguments prints and ends with.

    Args:
        arguments: as typed.
        given: its standard input.
    """
    return CliRunner().invoke(kingpost, arguments, input=given)
