"""What an App has for parameters that name its class: its settings, and what signs with its secret key."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kingpost.types import Mode

if TYPE_CHECKING:
    from kingpost.settings import Settings
    from kingpost.signing import KeyRing


class Constants(Mapping[type[Any], Any]):
    """Objects of an App by their class. What signs is made when the first parameter names it, so that only who signs needs a key.

    Args:
        made: what is there.
        makers: functions that make the rest, each called once.
    """

    def __init__(
        self, made: Mapping[type[Any], Any], makers: Mapping[type[Any], Callable[[], Any]]
    ) -> None:
        self._made = dict(made)
        self._makers = makers

    def __getitem__(self, kind: type[Any]) -> Any:
        if kind not in self._made:
            self._made[kind] = self._makers[kind]()
        return self._made[kind]

    def __contains__(self, kind: object) -> bool:
        # Mapping's own would make the object.
        return any(kind in known for known in (self._made, self._makers))

    def __iter__(self) -> Iterator[type[Any]]:
        return iter({**self._made, **self._makers})

    def __len__(self) -> int:
        return len({**self._made, **self._makers})


def constants_of(
    made: Mapping[type[Any], Any], settings: Callable[[], Settings], mode: Mode
) -> Constants:
    """The objects of an App.

    Args:
        made: its settings by their class, where it was given one.
        settings: gives them, or those of the base class.
        mode: in "test", a missing key is made up for the process.
    """
    if "kingpost.signing" not in sys.modules:
        # Then no parameter can name what is in it, and nobody waits for OpenSSL.
        return Constants(made, {})
    from kingpost.signing import EncryptedCookies, KeyRing, SignedCookies, SignedUrls

    @functools.cache
    def ring() -> KeyRing:
        return ring_of(settings(), mode)

    makers: dict[type[Any], Callable[[], Any]] = {
        KeyRing: ring,
        SignedCookies: lambda: SignedCookies(ring()),
        EncryptedCookies: lambda: EncryptedCookies(ring()),
        SignedUrls: lambda: SignedUrls(ring()),
    }
    return Constants(made, makers)


def ring_of(settings: Settings, mode: Mode) -> KeyRing:
    """The keys of an App's settings.

    Raises:
        SettingsError: there is none (code `settings.no-secret-key`), or one is too short (code `settings.weak-secret-key`).
    """
    from kingpost.settings.secret_key import require_secret_key
    from kingpost.signing import KeyRing

    if mode == "test" and not settings.secret_key:
        return KeyRing(key_for_tests())
    key = require_secret_key(settings, needed_by="kingpost.signing")
    return KeyRing(key, *settings.former_secret_keys)


@functools.cache
def key_for_tests() -> str:
    """One for the process: tests need no preparation, and what one App of a test signed the next one reads."""
    import secrets

    return secrets.token_urlsafe(48)
