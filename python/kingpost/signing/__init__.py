"""Values that leave the process and come back: signed, so that nobody alters them, or encrypted, so that nobody reads them.

Rule 1: each purpose has a key of its own, derived by HKDF (RFC 5869) from the secret key and the purpose, every part with its length in
front: what was signed for one purpose is refused for every other.
Rule 2: the first key of a ring signs, all of them verify; every one is tried, so that time does not tell which key was right.
Rule 3: what is refused is refused in one way, whatever was wrong. The reason stands in the log.
"""

from kingpost.signing.cookies import CookieOptions, EncryptedCookies, SignedCookies
from kingpost.signing.encrypter import Encrypter
from kingpost.signing.errors import BadSignature
from kingpost.signing.keys import KeyRing
from kingpost.signing.sealer import Sealer
from kingpost.signing.signer import Signer
from kingpost.signing.urls import SignedUrls

__all__ = [
    "BadSignature",
    "CookieOptions",
    "EncryptedCookies",
    "Encrypter",
    "KeyRing",
    "Sealer",
    "SignedCookies",
    "SignedUrls",
    "Signer",
]
