"""How a signature is refused: in one way to the outside, with its reason in the log."""

from __future__ import annotations

import logging

from kingpost.errors import Forbidden

DETAIL = "the signature is missing, wrong or no longer valid"


class BadSignature(Forbidden):
    """403: a signed or encrypted value is not as we gave it out, was meant for something else, or is too old.

    What the client sees does not say which; the log of `kingpost.signing` does.

    Attributes:
        has_expired: Whether it was ours and is only too old, for who wants to say "ask for a new link".
    """

    code = "signing.bad-signature"
    has_expired: bool

    def __init__(self, detail: str = DETAIL, *, has_expired: bool = False) -> None:
        super().__init__(detail)
        self.has_expired = has_expired


def refused(what: str, reason: str, *, has_expired: bool = False) -> BadSignature:
    """The error to raise, after the reason was logged.

    Args:
        what: What was checked, in the developer's words, never in those of the client.
        reason: The end of a sentence; it quotes nothing of the value.
        has_expired: Whether it is only too old.
    """
    # Asked for when there is something to say: `dictConfig` disables the loggers that exist before it.
    logging.getLogger("kingpost.signing").info("refused %s: %s", what, reason)
    return BadSignature(has_expired=has_expired)
