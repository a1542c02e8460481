"""`kingpost request GET /todos`: one request to an app, without a server."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kingpost.cli.run import import_app

if TYPE_CHECKING:
    from kingpost.testing import TestResponse
    from kingpost.testing.request import RequestOptions


def send(
    text: str | None,
    method: str,
    url: str,
    *,
    headers: Sequence[str],
    data: str | None,
    form: Sequence[str],
    head: bool,
) -> int:
    """Prints the answer; its status decides what is returned: 0 below 400, 1 from there."""
    from kingpost.testing import TestClient

    fields = [pair(field, ":") for field in headers]
    options: RequestOptions = {}
    if data is not None and form:
        raise click.UsageError("a request has one body: --data or --form")
    if data is not None:
        options["content"] = content(data)
        if not any(name.lower() == "content-type" for name, _ in fields):
            fields.append(("content-type", "application/json"))
    if form:
        options["form"] = [pair(field, "=") for field in form]
    options["headers"] = fields
    with TestClient(import_app(text), raise_errors=False) as client:
        try:
            answer = client.request(method.upper(), url, **options)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    show(answer, head=head)
    return 0 if answer.status < 400 else 1


def show(answer: TestResponse, *, head: bool) -> None:
    """Head and body as curl shows them: the body alone where it is piped into something else."""
    if head or sys.stdout.isatty():
        click.echo(f"HTTP/1.1 {answer.status} {answer.reason}", err=not head)
        for name, value in answer.headers.pairs():
            click.echo(f"{name}: {value}", err=not head)
        click.echo(err=not head)
    elif answer.status >= 400:
        click.echo(f"{answer.status} {answer.reason}", err=True)
    click.echo(answer.content, nl=not answer.content.endswith(b"\n"))


def pair(field: str, separator: str) -> tuple[str, str]:
    name, found, value = field.partition(separator)
    if not found or not name:
        raise click.UsageError(f"{field!r} is not NAME{separator}VALUE")
    return name.strip(), value.strip() if separator == ":" else value


def content(data: str) -> bytes:
    """The body: `@file` is what is in the file, `@-` what is piped in."""
    if not data.startswith("@"):
        return data.encode()
    if data == "@-":
        return sys.stdin.buffer.read()
    try:
        return Path(data[1:]).read_bytes()
    except OSError as error:
        raise click.UsageError(f"{data[1:]} cannot be read: {error.strerror}") from error
