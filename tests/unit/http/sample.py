"""A Request without an engine: what the engine would say is given by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kingpost.http import Request


class Fields:
    """Header fields as the engine gives them: names without case, repeated ones in order."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs = [(name.lower(), value) for name, value in pairs]

    def get(self, name: str, default: str | None = None) -> str | None:
        return next((value for field, value in self.pairs if field == name.lower()), default)

    def get_all(self, name: str) -> list[str]:
        return [value for field, value in self.pairs if field == name.lower()]

    def items(self) -> list[tuple[str, str]]:
        return list(self.pairs)

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self.pairs))


def sample(
    *,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    query: bytes = b"",
    **values: object,
) -> Request:
    """A request that says what it is given."""
    said: dict[str, object] = {
        "method": "GET",
        "path": "/",
        "headers": Fields(headers),
        "body": body,
        "query_string": query,
        "client": "127.0.0.1",
        "scheme": "http",
        "host": "example.org",
        "id": "5f2c09aa41d07b3e",
        "stream": None,
        "cache": {},
        **values,
    }
    kind: type[Request] = type("SampleRequest", (Request,), {"__slots__": (), **said})
    return kind()
