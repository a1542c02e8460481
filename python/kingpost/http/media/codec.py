"""What reads and writes a media type: the contract that a codec of your own fits, and what a route may give beside JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

T_contra = TypeVar("T_contra", contravariant=True)


class Writer(Protocol):
    """What makes bytes of one media type, out of what JSON could hold.

    Attributes:
        media_type: What it writes, such as `"text/csv; charset=utf-8"`.
        extension: How a path ends that asks for it, such as `"csv"`; empty where none does.
    """

    @property
    def media_type(self) -> str: ...
    @property
    def extension(self) -> str: ...

    def encode(self, value: Any, /) -> bytes:
        """The bytes of a value.

        Args:
            value: Dicts with text as keys, lists, texts, numbers, booleans and None, as JSON would have them: private fields have left.

        Raises:
            TypeError: This media type has no form for such a value: a mistake of the handler's, 500.
            ValueError, OverflowError: It has, and not for this one: the client gets what it accepts next, or 406.
        """
        ...


class Codec(Writer, Protocol):
    """A Writer that reads as well."""

    def decode(self, document: bytes, /) -> Any:
        """The value of a body: what `encode` takes. It is checked afterwards, as JSON is.

        Raises:
            ValueError: The body is malformed; the message is told to the client.
        """
        ...


class Format(Generic[T_contra]):
    """One way to show what a handler returns, made by a function of yours: a page, a feed, a text.

    Args:
        media_type: What it is, such as `"text/html"`; `charset=utf-8` is added for texts.
        extension: How a path ends that asks for it, such as `"html"`; empty where none does.
        write: A `def` that is called with what the handler returned, where the handler ran. It returns what a handler could return: Html, a
            Template, text, bytes.

    Example:
        `Format("text/markdown", "md", as_markdown)`
    """

    __slots__ = ("extension", "media_type", "write")

    def __init__(
        self, media_type: str, extension: str, write: Callable[[T_contra], object], /
    ) -> None:
        self.media_type = media_type
        self.extension = extension
        self.write = write

    def __repr__(self) -> str:
        return f"Format({self.media_type!r}, {self.extension!r}, {getattr(self.write, '__name__', self.write)})"
