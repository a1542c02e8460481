"""`Secret`: a value that does not show itself in logs, tracebacks, pages or JSON."""

from __future__ import annotations

from typing import Generic, NoReturn, TypeVar, cast

T = TypeVar("T")

MASK = "***"


class Secret(Generic[T]):
    """A value that prints as `***`. Only `reveal()` gives it out, so a search for that word finds every use.

    Args:
        value: What is kept.

    Example:
        >>> password = Secret("hunter2")
        >>> print(password, repr(password), f"{password}")
        *** Secret('***') ***
        >>> password.reveal()
        'hunter2'
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """The value itself."""
        return self._value

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __format__(self, format_spec: str) -> str:
        # A width would tell nothing, but `{:.3}` must not fail where the value once was a str.
        return MASK

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # It loads OpenSSL; few programs compare secrets, and all would pay at start.
        import hmac

        mine: object = self._value
        theirs: object = cast("Secret[object]", other).reveal()
        if isinstance(mine, str) and isinstance(theirs, str):
            # Comparing letter by letter would tell by its time how much of a guess is right.
            return hmac.compare_digest(
                mine.encode("utf-8", "surrogatepass"), theirs.encode("utf-8", "surrogatepass")
            )
        if isinstance(mine, bytes) and isinstance(theirs, bytes):
            return hmac.compare_digest(mine, theirs)
        return bool(mine == theirs)

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a Secret is not pickled: it would leave the process readable; pass reveal() where that is meant"
        )

    def __copy__(self) -> Secret[T]:
        return self

    def __deepcopy__(self, memo: object) -> Secret[T]:
        return self
