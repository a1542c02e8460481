"""`Rendered`: a response whose body is made when its handler is done, by what a plugin has installed."""

from __future__ import annotations

from typing import Any, ClassVar, get_args, get_origin

from kingpost.binding.signature import EMPTY
from kingpost.http.response import Response
from kingpost.schema.annotation import bare, is_union


class Rendered(Response[None]):
    """What needs a renderer to become a body; `Template` is one.

    Attributes:
        remedy: what to install, for the message where nothing renders it.
    """

    __slots__ = ()

    remedy: ClassVar[str] = "install a renderer of it"

    @property
    def is_rendered(self) -> bool:
        """Whether its body is there."""
        return self.encoded is not None


def may_render(returns: Any) -> bool | None:
    """Whether a function with this return annotation may return something to render; None where that cannot be told."""
    if returns is EMPTY or returns in (Any, object):
        return None
    kind = bare(returns).type
    if is_union(kind):
        found = {may_render(each) for each in get_args(kind)}
        return True if True in found else None if None in found else False
    if isinstance(kind, type) and issubclass(kind, Rendered):
        return True
    # What is rendered is a Response[None].
    is_any_response = kind is Response or (
        get_origin(kind) is Response and get_args(kind)[0] in (Any, object, None, type(None))
    )
    return None if is_any_response else False


def rendered_in(returns: Any) -> list[type[Rendered]]:
    """The classes of a return annotation that need a renderer."""
    if returns is EMPTY:
        return []
    kind = bare(returns).type
    if is_union(kind):
        return [found for each in get_args(kind) for found in rendered_in(each)]
    return [kind] if isinstance(kind, type) and issubclass(kind, Rendered) else []
