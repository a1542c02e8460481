"""Markers that say where a parameter comes from, when its type alone would not: `Annotated[list[int], Body()]`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Path:
    """The parameter stands in the path, which its name says already; the marker makes a mistake in either one loud."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Path()"


class Query:
    """The parameter is read from the query.

    Args:
        alias: its name there, when that is no Python name: `Annotated[int, Query(alias="page-size")]`.
    """

    __slots__ = ("alias",)

    def __init__(self, *, alias: str | None = None) -> None:
        self.alias = alias

    def __repr__(self) -> str:
        return "Query()" if self.alias is None else f"Query(alias={self.alias!r})"


class Body:
    """The parameter is the JSON body: for types that would be read from the query otherwise, such as `list[int]`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Body()"


class Depends:
    """The parameter is what a function returns, which is called with what it names itself: `Annotated[User, Depends(current_user)]`.

    Args:
        provider: `def` or `async def`, with `yield` where something is to be done after the answer.
    """

    __slots__ = ("provider",)

    def __init__(self, provider: Callable[..., Any], /) -> None:
        self.provider = provider

    def __repr__(self) -> str:
        return f"Depends({getattr(self.provider, '__name__', self.provider)})"


Marker = Path | Query | Body | Depends
MARKERS = (Path, Query, Body, Depends)
