"""A provider: a function whose return annotation says what it makes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, get_args, get_origin

import msgspec

from kingpost.binding.signature import EMPTY, Signature, signature_of
from kingpost.injection.unread import know_provided
from kingpost.schema.annotation import is_union, spelled
from kingpost.types import Place, Scope

Kind: TypeAlias = Literal["def", "async", "generator", "asyncgen"]

STREAMS = (Iterator, Iterable, Generator, AsyncIterator, AsyncIterable, AsyncGenerator)
PLAIN = (
    Any,
    object,
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    bytearray,
    list,
    tuple,
    dict,
    set,
    frozenset,
    type,
    msgspec.Struct,
)
"""Types that say nothing of what they are for: no provider can claim all of them."""

EXAMPLES: dict[Kind, str] = {
    "def": "Session",
    "async": "Session",
    "generator": "Iterator[Session]",
    "asyncgen": "AsyncIterator[Session]",
}
"""How the return annotation of a provider looks."""


class Provider(msgspec.Struct, frozen=True, eq=False):
    """A function that makes values of one type.

    Attributes:
        function: called with what its parameters name.
        signature: its parameters.
        gives: the type of what it makes, which may have type variables.
        kind: how it is called.
        scope: how long its value is kept.
        place: where it was written.
        inline: a promise that this `def` never blocks.
        async_type: for a value whose use blocks: what an `async def` asks for in its place.
    """

    function: Callable[..., Any]
    signature: Signature
    gives: Any
    kind: Kind
    scope: Scope
    place: Place
    inline: bool = False
    async_type: type[Any] | None = None

    @property
    def name(self) -> str:
        return self.signature.name

    @property
    def is_generator(self) -> bool:
        return self.kind in ("generator", "asyncgen")


def provider_of(
    function: Callable[..., Any],
    *,
    scope: Scope = "request",
    inline: bool = False,
    async_type: type[Any] | None = None,
) -> Provider:
    """Describe a provider.

    Raises:
        SignatureError: it has no signature, or `inline` is promised of what is `async def`.
    """
    kind = kind_of(function)
    if isinstance(function, type):
        # Made by a constructor: nothing of it waits.
        signature = msgspec.structs.replace(signature_of(function), name=function.__name__)
        variables = getattr(function, "__parameters__", ())
        generic: Any = function
        return Provider(
            function,
            signature,
            generic[variables] if variables else function,
            "def",
            scope,
            Place.of(function),
            inline=True,
            async_type=async_type,
        )
    signature = signature_of(function)
    if inline and kind in ("async", "asyncgen"):
        raise signature.refused(
            "injection.inline-async",
            "an async def runs on the loop as it is",
            "leave out inline=True",
        )
    gives = plain(signature.returns)
    if kind in ("generator", "asyncgen") and (get_origin(gives) or gives) in STREAMS:
        # A bare `Iterator` does not say of what.
        gives = plain((get_args(gives) or (EMPTY,))[0])
    return Provider(
        function,
        signature,
        gives,
        kind,
        scope,
        signature.place,
        inline=inline,
        async_type=async_type,
    )


def constant_of(gives: Any, value: Any) -> Provider:
    """A provider that gives one value: what `app.override(User, User("ann"))` puts in the place of another."""

    def replacement() -> Any:
        return value

    signature = Signature("override", (), gives, Place("<override>", 0))
    return Provider(replacement, signature, gives, "def", "request", signature.place, inline=True)


def check_gives(provider: Provider) -> None:
    """Refuses a provider that claims a type which says nothing.

    Raises:
        SignatureError: `injection.no-type` or `injection.plain-type`.
    """
    gives = provider.gives
    if gives is EMPTY:
        raise provider.signature.refused(
            "injection.no-type",
            "nothing says what it provides",
            f"write its return annotation, such as `-> {EXAMPLES[provider.kind]}`",
        )
    try:
        is_plain = gives in PLAIN or get_origin(gives) in PLAIN or isinstance(gives, TypeVar)
    except TypeError:
        is_plain = False
    if is_plain:
        raise provider.signature.refused(
            "injection.plain-type",
            f"every parameter of type {spelled(gives)} would be its",
            "return a class of your own",
            f"ask for it by name: Annotated[{spelled(gives)}, Depends({provider.name})]",
        )
    remember(gives, provider.place)


def remember(gives: Any, place: Place) -> None:
    """Know from now on that a provider returns this: no class of it is read from a request."""
    if is_union(gives):
        for each in get_args(gives):
            if each is not type(None):
                remember(each, place)
        return
    origin: Any = get_origin(gives)
    if isinstance(origin, type) and any(isinstance(each, TypeVar) for each in get_args(gives)):
        gives = origin
    if (isinstance(gives, type) and gives not in PLAIN) or (
        isinstance(origin, type) and origin not in PLAIN
    ):
        know_provided(gives, place)


def plain(annotation: Any) -> Any:
    """An annotation without its metadata."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def kind_of(function: Callable[..., Any]) -> Kind:
    target: Any = function
    while isinstance(target, functools.partial):
        target = target.func  # pyright: ignore[reportUnknownMemberType] - of any function
    if not inspect.isroutine(target) and not isinstance(target, type):
        target = type(target).__call__
    if inspect.isasyncgenfunction(target):
        return "asyncgen"
    if inspect.isgeneratorfunction(target):
        return "generator"
    return "async" if inspect.iscoroutinefunction(target) else "def"
