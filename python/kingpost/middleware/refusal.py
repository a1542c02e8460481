"""How middleware says no when it is made: the value, the rule, the remedy, the line."""

from __future__ import annotations

from kingpost.errors import ConfigurationError
from kingpost.types import Place


def refused(code: str, message: str, remedy: str) -> ConfigurationError:
    """The error for arguments that cannot work, or would do harm; it names the line that gave them."""
    return ConfigurationError(message, code=code, remedy=remedy, places=[Place.of_caller()])
