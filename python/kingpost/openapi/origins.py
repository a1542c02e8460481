"""Where else than to the site itself a page sends requests that shows a document: to its servers, and to who gives its tokens."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any, Final, cast

from kingpost.openapi.components import Schema

_ORIGIN: Final = re.compile(
    r"(https?://)(?:[^/?#@]*@)?([a-z0-9.:\[\]_-]+)(?=[/?#]|$)", re.IGNORECASE
)
"""The origin of a URL, without whatever would end a policy early. A page sends requests by no other scheme."""


def origins(document: Schema) -> list[str]:
    """Each origin once, in the order of the document; none for servers that are named by a path, which are the site itself."""
    found = (_ORIGIN.match(url) for url in (*servers(document), *token_urls(document)))
    return list(dict.fromkeys(each[1] + each[2] for each in found if each is not None))


def servers(document: Schema) -> Iterator[str]:
    """The URLs of servers: of the whole, of paths and of operations, with each value that a variable is said to have."""
    items = objects(document.get("paths"))
    operations = [operation for item in items for operation in objects(item)]
    for part in (document, *items, *operations):
        for server in objects(part.get("servers")):
            variables = cast("Schema", server.get("variables") or {})
            values = [each.get("enum") or [each.get("default")] for each in objects(variables)]
            for chosen in itertools.product(*values):
                url = str(server.get("url"))
                for name, value in zip(variables, chosen, strict=True):
                    url = url.replace(f"{{{name}}}", str(value))
                yield url


def token_urls(document: Schema) -> Iterator[str]:
    schemes = objects(document.get("components", {}).get("securitySchemes"))
    flows = [flow for scheme in schemes for flow in objects(scheme.get("flows"))]
    for part in (*schemes, *flows):
        yield from (str(part.get(name)) for name in ("openIdConnectUrl", "tokenUrl", "refreshUrl"))


def objects(value: Any) -> list[Schema]:
    """The values of an object or an array that are objects: what amends a document may have put in others."""
    values: Any = cast("Schema", value).values() if isinstance(value, dict) else value or ()
    return [each for each in values if isinstance(each, dict)]
