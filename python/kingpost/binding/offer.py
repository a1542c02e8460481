"""What a route has to offer to the parameters of its handler."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from kingpost.http.uploads import UNSAID, FormBounds
from kingpost.types import Place

if TYPE_CHECKING:
    from kingpost.binding.signature import Signature
    from kingpost.binding.sources import Source
    from kingpost.http.media import Codec
    from kingpost.http.websocket import Messages


class PathParameter(msgspec.Struct, frozen=True):
    """What the pattern says of one of its parameters."""

    type: Any
    """The type of the converter's values; Any where it does not say."""
    kind: str
    """`int`, `slug`, …: the converter's name in the pattern; empty where there is none."""
    convert: Callable[[str], object] | None
    """None where the pattern names no converter, so that the annotation chooses."""
    native: str | Callable[[str], object] = "str"


class Unread(msgspec.Struct, frozen=True):
    """Why a class is never read from a request."""

    name: str
    """The class that was kept from there: it, or one that it derives from."""
    because: str
    """Completes "no client may send it: …"."""
    place: Place
    """Where that was said: a provider's, mostly."""


class Conversation(msgspec.Struct, frozen=True):
    """What a WebSocket route has to offer."""

    handler: Signature
    """Of the one function that may take the WebSocket."""
    messages: Callable[[Any, Any], Messages]
    """Compiles the types of what is received and of what is sent; raises TypeError where they are none of messages."""
    subprotocols: Sequence[str] = ()
    """What the route speaks, what it prefers first."""


class Offer(msgspec.Struct, frozen=True):
    """What a route has to offer to the parameters of its handler."""

    path: Mapping[str, PathParameter]
    methods: Sequence[str]
    constants: Mapping[type[Any], Any] = msgspec.field(default_factory=dict[type[Any], Any])
    """Objects of the App by their class: its settings."""
    settings_base: type[Any] | None = None
    """The class that all settings derive from, to word the refusal of others."""
    host: Mapping[str, bool] = msgspec.field(default_factory=dict[str, bool])
    """The parameters of the route's hosts, and whether every one of the hosts has them."""
    context: type[Any] | None = None
    """The class of the object that traversal finds, where the route is a view of one."""
    provided: Callable[[Any], Source | None] | None = None
    """Gives what a provider makes of a type; None where no provider that the route sees does."""
    depends: Callable[[Callable[..., Any]], Source] | None = None
    """Gives what a function makes that a parameter is marked with."""
    provided_at: Callable[[Any], Place | None] | None = None
    """Where a provider of a class stands that the route may not see: such a class is never read from a request."""
    unread: Callable[[Any], Unread | None] | None = None
    """Says why a class is never read from a request, alone or inside something else."""
    codecs: Mapping[str, Codec] = msgspec.field(default_factory=dict[str, Any])
    """What reads bodies beside JSON, by its media type without parameters."""
    form: FormBounds = UNSAID
    """How much a form may hold."""
    websocket: Conversation | None = None
    """What is said of the WebSocket, where the route is one."""
    has_response: bool = False
    """Whether a parameter may be the response: what runs after the handler."""
