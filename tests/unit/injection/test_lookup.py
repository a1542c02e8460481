"""Which provider makes a type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Generic, Optional, TypeVar

import pytest

from kingpost.errors import ConfigurationError
from kingpost.injection.lookup import Lookup, check_one_each, matched, substituted
from kingpost.injection.provider import provider_of

T = TypeVar("T")
U = TypeVar("U")


class Base: ...


class Below(Base): ...


B = TypeVar("B", bound=Base)


class Box(Generic[T]): ...


class Pair(Generic[T, U]): ...


@pytest.mark.parametrize(
    ("pattern", "wanted", "found"),
    [
        (Base, Base, {}),
        (Base, Below, None),
        (Box[T], Box[int], {T: int}),
        (Box[T], Box, None),
        (Box[int], Box[str], None),
        (Pair[T, T], Pair[int, int], {T: int}),
        (Pair[T, T], Pair[int, str], None),
        (Pair[T, U], Pair[int, str], {T: int, U: str}),
        (Box[Box[T]], Box[Box[str]], {T: str}),
        (Box[B], Box[Below], {B: Below}),
        (Box[B], Box[int], None),
        (Base | None, Optional[Base], {}),  # noqa: UP045 - both spellings
        (Base | None, Base, None),
        (Base, Base | None, None),
    ],
    ids=str,
)
def test_types_are_matched(pattern: Any, wanted: Any, found: Any) -> None:
    assert matched(pattern, wanted) == found


@pytest.mark.parametrize(
    ("annotation", "replaced"),
    [
        (T, int),
        (type[T], type[int]),
        (Box[T], Box[int]),
        (T | None, int | None),
        (list[Box[T]], list[Box[int]]),
        (str, str),
        (Box[str], Box[str]),
    ],
    ids=str,
)
def test_type_variables_are_replaced(annotation: Any, replaced: Any) -> None:
    assert substituted(annotation, {T: int}) == replaced


def giving(kind: Any, name: str = "f") -> Callable[..., Any]:
    def f() -> Any: ...

    f.__annotations__["return"] = kind
    f.__name__ = name
    return f


def test_the_nearest_wins_and_a_plain_one_before_a_generic_one() -> None:
    generic, exact, far = (provider_of(giving(kind)) for kind in (Box[T], Box[int], Box[str]))
    lookup = Lookup([[generic, exact], [far]])

    assert lookup.find(Box[int]) == (exact, {})
    assert lookup.find(Annotated[Box[int], "noted"]) == (exact, {})
    assert lookup.find(Box[str]) == (generic, {T: str})
    assert lookup.find(Base) is None


@pytest.mark.parametrize(("one", "two"), [(Base, Base), (Box[T], Box[U]), (Box[T], Box[T])])
def test_two_of_one_type_at_one_level_are_refused(one: Any, two: Any) -> None:
    level = [provider_of(giving(one, "first")), provider_of(giving(two, "second"))]

    with pytest.raises(ConfigurationError) as refused:
        check_one_each(level)

    assert refused.value.code == "injection.two-providers"
    assert "first and second" in str(refused.value)
    assert len(refused.value.places) == 2


def test_a_generic_one_and_a_plain_one_are_two_things() -> None:
    check_one_each([provider_of(giving(kind)) for kind in (Box[T], Box[int], Base, Base | None)])


def test_a_function_is_the_provider_that_it_was_registered_as() -> None:
    function = giving(Base)
    registered = provider_of(function, scope="app")

    assert Lookup([[registered]]).of_function(function) is registered
    assert Lookup([[]]).of_function(function).scope == "request"


def test_what_stands_in_is_kept_as_long() -> None:
    function = giving(Base)
    fake = provider_of(giving(Base))
    lookup = Lookup([[provider_of(function, scope="app")]], {Base: fake})
    found = lookup.find(Base)

    assert found is not None
    assert (found[0].function, found[0].scope) == (fake.function, "app")
