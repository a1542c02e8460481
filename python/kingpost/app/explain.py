"""The words of `kingpost routes explain`: what happens on a request, read from the compiled plan."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from kingpost import _native
from kingpost.app.plan import CompiledRoute

KIB, MIB = 1024, 1024 * 1024


def explain_request(
    router: _native.Router, routes: Sequence[CompiledRoute], path: str, method: str
) -> str:
    """What happens on `method path`; a path that leads nowhere is said to."""
    found = router.find(method, quote(path, safe="/%").encode())
    if not found:
        return f"{method} {path}: no route answers it (404)"
    if not isinstance(found[0], int):
        return (
            f"{method} {path}: the path is there, and takes {', '.join(map(str, found))} only (405)"
        )
    return "\n".join(plan_lines(routes[found[0]]))


def plan_lines(route: CompiledRoute) -> list[str]:
    """The plan of one route, a line for each fact."""
    lines = [f"{', '.join(route.methods)} {route.path}"]
    facts = [
        ("name", route.name or "none"),
        ("handler", f"{route.binding.signature} at {route.answers.place}"),
        ("route", route.entry.source),
        ("runs", route.call.words),
    ]
    facts += [(f"  {argument.name}", argument.source.words) for argument in route.binding.arguments]
    facts += [
        ("answer", f"{route.encoding.words}, status {status_of(route)}"),
        ("body", body_words(route)),
        (
            "errors",
            ", ".join(error.__name__ for error in route.entry.options.get("errors", ()))
            or "none declared",
        ),
        ("binding", "native" if route.binding.binders is not None else "in Python"),
    ]
    return lines + [f"  {label + ':':<12} {text}" for label, text in facts]


def status_of(route: CompiledRoute) -> int:
    return 204 if route.encoding.is_empty and route.answers.status == 200 else route.answers.status


def body_words(route: CompiledRoute) -> str:
    size = (
        f"{route.max_body / MIB:g} MiB"
        if route.max_body >= MIB
        else f"{route.max_body / KIB:g} KiB"
    )
    return f"unread, at most {size}" if route.binding.streams else f"at most {size}"
