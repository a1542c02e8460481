"""Asks every check of an App, Kingpost's own and those that were added to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from kingpost.app.crossing import Threads
from kingpost.app.errands import collecting, compile_errand
from kingpost.app.lasting import Lasting
from kingpost.binding.signature import signature_of
from kingpost.checks.problem import Problem

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.app.extensions import Claim

OWN = ("hosts",)
"""The names of Kingpost's own checks."""


class Found(msgspec.Struct, frozen=True):
    """A problem, and the check that has found it.

    Attributes:
        check: its name.
        place: where it was written; empty for Kingpost's own.
        problem: what it has found.
    """

    check: str
    place: str
    problem: Problem


def ask(app: App) -> Iterator[Found]:
    """What the checks of an App find.

    Raises:
        SignatureError: a check asks for what it cannot be given.
    """
    for problem in own_problems(app):
        yield Found("hosts", "", problem)
    for name, claim in app.extensions.__checks__().items():
        for problem in problems_of(app, name, claim):
            yield Found(name, str(claim.place), problem)


def own_problems(app: App) -> Iterator[Problem]:
    if not app.__hosts__:
        yield Problem(
            "the app answers whatever host a request names",
            'say which are its own: App(hosts=["example.org"])',
            is_error=False,
        )


def problems_of(app: App, name: str, claim: Claim) -> list[Problem]:
    """What one check finds; that it fails is a problem as well."""
    lookup, constants, context = app.__alone__()
    signature = signature_of(claim.function)
    errand = compile_errand(
        collecting(claim.function),
        signature,
        signature.parameters,
        "a check answers no request",
        lookup=lookup,
        constants=constants,
        threads=Threads(),
        lasting=Lasting(),
    )
    found: list[Problem] = []

    def take(value: Any) -> None:
        found.extend(told_by(name, value))

    try:
        errand.run(context, take)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        found.append(Problem(f"the check has failed: {type(error).__name__}: {error}"))
    return found


def told_by(name: str, value: Any) -> Iterable[Problem]:
    """The problems in what a check returned: one, several, or none."""
    if value is None:
        return
    if isinstance(value, Problem):
        yield value
        return
    if isinstance(value, Iterable) and not isinstance(value, str):
        for each in value:  # pyright: ignore[reportUnknownVariableType] - looked at next
            yield from told_by(name, each)
        return
    raise TypeError(f"{name} gives {value!r}, and a check gives Problems")
