"""The command `kingpost`. Each command imports what it needs when it is called, so that `kingpost --help` is quick."""

from __future__ import annotations


def main() -> None:
    """Runs the command line; never returns."""
    from kingpost.cli.commands import kingpost

    kingpost(prog_name="kingpost")
