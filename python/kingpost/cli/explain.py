"""`kingpost explain CODE`."""

from __future__ import annotations

import click

from kingpost.cli.group import Refusal
from kingpost.explain import closest, codes, explain


def explain_code(code: str | None) -> None:
    """Prints the entry of a code, or the list of all codes."""
    if code is None:
        for known in codes():
            entry = explain(known)
            click.echo(f"{known:34} {entry.sentence if entry else ''}".rstrip())
        return
    entry = explain(code)
    if entry is None:
        near = closest(code)
        hint = (
            f"Did you mean {' or '.join(near)}?"
            if near
            else "`kingpost explain` without a code lists them all."
        )
        raise Refusal(f"there is no code {code!r}. {hint}")
    click.echo(entry.text())
