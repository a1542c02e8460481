"""The marker of fields that never leave.

Apart from the other markers, because that this module was imported is how the rest learns that a process has private fields at all:
a process without them pays nothing.
"""

from __future__ import annotations

from kingpost.schema.markers import private_is_there


class Private:
    """A field that is read and kept, and never sent: `password: Annotated[str, Private()]`.

    It is left out of every answer of every kind of class, with a return annotation or without one, alone or inside of other values.
    A TypedDict is a plain dict at run time: its private fields are left out where a return annotation names it.

    Example:
        ```python
        from typing import Annotated

        from kingpost import Struct
        from kingpost.schema import Private


        class User(Struct):
            name: str
            password: Annotated[str, Private()]
        ```
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "Private()"


private_is_there()
