"""Error reporters: told of what no error handler took."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kingpost.app.extensions import Claim
    from kingpost.http.request import Request


class Reporters:
    """The error reporters of one App."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        self._claims = claims

    def tell(self, error: BaseException, request: Request | None) -> None:
        """Tell all of them; what one of them raises is logged, and the others are told."""
        for claim in self._claims:
            try:
                claim.function(error, request)
            except Exception:
                logging.getLogger("kingpost.app").exception(
                    "the error reporter in %s has failed", claim.place
                )
