"""Parts of a site, said by the beginnings of their paths.

Rule: compared as they stand, segment by segment, with the path that was routed: never as patterns, never without case. `/api` is `/api` and
what is below it, and not `/apidocs`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kingpost.middleware.refusal import refused


def checked_paths(paths: Sequence[str], *, option: str) -> tuple[str, ...]:
    """The paths without a slash at their end; the whole site is "".

    Raises:
        ConfigurationError: `middleware.bad-path`: one of them does not begin with a slash, or holds a `*` or a `?`.
    """
    if isinstance(paths, str):
        raise refused(
            "middleware.bad-path", f"{option}={paths!r} is no list", f"write {option}=[{paths!r}]"
        )
    for path in paths:
        if not path.startswith("/") or any(mark in path for mark in "*?"):
            raise refused(
                "middleware.bad-path",
                f"{option}=[{path!r}]: no address begins like that",
                f'write the beginning itself, {option}=["/api"]: what is below it belongs to it',
            )
    return tuple(path.rstrip("/") for path in paths)


def is_below(path: str, beginnings: Sequence[str]) -> bool:
    """Whether a path is one of `beginnings`, or lies below it."""
    return any(
        path.startswith(beginning) and path[len(beginning) : len(beginning) + 1] in ("", "/")
        for beginning in beginnings
    )
