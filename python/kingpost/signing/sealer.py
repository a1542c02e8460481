"""`Sealer`: what signing and encrypting have in common."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeVar, overload

import msgspec

from kingpost import limits
from kingpost.signing.errors import refused
from kingpost.signing.keys import KeyRing
from kingpost.signing.stamp import Clock, Duration, Unreadable, stamped, unstamped

T = TypeVar("T")


class Sealer(ABC):
    """What `Signer` and `Encrypter` have in common: values that come back as they left.

    Code that takes a Sealer leaves it to its caller whether the value may be read on the way.
    """

    __slots__ = ("_clock", "_what", "purpose")

    _kind: ClassVar[str]
    """The first word of the purpose, so that a cookie of one name is no value of that purpose."""

    def __init__(self, keys: KeyRing, purpose: str, *, clock: Clock = time.time) -> None:
        if not purpose:
            raise ValueError('purpose="" is no purpose: name what the values are for')
        self.purpose = purpose
        self._clock = clock
        self._what = f"the {self._kind} {purpose!r}"
        self._take_keys(keys.derive(self._kind, purpose))

    def dumps(self, value: object, *, expires_in: Duration | None = None) -> str:
        """A value of any type that JSON can be made of, as text for a URL, a cookie or a form.

        Args:
            value: A Struct, dataclass, dict, list, str, number …
            expires_in: Seconds, or a timedelta, above 0; without it the value never ends by itself.

        Raises:
            ValueError: It is longer than what would be read again, or `expires_in` is not above 0.
            TypeError: No JSON can be made of it.
        """
        return self._sealed(msgspec.json.encode(value), expires_in)

    @overload
    def loads(self, text: str, type: type[T], *, max_age: Duration | None = ...) -> T: ...
    @overload
    def loads(self, text: str, type: Any = ..., *, max_age: Duration | None = ...) -> Any: ...
    def loads(self, text: str, type: Any = Any, *, max_age: Duration | None = None) -> Any:
        """The value that `dumps` was given.

        Args:
            text: What came back.
            type: What the value must be.
            max_age: Seconds, or a timedelta, since it was made, beyond which it is refused, whatever it was given.

        Raises:
            BadSignature: It is not what was given out for this purpose, has ended, is too old, or is of another type.
        """
        data = self._opened(text, max_age)
        try:
            return msgspec.json.decode(data, type=type)
        except msgspec.DecodeError as error:
            # Ours, from before a class was changed. msgspec's words may quote the value; the place, behind them, does not.
            where = str(error).rpartition(" - at ")[2] if " - at " in str(error) else "`$`"
            raise refused(self._what, f"it is of another type, at {where}") from None

    def _sealed(self, value: bytes | str, expires_in: Duration | None) -> str:
        data = value.encode() if isinstance(value, str) else value
        text = self._close(stamped(data, self._clock, expires_in))
        if len(text) > limits.SIGNED_CHARACTERS:
            raise ValueError(
                f"{self._what} would have {len(text)} characters, and {limits.SIGNED_CHARACTERS} are read; "
                "keep the data on the server and give out its key"
            )
        return text

    def _opened(self, text: str, max_age: Duration | None) -> bytes:
        # Before any work: whoever sends it decides how long it is.
        if len(text) > limits.SIGNED_CHARACTERS:
            raise refused(self._what, f"it has more than {limits.SIGNED_CHARACTERS} characters")
        data = self._open(text) if text.isascii() else None
        if data is None:
            raise refused(
                self._what, "it was altered, made for another purpose, or with a key that is gone"
            )
        try:
            value, late = unstamped(data, self._clock, max_age)
        except Unreadable as error:
            raise refused(self._what, str(error)) from None
        if late:
            raise refused(self._what, late, has_expired=True)
        return value

    @abstractmethod
    def _take_keys(self, keys: tuple[bytes, ...]) -> None:
        """Keep the keys that were derived for the purpose."""

    @abstractmethod
    def _close(self, data: bytes) -> str:
        """Text that stands for the data."""

    @abstractmethod
    def _open(self, text: str) -> bytes | None:
        """The data; None where the text is not ours."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {self.purpose!r}>"
