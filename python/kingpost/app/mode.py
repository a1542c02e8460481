"""The mode that an App runs in: said by the command, overruled by `KINGPOST_ENV`."""

from __future__ import annotations

import os
from typing import Final, cast, get_args

from kingpost.errors import ConfigurationError
from kingpost.types import Mode

VARIABLE: Final = "KINGPOST_ENV"


def chosen_mode(default: Mode) -> Mode:
    """`default`, unless the environment says otherwise.

    Raises:
        ConfigurationError: `app.unknown-mode` where `KINGPOST_ENV` is no mode.
    """
    said = os.environ.get(VARIABLE)
    if not said:
        return default
    if said not in get_args(Mode):
        raise ConfigurationError(
            f"{VARIABLE}={said!r} is no mode",
            code="app.unknown-mode",
            remedy=f"set it to {', '.join(get_args(Mode))}, or leave it out",
        )
    return cast("Mode", said)
