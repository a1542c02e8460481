"""`kingpost run`: one worker in production mode."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kingpost.cli.failure import failure_of
from kingpost.cli.group import Refusal
from kingpost.cli.loading import GuestOptions, import_any, service_of
from kingpost.errors import ConfigurationError
from kingpost.server.listen import Address, ListenError
from kingpost.server.loops import LoopMissing
from kingpost.server.options import Options, limits_of
from kingpost.server.target import find_target, load_target

if TYPE_CHECKING:
    from kingpost.app.application import App


def run_app(
    text: str | None,
    address: Address,
    options: Options,
    guest: GuestOptions,
) -> None:
    """Serves the target until it is told to stop."""
    app = import_any(text, guest)
    from kingpost.server.serve import serve

    try:
        serve(service_of(app, "production"), address=address, options=options)
    except (ListenError, LoopMissing) as error:
        raise Refusal(str(error)) from None
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        traceback.print_exception(error)
        raise Refusal(
            "the app's start-up or clean-up failed, as the traceback above says"
        ) from None


def import_app(text: str | None) -> App:
    """The target's App; a mistake in the user's code ends the command with Python's own words about it."""
    from kingpost.app.application import App

    target = find_target(text)
    try:
        return load_target(target, App)
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        failure = failure_of(error)
        click.echo(failure.report.rstrip(), err=True)
        raise Refusal(f"{target.text} cannot be imported: {failure.summary}") from None


def typed_limits(texts: Sequence[str]) -> dict[str, int]:
    """What `--limit` says."""
    try:
        return limits_of(texts)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--limit") from None


def address_of(
    hosts: Sequence[str],
    port: int,
    *,
    uds: str | None = None,
    uds_mode: str = "660",
    fd: int | None = None,
) -> Address:
    """The address that these options describe."""
    if sum((bool(hosts), uds is not None, fd is not None)) > 1:
        raise click.UsageError("--host, --uds and --fd exclude each other: choose one")
    try:
        mode = int(uds_mode, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        raise click.BadParameter(
            f"{uds_mode!r} is not a file mode: write it octal, such as 660", param_hint="--uds-mode"
        )
    # Absolute: the application may change the working folder before the file is removed again.
    path = None if uds is None else str(Path(uds).absolute())
    return Address(hosts=tuple(hosts) or ("127.0.0.1",), port=port, uds=path, uds_mode=mode, fd=fd)
