"""One module for each media type that a body can have, and the contract for those of your own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kingpost.http.media.codec import Codec, Format, Writer
    from kingpost.http.media.csv import Csv
    from kingpost.http.media.json import Json
    from kingpost.http.media.msgpack import MessagePack

__all__ = ["Codec", "Csv", "Format", "Json", "MessagePack", "Writer"]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        # An App that gives JSON alone imports none of it.
        from importlib import import_module

        modules = {"Csv": "csv", "Json": "json", "MessagePack": "msgpack"}
        if name not in __all__:
            raise AttributeError(f"module 'kingpost.http.media' has no attribute {name!r}")
        module = import_module(f"kingpost.http.media.{modules.get(name, 'codec')}")
        return getattr(module, name)
