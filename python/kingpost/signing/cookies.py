"""`SignedCookies` and `EncryptedCookies`: values of any type in cookies, each bound to the name of its cookie."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol, TypedDict, TypeVar, Unpack, overload

from kingpost.signing.encrypter import Encrypter
from kingpost.signing.errors import BadSignature
from kingpost.signing.keys import KeyRing
from kingpost.signing.sealer import Sealer
from kingpost.signing.signer import Signer
from kingpost.signing.stamp import Clock
from kingpost.types import SameSite

T = TypeVar("T")


class CookieOptions(TypedDict, total=False):
    """What `Response.set_cookie` takes beside the name, the value and the age.

    Keys:
        path: Where it is sent back; "/" if not said.
        domain: None for this host alone; a name for it and all hosts below it.
        http_only: Hidden from scripts, the default.
        secure: Sent over https only (and to localhost), the default.
        same_site: Which cross-site requests carry it; "lax" if not said.
        partitioned: Kept apart for each top-level site.
    """

    path: str | None
    domain: str | None
    http_only: bool
    secure: bool
    same_site: SameSite
    partitioned: bool


class HasCookies(Protocol):
    """What has the cookies of a request: `Request`."""

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies by name, as they were sent."""
        ...


class TakesCookies(Protocol):
    """What gives cookies to a browser: `Response`."""

    def set_cookie(
        self,
        name: str,
        value: str,
        *,
        max_age: int | timedelta | None = ...,
        path: str | None = ...,
        domain: str | None = ...,
        http_only: bool = ...,
        secure: bool = ...,
        same_site: SameSite = ...,
        partitioned: bool = ...,
    ) -> Any:
        """Give the browser a cookie."""
        ...

    # Not **options: Unpack[CookieOptions]: pyright finds no Response that fits.
    def delete_cookie(
        self,
        name: str,
        *,
        path: str | None = ...,
        domain: str | None = ...,
        http_only: bool = ...,
        secure: bool = ...,
        same_site: SameSite = ...,
        partitioned: bool = ...,
    ) -> Any:
        """Make the browser forget a cookie."""
        ...


class _Cookies(ABC):
    """What both kinds of cookies have in common."""

    __slots__ = ("_clock", "_keys")

    def __init__(self, keys: KeyRing, *, clock: Clock = time.time) -> None:
        self._keys = keys
        self._clock = clock

    def set(
        self,
        response: TakesCookies,
        name: str,
        value: object,
        *,
        max_age: int | timedelta | None = None,
        **options: Unpack[CookieOptions],
    ) -> None:
        """Give the browser a cookie with a value.

        Args:
            response: What will be returned.
            name: A token; the value is bound to it.
            value: Anything that JSON can be made of; about 3,000 characters of JSON fit.
            max_age: Whole seconds, or a timedelta, above 0, that the browser keeps it, and after which we refuse it. Without it, until the
                browser is closed, and it is never too old for us.
            options: As of `Response.set_cookie`.

        Raises:
            ValueError: `max_age` is not above 0, or the browser would drop the cookie.
            TypeError: No JSON can be made of the value.
        """
        text = self._sealer(name).dumps(value, expires_in=max_age)
        response.set_cookie(name, text, max_age=max_age, **options)

    @overload
    def get(
        self, request: HasCookies, name: str, *, max_age: int | timedelta | None = ...
    ) -> str | None: ...
    @overload
    def get(
        self,
        request: HasCookies,
        name: str,
        type: type[T],
        *,
        max_age: int | timedelta | None = ...,
    ) -> T | None: ...
    def get(
        self,
        request: HasCookies,
        name: str,
        type: Any = str,
        *,
        max_age: int | timedelta | None = None,
    ) -> Any:
        """The value of a cookie; None where there is none, and where it is not as we gave it out (the log says why).

        Args:
            request: The request.
            name: The cookie's name.
            type: What the value must be; text if not said.
            max_age: Seconds, or a timedelta, since it was set, beyond which it is None, whatever it was given.

        Raises:
            ValueError: `max_age` is not above 0.
        """
        text = request.cookies.get(name)
        if text is None:
            return None
        try:
            return self._sealer(name).loads(text, type, max_age=max_age)
        except BadSignature:
            return None

    def delete(self, response: TakesCookies, name: str, **options: Unpack[CookieOptions]) -> None:
        """Make the browser forget a cookie; the options are those that it was set with.

        Who has kept a copy can still send it: what must end at once is ended on the server.
        """
        response.delete_cookie(name, **options)

    @abstractmethod
    def _sealer(self, name: str) -> Sealer:
        """What signs or encrypts the cookie of a name."""


class SignedCookies(_Cookies):
    """Cookies that the browser's owner can read and nobody can alter.

    A handler that names it gets the one with the keys of the App's settings.

    Args:
        keys: The ring.
        clock: Gives seconds since 1970; for tests.
    """

    __slots__ = ()

    def _sealer(self, name: str) -> Sealer:
        return _SignedCookie(self._keys, name, clock=self._clock)


class EncryptedCookies(_Cookies):
    """Cookies that only we can read. They need the extra `kingpost[encryption]`.

    A handler that names it gets the one with the keys of the App's settings.

    Args:
        keys: The ring.
        clock: Gives seconds since 1970; for tests.

    Raises:
        ConfigurationError: The package `cryptography` is not installed (code `signing.no-cryptography`).
    """

    __slots__ = ()

    def __init__(self, keys: KeyRing, *, clock: Clock = time.time) -> None:
        super().__init__(keys, clock=clock)
        # A missing package is told at start, not to the first visitor.
        self._sealer("probe")

    def _sealer(self, name: str) -> Sealer:
        return _EncryptedCookie(self._keys, name, clock=self._clock)


class _SignedCookie(Signer):
    __slots__ = ()
    _kind = "signed cookie"


class _EncryptedCookie(Encrypter):
    __slots__ = ()
    _kind = "encrypted cookie"
