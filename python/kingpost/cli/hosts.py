"""`kingpost hosts`."""

from __future__ import annotations

import json
from importlib.resources import files

import click

_HOSTS = {"native": "native", "asgi": "ASGI", "wsgi": "WSGI"}


def show_hosts() -> None:
    """Prints what works on which host; a file of the tests' outcomes says it."""
    table: list[dict[str, str]] = json.loads(
        (files("kingpost.server.hosted") / "features.json").read_text("utf-8")
    )
    width = max(len(line["feature"]) for line in table)
    click.echo(_line(" " * width, list(_HOSTS.values())))
    for line in table:
        words = [line[host].partition(":")[0] for host in _HOSTS]
        click.echo(_line(line["feature"].ljust(width), words))
    for line in table:
        for host, name in _HOSTS.items():
            _, colon, instead = line[host].partition(": ")
            if colon:
                click.echo(f"\n{line['feature']}, {name}: {instead}.")
    click.echo(
        "\nThe connection is the host's: TLS, HTTP/2, time-outs of connections, processes, reload, its own log, and whether a file is sent by the system."
    )


def _line(name: str, words: list[str]) -> str:
    return f"{name}  {'  '.join(word.ljust(8) for word in words)}".rstrip()
