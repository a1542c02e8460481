"""Which fields of an answer are left out: what `Only`, `Without` and `Partial` say beside a type."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from kingpost.errors import ConfigurationError
from kingpost.schema.markers import Only, Partial, Without
from kingpost.schema.model import Model
from kingpost.types import Place


class Selection(msgspec.Struct, frozen=True):
    """What is left of a model.

    Attributes:
        only: names with dots, of which others are left out; None where nothing is by that.
        without: names with dots that are left out.
        partial: whether fields that have their default value are left out.
    """

    only: frozenset[str] | None = None
    without: frozenset[str] = frozenset()
    partial: bool = False

    def __bool__(self) -> bool:
        return self.only is not None or bool(self.without) or self.partial

    def and_of(self, metadata: Iterable[object]) -> Selection:
        """This, and what the metadata of an annotation says."""
        only, without, partial = self.only, self.without, self.partial
        for item in metadata:
            if isinstance(item, Only):
                names = frozenset(item.names)
                only = names if only is None else only & names
            elif isinstance(item, Without):
                without |= frozenset(item.names)
            elif isinstance(item, Partial) or item is Partial:
                partial = True
        return Selection(only, without, partial)

    def leaves_out(self, name: str) -> bool:
        """Whether a field is not sent."""
        if name in self.without:
            return True
        return self.only is not None and all(each.partition(".")[0] != name for each in self.only)

    def below(self, name: str) -> Selection:
        """What it says of the fields of a field."""
        only = None
        if self.only is not None and name not in self.only:
            only = rests(self.only, name)
        return Selection(only, rests(self.without, name), self.partial)

    def check(self, model: Model) -> None:
        """Raises ConfigurationError for a name that no field has (`schema.unknown-field`)."""
        for name in sorted(self.without | (self.only or frozenset())):
            place: Model | None = model
            for step in name.split("."):
                field = None if place is None else place.field(step)
                if place is not None and field is None:
                    known = ", ".join(each.name for each in place.fields)
                    raise ConfigurationError(
                        f"an answer of {model.name} names the field {name!r}, and {place.name} has no {step!r}",
                        code="schema.unknown-field",
                        remedy=f"name one of {known}",
                        places=[at for at in [Place.of(place.cls)] if at.line],
                    )
                place = None if field is None else field.model


def rests(names: frozenset[str], name: str) -> frozenset[str]:
    return frozenset(each[len(name) + 1 :] for each in names if each.startswith(name + "."))
