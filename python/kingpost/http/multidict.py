"""A mapping whose names may come more than once, as in a query string or a form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping


class MultiDict(Mapping[str, str]):
    """Names with one or more values, unchangeable; names are case-sensitive and keep the order of their first coming.

    `values["tag"]` is the first value, `values.get_all("tag")` is every one. `len()`, iteration and `in` speak of names.

    Args:
        pairs: (name, value) in the order of coming.

    Example:
        >>> tags = MultiDict([("tag", "a"), ("tag", "b")])
        >>> tags["tag"], tags.get_all("tag")
        ('a', ['a', 'b'])
    """

    __slots__ = ("_pairs", "_values")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = tuple(pairs)
        values: dict[str, list[str]] = {}
        for name, value in self._pairs:
            values.setdefault(name, []).append(value)
        self._values = values

    def __getitem__(self, name: str, /) -> str:
        return self._values[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object, /) -> bool:
        return name in self._values

    def get_all(self, name: str, /) -> list[str]:
        """Every value of `name` in the order of coming; an empty list when there is none."""
        return list(self._values.get(name, ()))

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every (name, value), repeated names included, in the order of coming."""
        return self._pairs

    def __eq__(self, other: object) -> bool:
        if isinstance(other, MultiDict):
            return self._pairs == other._pairs
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]  # a Mapping is not hashable, and typeshed types __hash__ as a method

    def __repr__(self) -> str:
        return f"MultiDict({list(self._pairs)!r})"
