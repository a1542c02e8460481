"""`kingpost run`: production mode, in this process or in several."""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kingpost.cli.failure import failure_of
from kingpost.cli.group import Refusal
from kingpost.cli.loading import (
    GuestOptions,
    app_or_refusal,
    import_any,
    load_app,
    service_of,
)
from kingpost.errors import ConfigurationError
from kingpost.server.listen import Address, ListenError
from kingpost.server.loops import LoopMissing
from kingpost.server.options import Options, limits_of
from kingpost.server.systemd import handed_over
from kingpost.server.target import find_target

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.server.engine import Service
    from kingpost.server.processes import Processes


def run_app(
    text: str | None,
    address: Address,
    options: Options,
    guest: GuestOptions,
    processes: Processes | None = None,
) -> None:
    """Serves the target until it is told to stop; where `processes` is given, by workers under a supervisor."""
    from kingpost.server import descriptors

    if processes is not None:
        _supervise(text, address, options, guest, processes)
        return
    descriptors.fill_standard()
    descriptors.raise_limit()
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


def _supervise(
    text: str | None,
    address: Address,
    options: Options,
    guest: GuestOptions,
    processes: Processes,
) -> None:
    from kingpost.server import descriptors
    from kingpost.server.forked import Recipe
    from kingpost.server.operations import open_operations
    from kingpost.server.shared import Workshop
    from kingpost.server.supervisor import supervise

    target = find_target(text)

    def load() -> Service:
        return service_of(load_app(target, guest), "production")

    try:
        descriptors.fill_standard()
        descriptors.check(processes.workers, processes.slots, descriptors.raise_limit())
        workshop = Workshop(processes.slots)
        # Before anything is forked: all processes have them, and this one for as long as there is any.
        operations = open_operations(address)
        recipe = Recipe(load, failure_of, options, processes, workshop, operations)
        status = supervise(recipe, address)
    except (ListenError, OSError, descriptors.TooFew) as error:
        raise Refusal(str(error)) from None
    if status:
        raise SystemExit(status)


def reload_service(control: str) -> None:
    """Has a running service take in its new code, and says what came of it."""
    from kingpost.server.control import Unanswered, ask

    try:
        answer = ask(control, "reload")
    except Unanswered as error:
        raise Refusal(str(error)) from None
    if isinstance(answer, str):
        click.echo(answer)
        return
    if answer.report:
        click.echo(answer.report.rstrip(), err=True)
    raise Refusal(f"not reloaded, {answer.summary}")


def processes_of(
    workers: str | None,
    control: str | None,
    *,
    shared_listener: bool,
    silence: float | None,
    start_timeout: float | None,
    **worn: float,
) -> Processes | None:
    """What the options say about processes; None where one process without a supervisor is enough."""
    from kingpost.server.processes import SILENCE, START_TIMEOUT, Processes, cpu_count

    asks = (control, shared_listener, silence, start_timeout, *worn.values())
    if workers is None and not any(asks):
        return None
    if not hasattr(os, "fork"):
        raise click.UsageError(
            "this system cannot fork processes: --workers and what goes with it need Linux or macOS"
        )
    count = cpu_count() if workers == "auto" else 1 if workers is None else int(workers)
    return Processes(
        workers=count,
        shared_listener=shared_listener,
        max_requests=int(worn["max_requests"]),
        max_age=worn["max_age"],
        max_memory=int(worn["max_memory"]) << 20,
        silence=SILENCE if silence is None else silence,
        start_timeout=START_TIMEOUT if start_timeout is None else start_timeout,
        control=None if control is None else str(Path(control).absolute()),
    )


def import_app(text: str | None) -> App:
    """The target's App; a mistake in the user's code ends the command with Python's own words about it.

    Raises:
        Refusal: it is an application of others.
    """
    return app_or_refusal(import_any(text, GuestOptions()))


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
    by_systemd: bool = False,
) -> Address:
    """The address that these options describe; where they name none, what systemd hands over comes before the default."""
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
    if by_systemd and not hosts and uds is None and fd is None and (given := handed_over()):
        return Address(inherited=given)
    # Absolute: the application may change the working folder before the file is removed again.
    path = None if uds is None else str(Path(uds).absolute())
    return Address(hosts=tuple(hosts) or ("127.0.0.1",), port=port, uds=path, uds_mode=mode, fd=fd)
