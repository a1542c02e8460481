"""What the App's own source says that will hurt under load, or on the way to a browser."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from kingpost.checks.deploy.site import Setup, Site, Told, warning

BLOCKING: Final[Mapping[str, str]] = {
    "time.sleep": "await asyncio.sleep(…)",
    "requests.get": "an async client, or a def handler",
    "requests.post": "an async client, or a def handler",
    "urllib.request.urlopen": "an async client, or a def handler",
    "subprocess.run": "await asyncio.create_subprocess_exec(…), or a def handler",
    "subprocess.check_output": "await asyncio.create_subprocess_exec(…), or a def handler",
    "os.system": "await asyncio.create_subprocess_exec(…), or a def handler",
    "input": "a request's parameters",
}
LAX: Final[Mapping[str, str]] = {
    "secure": "sends the cookie over plain http, where it can be read",
    "http_only": "lets scripts read the cookie, one that was smuggled in as well",
}


def nodes(site: Setup) -> Iterator[tuple[str, ast.AST]]:
    """Everything in the App's files, with the path of the file."""
    for path, text in site.files.items():
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            yield path, node


def cookies_secure(site: Site) -> Iterator[Told]:
    """That no cookie is made weaker than it is by itself."""
    for path, node in nodes(site):
        if not isinstance(node, ast.Call) or dotted(node.func).rpartition(".")[2] != "set_cookie":
            continue
        for keyword in node.keywords:
            if keyword.arg is not None and keyword.arg in LAX and is_false(keyword.value):
                yield warning(
                    f"set_cookie(…, {keyword.arg}=False) {LAX[keyword.arg]}",
                    f"leave {keyword.arg} out; silence this where scripts have to read it",
                    f"{path}:{node.lineno}",
                )


def blocking_call(site: Setup) -> Iterator[Told]:
    """That an `async def` does not stop everybody."""
    for path, node in nodes(site):
        if not isinstance(node, ast.AsyncFunctionDef):
            continue
        for call in own_calls(node):
            name = dotted(call.func)
            if name in BLOCKING:
                yield warning(
                    f"{name}(…) in async def {node.name} stops every request of the worker while it waits",
                    f"write {BLOCKING[name]}",
                    f"{path}:{call.lineno}",
                )


def own_calls(function: ast.AsyncFunctionDef) -> Iterator[ast.Call]:
    """The calls of a function, but not of those that are defined in it: they may run elsewhere."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting.extend(ast.iter_child_nodes(node))


def assert_guards(site: Setup) -> Iterator[Told]:
    """That nothing that must hold is left to `assert`, which `python -O` takes out."""
    for path, node in nodes(site):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for each in ast.walk(node):
            if isinstance(each, ast.Assert) and asks_who(each.test):
                yield warning(
                    "an assert decides who may do something, and python -O takes it out",
                    "raise what answers 403: Forbidden, or what your framework has for it",
                    f"{path}:{each.lineno}",
                )


def asks_who(test: ast.expr) -> bool:
    names = {
        dotted(node).lower()
        for node in ast.walk(test)
        if isinstance(node, ast.Attribute | ast.Name)
    }
    return any(
        each.rpartition(".")[2]
        in ("is_admin", "is_staff", "is_authenticated", "is_superuser", "permissions")
        for each in names
    )


def dotted(node: ast.expr) -> str:
    """`a.b.c` as it is written; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        left = dotted(node.value)
        return f"{left}.{node.attr}" if left else node.attr
    return ""


def is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


OF_SETUP: Final[Mapping[str, Callable[[Setup], Iterator[Told]]]] = {
    "blocking-call": blocking_call,
    "assert-guards": assert_guards,
}
OF_APP: Final[Mapping[str, Callable[[Site], Iterator[Told]]]] = {
    "cookies-secure": cookies_secure,
}
