"""Asks every check of an App, Kingpost's own and those that were added to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from kingpost.app.crossing import Threads
from kingpost.app.errands import collecting, compile_errand
from kingpost.app.lasting import Lasting
from kingpost.binding.signature import signature_of
from kingpost.checks.deploy import ask_deploy, names_of
from kingpost.checks.deploy.site import Site
from kingpost.checks.problem import Problem
from kingpost.routing.acl import Permission

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.app.extensions import Claim
    from kingpost.checks.deploy.site import Setup


class Found(msgspec.Struct, frozen=True):
    """A problem, and the check that has found it.

    Attributes:
        check: its name.
        place: where it was written, or what Kingpost's own check is about; empty where that is the App.
        problem: what it has found.
    """

    check: str
    place: str
    problem: Problem


def ask(app: App, site: Site | None = None) -> Iterator[Found]:
    """What the checks of an App find, those that were silenced as well.

    Args:
        app: the App, compiled.
        site: how and where it is deployed, to ask those checks too.

    Raises:
        SignatureError: a check asks for what it cannot be given.
    """
    for name, own in own_checks(site).items():
        for place, problem in own(app):
            yield Found(name, place, problem)
    for name, claim in app.extensions.__checks__().items():
        for problem in problems_of(app, name, claim):
            yield Found(name, str(claim.place), problem)
    if site is not None:
        yield from ask_setup(site)


def ask_setup(setup: Setup) -> Iterator[Found]:
    """What the checks of a deployment find."""
    for name, told in ask_deploy(setup):
        yield Found(name, told.place, told.problem)


def names(app: App, site: Site | None = None) -> list[str]:
    """The names of all checks that `ask` asks."""
    deploy = () if site is None else names_of(site)
    return [*own_checks(site), *app.extensions.__checks__(), *deploy]


def own_checks(site: Site | None) -> Mapping[str, Callable[[App], Iterator[tuple[str, Problem]]]]:
    """Kingpost's own; `deploy.hosts` takes the place of `hosts`."""
    return OWN if site is None else {name: each for name, each in OWN.items() if name != "hosts"}


def hosts(app: App) -> Iterator[tuple[str, Problem]]:
    """That the App knows its hosts."""
    if not app.__hosts__:
        problem = Problem(
            "the app answers whatever host a request names",
            'say which are its own: App(hosts=["example.org"])',
            is_error=False,
        )
        yield "", problem


def permissions(app: App) -> Iterator[tuple[str, Problem]]:
    """That there is a tree where permissions are asked for: without one, nobody has any."""
    routes = app.__describe__()
    if any(route.conditions.walks is not None for route in routes):
        return
    for route in routes:
        asked = [each for each in route.entry.requires if isinstance(each, Permission)]
        if asked:
            problem = Problem(
                f"{route.path} refuses everybody: {asked[0]!r} asks the objects of a Traverse, and the app has none",
                "write a function for requires= that looks at what your Principals hold",
                is_error=False,
            )
            yield str(route.place), problem


OWN: Mapping[str, Callable[[App], Iterator[tuple[str, Problem]]]] = {
    "hosts": hosts,
    "permissions": permissions,
}
"""Kingpost's own checks, by their names: each gives the place of a problem, and the problem."""


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
