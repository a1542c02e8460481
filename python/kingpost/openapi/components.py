"""Names for the schemas that a document shares: the same from run to run, and told apart where two classes have one name.

Rule 1: a class has one schema as long as what is read and what is sent look alike; where they differ, what is read is called `…Input`.
Rule 2: a class is called by its name; two classes of one name are called by their modules as well.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias, cast

import msgspec

from kingpost.schema.annotation import spelled
from kingpost.schema.selection import Selection

Schema: TypeAlias = dict[str, Any]
Direction: TypeAlias = Literal["in", "out"]

WHOLE = Selection()


class Key(msgspec.Struct, frozen=True):
    """What tells one schema of a class from another.

    Attributes:
        annotation: the class, with its type arguments.
        direction: whether it is read or sent.
        selection: what is left of it in an answer.
        closed: whether fields that it does not have are refused, though the class does not say so.
    """

    annotation: Any
    direction: Direction = "out"
    selection: Selection = WHOLE
    closed: bool = False

    @property
    def rank(self) -> tuple[bool, bool, bool]:
        """Whose schema has the plain name: the one that is sent whole, before all others."""
        return (bool(self.selection), self.direction == "in", self.closed)

    @property
    def suffix(self) -> str:
        """What stands behind the name of the class."""
        words = "Closed" if self.closed else "Input" if self.direction == "in" else ""
        if self.selection.only is not None:
            words += "_only_" + "_".join(sorted(self.selection.only))
        if self.selection.without:
            words += "_without_" + "_".join(sorted(self.selection.without))
        if self.selection.partial:
            words += "_partial"
        return words


class Ref(msgspec.Struct, frozen=True):
    """Stands where a reference will be, as long as nothing has a name."""

    key: Key


Found: TypeAlias = dict[Key, Schema]


def named(found: Found) -> tuple[dict[Key, str], dict[str, Schema]]:
    """The name of each key, and the schemas by their names, in alphabetical order; references in them are still keys."""
    same = alike(found)
    chosen = sorted({id(key): key for key in same.values()}.values(), key=list(found).index)
    bases = base_names(dict.fromkeys(key.annotation for key in found))
    names: dict[Key, str] = {}
    used: set[str] = set()
    plain: set[Any] = set()
    for key in sorted(chosen, key=lambda key: key.rank):
        base = bases[key.annotation]
        name = base if key.annotation not in plain else base + as_name(key.suffix)
        plain.add(key.annotation)
        names[key] = free_name(name, used)
        used.add(names[key])
    schemas = {name: found[key] for key, name in names.items()}
    return {key: names[same[key]] for key in found}, dict(sorted(schemas.items()))


def alike(found: Found) -> dict[Key, Key]:
    """For each key the one whose schema is the same: all of a class are, until they are seen to differ, themselves or in what they lead to."""
    groups: defaultdict[Any, list[Key]] = defaultdict(list)
    for key in sorted(found, key=lambda key: key.rank):
        groups[key.annotation].append(key)
    same = {key: group[0] for group in groups.values() for key in group}
    while True:
        finer: dict[Key, Key] = {}
        for group in groups.values():
            seen: list[tuple[Key, Any, Key]] = []
            for key in group:
                shown = replaced(found[key], {each: Ref(other) for each, other in same.items()})
                for before, schema, first in seen:
                    if before == same[key] and schema == shown:
                        finer[key] = first
                        break
                else:
                    seen.append((same[key], shown, key))
                    finer[key] = key
        if finer == same:
            return same
        same = finer


def replaced(value: Any, by: Mapping[Key, Any]) -> Any:
    """A part of a document with something else for each reference."""
    if isinstance(value, Ref):
        return by[value.key]
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {name: replaced(each, by) for name, each in members.items()}
    if isinstance(value, list):
        return [replaced(each, by) for each in cast("list[object]", value)]
    return value


def base_names(annotations: Iterable[Any]) -> dict[Any, str]:
    """A name for each class: its own, if it is the only one of that name; else with its module, and with a number if that is not enough."""
    listed = list(annotations)
    names = {each: as_name(spelled(each)) for each in listed}
    for qualified in (module_name, full_name):
        for each in repeated(names):
            names[each] = qualified(each)
    used: set[str] = set()
    for each in listed:
        names[each] = free_name(names[each], used)
        used.add(names[each])
    return names


def repeated(names: Mapping[Any, str]) -> list[Any]:
    values = list(names.values())
    return [each for each, name in names.items() if values.count(name) > 1]


def module_of(annotation: Any) -> str:
    origin = getattr(annotation, "__origin__", annotation)
    return str(getattr(origin, "__module__", ""))


def module_name(annotation: Any) -> str:
    return as_name(f"{module_of(annotation).rpartition('.')[2]}.{spelled(annotation)}")


def full_name(annotation: Any) -> str:
    return as_name(f"{module_of(annotation)}.{spelled(annotation)}")


def as_name(text: str) -> str:
    """Text as a name of a component: letters, digits, `.`, `-` and `_`."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).rstrip("_")


def free_name(name: str, used: set[str]) -> str:
    number, free = 2, name or "Schema"
    while free in used:
        free = f"{name}_{number}"
        number += 1
    return free
