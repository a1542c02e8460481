"""What `kingpost check --deploy` looks at: whether an application, as it is started on this machine, may be left alone with the public.

Rule 1: a check has an id that never changes, looks at something that is really there, and says what to do.
Rule 2: none of them changes anything, and none asks the network.
Rule 3: what it needs is the type of what it takes: a `Site` is an App's, a `Setup` is there for applications of others, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from kingpost.checks.deploy import (
    capacity,
    code,
    door,
    guests,
    headers,
    operations,
    process,
    secrets,
    shown,
)
from kingpost.checks.deploy.site import Setup, Site, Told

OF_SETUP: Final[Mapping[str, Callable[[Setup], Iterator[Told]]]] = {
    f"deploy.{name}": check
    for part in (door, guests, secrets, shown, operations, capacity, process, code)
    for name, check in part.OF_SETUP.items()
}
"""Those that every application is asked, by their ids."""

OF_APP: Final[Mapping[str, Callable[[Site], Iterator[Told]]]] = {
    f"deploy.{name}": check
    for part in (door, headers, secrets, shown, operations, capacity, code)
    for name, check in part.OF_APP.items()
}
"""Those that only an App is asked."""

CHECKS: Final = (*OF_SETUP, *OF_APP)
"""The id of every check. An entry of `kingpost explain` tells more of each."""


def names_of(setup: Setup) -> Sequence[str]:
    """The ids of the checks that it is asked."""
    return CHECKS if isinstance(setup, Site) else tuple(OF_SETUP)


def ask_deploy(setup: Setup) -> Iterator[tuple[str, Told]]:
    """What the checks find, each with the id of its check."""
    for name, check in OF_SETUP.items():
        for told in check(setup):
            yield name, told
    if isinstance(setup, Site):
        for name, of_app in OF_APP.items():
            for told in of_app(setup):
                yield name, told
