"""The words of `kingpost routes explain`: what happens on a request, read from the compiled plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from kingpost import _native
from kingpost.app.plan import CompiledRoute
from kingpost.app.served import Served
from kingpost.binding.signature import signature_of
from kingpost.injection.lookup import substituted
from kingpost.injection.provider import Kind, kind_of
from kingpost.schema.annotation import spelled
from kingpost.types import WEBSOCKET, Scope

if TYPE_CHECKING:
    from kingpost.app.choosing import Choices

HIDDEN = "kingpost_"
"""How the names of arguments begin that are the App's own: those that pages are rendered with."""
KIB, MIB = 1024, 1024 * 1024
LASTS: dict[Scope, str] = {"app": "made at start", "connection": "made once for a connection"}
COLOURS: dict[Kind, str] = {
    "async": "on the event loop",
    "asyncgen": "on the event loop, finished when the answer is made",
    "def": "on a thread",
    "generator": "on a thread, finished when the answer is made",
}


def explain_request(
    router: _native.Router,
    routes: Sequence[CompiledRoute],
    path: str,
    method: str,
    choices: Choices | None = None,
) -> str:
    """What happens on `method path`; a path that leads nowhere is said to."""
    found = router.find(method, quote(path, safe="/%").encode())
    if not found:
        return f"{method} {path}: no route answers it (404)"
    if not isinstance(found[0], int):
        if method == "GET" and WEBSOCKET in found:
            # Who asks for a WebSocket sends a GET.
            return explain_request(router, routes, path, WEBSOCKET, choices)
        return (
            f"{method} {path}: the path is there, and takes {', '.join(map(str, found))} only (405)"
        )
    if found[0] < len(routes) or choices is None:
        return "\n".join(plan_lines(routes[found[0]]))
    choice = choices.choices[found[0] - len(routes)]
    parts = ["\n".join(plan_lines(each.route)) for each in choice.candidates]
    rivals = ", ".join(each.path for each in choice.rival_routes)
    otherwise = f"asked next: {rivals}" if rivals else "answered with 404 or 406"
    return "\n".join(
        [
            f"{method} {path}: one of {len(parts)}, asked in this order; what none of them wants is {otherwise}",
            *parts,
        ]
    )


def plan_lines(route: CompiledRoute) -> list[str]:
    """The plan of one route, a line for each fact."""
    lines = [f"{', '.join(route.methods)} {route.path}"]
    facts = [
        ("name", route.name or "none"),
        ("handler", f"{route.binding.signature} at {route.answers.place}"),
        ("route", route.entry.source),
        *([("when", str(route.conditions))] if route.conditions else []),
        ("runs", route.call.words),
        *around_facts(route.served),
    ]
    facts += [
        (f"  {argument.name}", argument.source.words)
        for argument in route.binding.arguments
        if not argument.name.startswith(HIDDEN)
    ]
    facts += [
        *answer_facts(route),
        (
            "errors",
            ", ".join(error.__name__ for error in route.entry.options.get("errors", ()))
            or "none declared",
        ),
        ("binding", "native" if route.binding.binders is not None else "in Python"),
    ]
    lines += [f"  {label + ':':<12} {text}" for label, text in facts]
    program = route.served.program
    if program is not None:
        lines += ["  program:", *(f"    {line}" for line in program.source.splitlines())]
    return lines


def around_facts(served: Served) -> Iterator[tuple[str, str]]:
    """What runs around a handler: middleware, hooks and providers, in the order in which they begin."""
    for middleware in served.middleware:
        signature = signature_of(middleware)
        yield "middleware", f"{signature.name} at {signature.place}, {COLOURS[kind_of(middleware)]}"
    for hook in served.before:
        yield "before", f"{hook.signature.name} at {hook.signature.place}, {COLOURS[hook.kind]}"
    lasting = served.around.lasting.nodes_of(served.reads.arguments)
    for node in (*lasting, *served.nodes):
        provider = node.provider
        words = LASTS.get(provider.scope) or (
            "in place" if provider.inline else COLOURS[provider.kind]
        )
        made = spelled(substituted(provider.gives, dict(node.key[1:])))
        yield "provided", f"{made} by {node.name} at {provider.place}, {words}"
        for argument in node.arguments:
            yield f"  {argument.name}", argument.source.words
    for hook in served.after:
        yield "after", f"{hook.signature.name} at {hook.signature.place}, {COLOURS[hook.kind]}"


def answer_facts(route: CompiledRoute) -> Iterator[tuple[str, str]]:
    """What is sent, and what is read."""
    if route.entry.is_websocket:
        yield "answer", route.encoding.words
        return
    yield "answer", f"{route.encoding.words}, status {status_of(route)}"
    yield "body", body_words(route)


def status_of(route: CompiledRoute) -> int:
    return 204 if route.encoding.is_empty and route.answers.status == 200 else route.answers.status


def body_words(route: CompiledRoute) -> str:
    size = (
        f"{route.max_body / MIB:g} MiB"
        if route.max_body >= MIB
        else f"{route.max_body / KIB:g} KiB"
    )
    if route.served.reads.streams:
        return f"unread, at most {size}"
    early = "; what needs none runs before it" if route.served.early is not None else ""
    return f"at most {size}{early}"
