"""Traversal: a tree of objects is walked along the path, and the view is found by the class of the object at its end.

`/site/reports/2026/@@edit` asks the root for `"reports"`, that one for `"2026"`, and calls the view `edit` that was registered for the
nearest class of what it got. `@@` may be left out where the object has no item of that name.

Rule 1: the path is cut at its slashes first and decoded afterwards, so a key may hold a slash (`%2F`), a dot or anything else; it is never
`.`, `..` or empty, and a tree is walked at most 64 steps deep.
Rule 2: a KeyError means that there is no such item, hence 404; every other exception is the tree's own, hence 500.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Unpack, cast
from urllib.parse import quote, unquote_to_bytes

import msgspec

from kingpost import limits
from kingpost.http.request import Request
from kingpost.routing.options import RouteOptions, check_options
from kingpost.routing.predicates import check_predicates
from kingpost.routing.refusal import refused
from kingpost.routing.reverse import SAFE, UrlError
from kingpost.routing.route import (
    F,
    Registry,
    Route,
    RouteGroup,
    checked_handler,
    checked_name,
    checked_prefix,
)
from kingpost.types import Place

TRAVERSED = "traversed"
"""What the pattern calls the part of the path that is walked."""

VIEW = "@@"
"""Stands before the name of a view, where an item might have the same name."""

LEAVES = (str, bytes, bytearray, list, tuple)
"""What has `__getitem__`, and no items with names."""

_MISSING = object()


class Walk(msgspec.Struct, frozen=True):
    """Where a walk has ended.

    Attributes:
        site: the tree.
        context: the last object that was found.
        name: of the view; empty for the default one.
        lineage: the objects on the way, the root first and the context last: `__acl__` is looked for in them.
    """

    site: Traverse
    context: Any
    name: str
    lineage: tuple[Any, ...]


class ViewOf(msgspec.Struct, frozen=True):
    """That the path leads to an object of a class, and to a view of a name; the nearer the class, the more the view is meant.

    Attributes:
        site: the tree.
        kind: the class of the context.
        name: of the view.
        skipped: segments of the path before the part that is walked; None where the path ends at the root.
    """

    site: Traverse
    kind: type[Any]
    name: str
    skipped: int | None = None

    @property
    def context(self) -> type[Any]:
        return self.kind

    @property
    def blocks(self) -> bool:
        return not self.site.inline

    def at(self, path: str) -> ViewOf:
        """The same for a whole pattern."""
        head, brace, _ = path.partition(f"{{{TRAVERSED}:path}}")
        return msgspec.structs.replace(self, skipped=head.count("/") - 1 if brace else None)

    def __call__(self, request: Request) -> bool:
        return self.weight(request) > 0

    def weight(self, request: Request) -> float:
        """1 for the class itself, less for each step up; 0 where the path leads elsewhere."""
        walk = self.site.walk(request, self.skipped)
        if walk is None or walk.name != self.name:
            return 0.0
        lineage = type(walk.context).__mro__
        if self.kind in lineage:
            return 1.0 / (1 + lineage.index(self.kind))
        return 1.0 / 1000 if isinstance(walk.context, self.kind) else 0.0

    def __str__(self) -> str:
        return f"context {self.kind.__name__}, view {self.name or 'by default'}"


class Traverse(RouteGroup):
    """A tree of objects below a path, and the views of its classes. It is included like a Blueprint.

    Args:
        prefix: begins with a slash and ends without one, such as `"/site"`; empty for the whole App.
        root: the root of the tree, or a `def` that gives it for a request. It and its items answer `item[name]`, with KeyError for what they
            have not got.
        name: stands before the names of the routes; the prefix's if not said.
        inline: a promise that walking the tree never blocks; if not said, it is walked on a worker thread.

    Raises:
        RoutingError: `routing.bad-prefix`, `routing.bad-name` or `routing.bad-root`.

    Example:
        ```python
        from kingpost import App
        from kingpost.routing import Traverse

        class Folder(dict[str, object]):
            pass

        site = Traverse("/site", Folder(plans=Folder()))

        @site.view(Folder, name="edit")
        def edit(context: Folder) -> list[str]:
            return list(context)

        app = App()
        app.include(site)
        ```
    """

    def __init__(
        self, prefix: str, root: Any, /, *, name: str | None = None, inline: bool = False
    ) -> None:
        self.prefix = checked_prefix(prefix)
        self.name = checked_name(name or prefix.strip("/").replace("/", "-") or "tree")
        self.inline = inline
        self.root = root
        self._makes_root = isinstance(root, type) or inspect.isroutine(root)
        self._views: list[ViewOf] = []
        self._registry = Registry()
        if inspect.iscoroutinefunction(root):
            raise refused(
                "routing.bad-root",
                f"{root.__name__} is async, and the tree is walked by plain calls",
                "write `def`",
            )

    def __routes__(self) -> Registry:
        return self._registry

    def __repr__(self) -> str:
        return f"Traverse({self.prefix!r})"

    def view(
        self,
        kind: type[Any],
        /,
        *,
        methods: Sequence[str] = ("GET",),
        **options: Unpack[RouteOptions],
    ) -> Callable[[F], F]:
        """Answer by the decorated function where the path leads to an object of a class, or of a class below it.

        A parameter called `context`, or annotated with the class, is that object.

        Args:
            kind: the class; the view of the nearest one answers.
            methods: upper-case.
            options: see RouteOptions; `name` is the view's, and stands at the end of the path. The default view has none.
        """
        place = Place.of_caller()
        if not isinstance(kind, type):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a checker
            raise refused("routing.bad-view", f"a view is for a class, not for {kind!r}")
        checked = check_options(options)
        view = ViewOf(self, kind, checked.get("name", ""))
        rest: RouteOptions = {**checked}
        rest.pop("name", None)
        rest["when"] = (view, *check_predicates(checked.get("when", ())))

        def decorate(function: F) -> F:
            self._registry.check_open()
            self._views.append(view)
            paths = [f"/{{{TRAVERSED}:path}}"]
            if self._makes_root or isinstance(self.root, kind):
                paths.insert(0, "" if self.prefix else "/")
            for path in paths:
                route = Route(path, checked_handler(function), methods=methods, **rest)
                route.place = place
                self._registry.items.append(route)
            return function

        return decorate

    def walk(self, request: Request, skipped: int | None) -> Walk | None:
        """Where the path of a request leads; walked once for a request. None: nowhere.

        Args:
            request: what was asked.
            skipped: segments before the part that is walked; None for the root itself.
        """
        key = f"walk {id(self)}"
        if key not in request.cache:
            request.cache[key] = self._walked(request, skipped)
        walk: Walk | None = request.cache[key]
        if walk is not None:
            request.__walk__(walk)
        return walk

    def _walked(self, request: Request, skipped: int | None) -> Walk | None:
        names: list[str] = []
        if skipped is not None:
            found = names_in(request.raw_path.split(b"/")[skipped + 1 :])
            if found is None:
                return None
            names = found
        context = self.root(request) if self._makes_root else self.root
        lineage = [context]
        for number, name in enumerate(names):
            is_last = number == len(names) - 1
            if name.startswith(VIEW):
                view = name.removeprefix(VIEW)
                return Walk(self, context, view, tuple(lineage)) if is_last and view else None
            child = child_of(context, name)
            if child is _MISSING:
                return Walk(self, context, name, tuple(lineage)) if is_last else None
            context = child
            lineage.append(context)
        return Walk(self, context, "", tuple(lineage))

    def knows(self, context: object, view: str) -> bool:
        """Whether an object has a view of that name."""
        return any(each.name == view and isinstance(context, each.kind) for each in self._views)


def names_in(segments: Sequence[bytes]) -> list[str] | None:
    """The names that segments of a path stand for; None where one of them is no name, or where they are too many."""
    if len(segments) > limits.TRAVERSAL_DEPTH:
        return None
    names: list[str] = []
    for segment in segments:
        try:
            name = unquote_to_bytes(segment).decode()
        except UnicodeDecodeError:
            return None
        if name in ("", ".", "..") or "\0" in name:
            return None
        names.append(name)
    return names


def child_of(context: Any, name: str) -> Any:
    if not hasattr(cast("object", type(context)), "__getitem__") or isinstance(context, LEAVES):
        return _MISSING
    try:
        return context[name]
    except KeyError:
        return _MISSING


def names_above(context: object) -> tuple[object, list[str]]:
    """The root above an object, and the names that lead from there to it, by `__parent__` and `__name__`.

    Raises:
        UrlError: `routing.no-way-up`.
    """
    names: list[str] = []
    node = context
    while (parent := getattr(node, "__parent__", None)) is not None:
        name = getattr(node, "__name__", None)
        if (
            not isinstance(name, str)
            or name in ("", ".", "..")
            or name.startswith(VIEW)
            or "\0" in name
        ):
            raise no_way_up(
                f"{node!r:.100} has a parent, and {name!r} is no name that a path can have"
            )
        names.append(name)
        node = parent
        if len(names) >= limits.TRAVERSAL_DEPTH:
            raise no_way_up(f"{context!r:.100} stands too deep, or is its own ancestor")
    return node, names[::-1]


def path_of(names: Sequence[str], view: str) -> str:
    """The names, and the view behind them, as the end of a path."""
    parts = [*names, f"{VIEW}{view}"] if view else names
    return "".join(f"/{quote(part, safe=SAFE)}" for part in parts)


def no_way_up(message: str) -> UrlError:
    return UrlError(
        message,
        code="routing.no-way-up",
        remedy="give what stands in the tree __parent__ and __name__, and the root __parent__ = None",
    )
