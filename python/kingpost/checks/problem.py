"""`Problem`: what a check has found."""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """What a check has found, for the person who can mend it.

    Attributes:
        message: what is wrong, in one sentence without a full stop.
        remedy: what to do about it.
        is_error: whether the App must not be served like that; else it is a warning.

    Example:
        ```python
        from kingpost.checks import Problem

        Problem("nobody is told of errors", "set MAIL_TO", is_error=False)
        ```
    """

    message: str
    remedy: str = ""
    is_error: bool = True
