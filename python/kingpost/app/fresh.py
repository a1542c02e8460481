"""Calls outside of any request, given what providers make for them alone: what follows an answer, commands, the shell.

Rule: whatever is made, a provider that needs the request is refused; values of scope "app" are made at start.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from kingpost.app.crossing import Threads
from kingpost.app.lasting import Lasting
from kingpost.app.program import Function, Parts, Program, compile_program
from kingpost.binding.choose import Chooser
from kingpost.binding.markers import Depends
from kingpost.binding.offer import Offer
from kingpost.binding.plan import Argument
from kingpost.binding.signature import Signature, signature_of
from kingpost.binding.sources import Constant, FromProvider, Source, TheRequest
from kingpost.errors import SignatureError
from kingpost.http.background import Work
from kingpost.http.response import Response
from kingpost.injection.graph import Graph, check_lasting, needed
from kingpost.injection.lookup import Lookup
from kingpost.injection.provider import Kind, kind_of

Key = tuple[Callable[..., Any], int, frozenset[str]]


class FreshCalls:
    """Prepares the calls that one route leaves behind.

    Args:
        lookup: the providers that the route sees.
        offer: what it has to offer; its path is gone by then.
        threads: where `def` providers of an `async def` run.
        lasting: what was made at start.
    """

    def __init__(self, lookup: Lookup, offer: Offer, threads: Threads, lasting: Lasting) -> None:
        self._lookup = lookup
        self._offer = Offer({}, ("POST",), offer.constants, offer.settings_base)
        self._threads = threads
        self._lasting = lasting
        self._known: dict[Key, Callable[..., Any] | None] = {}

    def __call__(self, work: Work) -> Callable[[], Any] | None:
        """The call with what providers make for it; None where there is nothing to be made.

        Raises:
            SignatureError: a provider of it needs the request.
        """
        function, args, kwargs = work
        key = (function, len(args), frozenset(kwargs))
        if key in self._known:
            program = self._known[key]
        else:
            program = self._compiled(function, len(args), kwargs)
            if "<" not in getattr(function, "__qualname__", "<"):
                # Others are made for one request: to keep them would be to keep every request.
                self._known[key] = program
        return None if program is None else partial(program, (args, kwargs))

    def _compiled(
        self, function: Callable[..., Any], count: int, given: dict[str, Any]
    ) -> Callable[..., Any] | None:
        try:
            signature = signature_of(function)
        except SignatureError:
            return None  # written in C: it is called as it is
        graph = Graph(self._lookup, self._offer)
        made = tuple(
            Argument(parameter.name, parameter.name, source)
            for at, parameter in enumerate(signature.parameters)
            if parameter.name not in given and not is_filled(parameter, at, count)
            if (source := self._source(signature, graph, parameter)) is not None
        )
        if not made:
            return None
        check_free(made, "it is called behind the answer")
        self._lasting.make_late(made)
        return compile_fresh(
            function, signature, made, threads=self._threads, lasting=self._lasting
        ).function

    def _source(
        self, signature: Signature, graph: Graph, parameter: inspect.Parameter
    ) -> Source | None:
        chooser = Chooser(signature, graph.offer, parameter)
        marker = chooser.marker()
        if isinstance(marker, Depends):
            return chooser.depends(marker)
        source = chooser.framework() or chooser.provided()
        return source if isinstance(source, FromProvider | Constant) else None


def is_filled(parameter: inspect.Parameter, at: int, count: int) -> bool:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return True
    return parameter.kind is not parameter.KEYWORD_ONLY and at < count


def check_free(arguments: Iterable[Argument], why: str) -> None:
    """Refuses providers that need the request, where there is none.

    Raises:
        SignatureError: `injection.scope`.
    """
    for node in needed(arguments):
        if node.provider.scope == "connection":
            raise node.provider.signature.refused(
                "injection.scope",
                f"{why}, and what {node.name} makes is there during a connection only",
                'register it with scope="app", or for a request',
            )
        others = [each for each in node.arguments if not isinstance(each.source, FromProvider)]
        check_lasting(node.provider.signature, others, why)


def compile_fresh(
    function: Callable[..., Any],
    signature: Signature,
    made: tuple[Argument, ...],
    *,
    threads: Threads,
    lasting: Lasting,
) -> Program:
    """A program that is called with `(args, kwargs)`, and calls `function` with these and with what is `made` for it."""
    kind: Kind = "async" if kind_of(function) == "async" else "def"
    call = called_async(function) if kind == "async" else called(function)
    arguments = (
        Argument("given", None, TheRequest()),
        # By name: what is given may be any number of arguments.
        *(Argument(each.name, each.name, each.source) for each in made),
    )
    parts = Parts(
        Function(call, signature, arguments, kind),
        (),
        (),
        lambda _request, _value: Response(None),
        refuse,
        refuse,
        threads,
        responds=False,
        reserve=refuse,
        lasting=lasting,
    )
    return compile_program(parts, signature.name)


def called(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(given: tuple[tuple[Any, ...], dict[str, Any]], /, **made: Any) -> Any:
        args, kwargs = given
        return function(*args, **kwargs, **made)

    return call


def called_async(function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(given: tuple[tuple[Any, ...], dict[str, Any]], /, **made: Any) -> Any:
        args, kwargs = given
        return await function(*args, **kwargs, **made)

    return call


def refuse(*_: Any) -> Any:
    raise AssertionError("there is no request any more")
