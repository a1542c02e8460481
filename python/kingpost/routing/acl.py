"""`permission("edit")`: what `requires=` asks of the `__acl__`s of a tree.

Rule 1: the context's own `__acl__` is asked first, then that of what is above it, up to the root; the first entry that fits decides.
Rule 2: who is not allowed is refused, also where no entry fits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, Self, cast

from kingpost.errors import Forbidden, Unauthorized
from kingpost.http.before_body import before_body
from kingpost.http.request import Request

EVERYBODY: Final = "everybody"
"""The principal that stands for all, also for those of whom nothing is known."""
ALL: Final = "all"
"""The permission that stands for every one."""


class Principals(frozenset[str]):
    """What is known of who asks: names such as "ann" or "group:editors". A provider of the App's makes them, none for somebody unknown.

    Raises:
        TypeError: it is one text, the letters of which would be names.
    """

    def __new__(cls, names: Iterable[str] = (), /) -> Self:
        if isinstance(names, str):
            raise TypeError(
                f"Principals({names!r}) has every letter as a name: write Principals([{names!r}])"
            )
        return super().__new__(cls, names)


@before_body
class Permission:
    """That who asks may do something with the object that the path leads to.

    It is injected as a hook is: a provider must make `Principals`.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, request: Request, principals: Principals) -> None:
        """Pass, or refuse.

        Raises:
            Unauthorized: 401, nothing is known of who asks.
            Forbidden: 403.
        """
        if permits(request.lineage, principals, self.name):
            return
        if not principals:
            raise Unauthorized(f"say who you are: this needs the permission {self.name!r}")
        raise Forbidden(f"this needs the permission {self.name!r}")

    def __repr__(self) -> str:
        return f"permission({self.name!r})"


def permission(name: str) -> Permission:
    """What `requires=` takes: that an `__acl__` on the way to the context allows `name`.

    An `__acl__` is a sequence of entries, or a method that gives one: ("allow" or "deny", a principal, a permission or several of them).

    Example:
        `@site.view(Document, "edit", requires=permission("edit"))`
    """
    return Permission(name)


def permits(lineage: Sequence[Any], principals: Collection[str], name: str) -> bool:
    """Whether somebody may do something with the last object of a lineage, the root of which is first.

    Raises:
        TypeError: an entry of an `__acl__` is none.
    """
    for each in reversed(lineage):
        acl: Any = getattr(each, "__acl__", ())
        entries = cast("Iterable[Any]", acl() if callable(acl) else acl)
        for entry in entries:
            action, principal, names = checked(each, entry)
            if principal != EVERYBODY and principal not in principals:
                continue
            if name in names or ALL in names:
                return action == "allow"
    return False


def checked(holder: object, entry: Any) -> tuple[str, str, tuple[str, ...]]:
    """An entry of an `__acl__`, its permissions as a tuple."""
    if isinstance(entry, tuple | list) and len(entry) == 3 and entry[0] in ("allow", "deny"):  # pyright: ignore[reportUnknownArgumentType] - any items
        action, principal, names = entry  # pyright: ignore[reportUnknownVariableType] - looked at by whoever compares
        return action, principal, (names,) if isinstance(names, str) else tuple(names)  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType] - as above
    raise TypeError(
        f'{type(holder).__name__}.__acl__ has {entry!r}: an entry is ("allow" or "deny", principal, permission)'
    )
