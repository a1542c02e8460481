"""`Polled`: what a request that waited for events is answered with."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Polled(msgspec.Struct, Generic[T], frozen=True):
    """What has happened since a client asked last.

    Attributes:
        events: in order; empty where nothing has happened in time.
        last: what the client says when it asks again.
        lost: whether events lie between that are no longer known: the client has to load anew what it shows.
    """

    events: list[T]
    last: str
    lost: bool = False
