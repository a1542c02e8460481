"""A document, looked at: references followed, operations one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, cast

Part: TypeAlias = Mapping[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Document:
    """An OpenAPI document that is to be shown."""

    def __init__(self, whole: Part) -> None:
        self._whole = whole

    @property
    def schemas(self) -> Mapping[str, Part]:
        found: Mapping[str, Part] = self._whole.get("components", {}).get("schemas", {})
        return found

    def operations(self) -> Iterator[tuple[str, str, Part]]:
        """Path, method and operation, in the order of the document."""
        for path, item in self._whole.get("paths", {}).items():
            for method in METHODS:
                if method in item:
                    yield path, method, item[method]

    def followed(self, part: Any) -> Part:
        """A part, or what it refers to; an empty one where that is not in the document."""
        seen: set[str] = set()
        while isinstance(part, dict) and "$ref" in part:
            target = str(cast("Part", part)["$ref"])
            if target in seen or not target.startswith("#/"):
                return {}
            seen.add(target)
            part = self._at(target)
        return cast("Part", part) if isinstance(part, dict) else {}

    def _at(self, target: str) -> Any:
        found: Any = self._whole
        for step in target[2:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            found = cast("Part", found).get(name) if isinstance(found, dict) else None
        return found


def as_id(text: str) -> str:
    """Text as the id of an element."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-")
