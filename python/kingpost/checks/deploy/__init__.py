"""What `kingpost check --deploy` looks at: whether an App, as it is started on this machine, may be left alone with the public.

Rule 1: a check has an id that never changes, looks at something that is really there, and says what to do.
Rule 2: none of them changes anything, and none asks the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from kingpost.checks.deploy import (
    capacity,
    code,
    door,
    headers,
    operations,
    process,
    secrets,
    shown,
)
from kingpost.checks.deploy.site import Site, Told

Check = Callable[[Site], Iterator[Told]]

CHECKS: Final[Mapping[str, Check]] = {
    f"deploy.{name}": check
    for part in (door, headers, secrets, shown, operations, capacity, process, code)
    for name, check in part.CHECKS.items()
}
"""Every check by its id. An entry of `kingpost explain` tells more of each."""


def ask_deploy(site: Site) -> Iterator[tuple[str, Told]]:
    """What the checks find, each with the id of its check."""
    for name, check in CHECKS.items():
        for told in check(site):
            yield name, told
