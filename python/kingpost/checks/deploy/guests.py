"""What applications of others say of themselves, where they can be asked: Django, Flask and Quart, the Starlette family.

Nothing of ours that keeps visitors out stands before them, so they have to do it themselves; whether they are mounted or served bare.

Nothing of theirs is imported but what their framework has loaded already.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from kingpost.checks.deploy.secrets import MAKE_ONE, weakness
from kingpost.checks.deploy.site import Setup, Told
from kingpost.checks.problem import Problem
from kingpost.interop.interface import class_names

Asker: TypeAlias = Callable[[Any], Iterator[Problem]]

FLASK: Final = "flask.app.Flask"
QUART: Final = "quart.app.Quart"
STARLETTE: Final = "starlette.applications.Starlette"
DJANGO: Final = ("django.core.handlers.asgi.ASGIHandler", "django.core.handlers.wsgi.WSGIHandler")

TRUSTED_HOST: Final = "starlette.middleware.trustedhost.TrustedHostMiddleware"
SHORTEST: Final = 16
"""Characters of a key; Flask's own documents have shown ones of 16 bytes."""
ASKED_HERE: Final = frozenset({"security.W009", "security.W018", "security.W020"})
"""Django's checks of the key, of DEBUG and of ALLOWED_HOSTS, which checks of ours ask of every framework."""
WARNING: Final = 30
ERROR: Final = 40


def warn(message: str, remedy: str) -> Problem:
    return Problem(message, remedy, is_error=False)


def hosts_of_flask(app: Any) -> Iterator[Problem]:
    if "TRUSTED_HOSTS" not in app.default_config:
        yield warn(
            "it answers whatever host a request names, and this version cannot be told its own",
            'move to a version that has TRUSTED_HOSTS, Flask 3.1, and set app.config["TRUSTED_HOSTS"] = ["example.org"]',
        )
    elif not app.config.get("TRUSTED_HOSTS"):
        yield warn(
            "it answers whatever host a request names",
            'say which are its own: app.config["TRUSTED_HOSTS"] = ["example.org"]',
        )


def hosts_of_starlette(app: Any) -> Iterator[Problem]:
    for each in app.user_middleware:
        if TRUSTED_HOST in class_names(each.cls):
            said = each.kwargs.get("allowed_hosts", each.args[0] if each.args else None)
            if said is not None and "*" not in said:
                return
    yield warn(
        "it answers whatever host a request names",
        'say which are its own: app.add_middleware(TrustedHostMiddleware, allowed_hosts=["example.org"])',
    )


def hosts_of_django(_: Any) -> Iterator[Problem]:
    allowed = django("django.conf").settings.ALLOWED_HOSTS
    if "*" in allowed:
        yield warn(
            'ALLOWED_HOSTS has "*": it answers whatever host a request names',
            'say which are its own: ALLOWED_HOSTS = ["example.org"]',
        )
    elif not allowed:
        yield warn(
            "ALLOWED_HOSTS is empty, so every visitor is refused",
            'say which are its own: ALLOWED_HOSTS = ["example.org"]',
        )


def debug_of_flask(app: Any) -> Iterator[Problem]:
    if app.debug:
        yield Problem(
            "its debug is on: errors pass its error handlers by, and templates are read anew for each request",
            "unset FLASK_DEBUG, and leave app.debug alone",
        )
    if app.testing:
        yield Problem("its testing is on: errors pass its error handlers by", "unset TESTING")


def debug_of_starlette(app: Any) -> Iterator[Problem]:
    if app.debug:
        yield Problem(
            "its debug is on: errors show its source to every visitor", "leave debug=True out"
        )


def debug_of_django(_: Any) -> Iterator[Problem]:
    if django("django.conf").settings.DEBUG:
        yield Problem(
            "DEBUG is on: errors show source, variables and settings to every visitor",
            "set DEBUG = False in the settings that are deployed",
        )


def key_of_flask(app: Any) -> Iterator[Problem]:
    key = app.config.get("SECRET_KEY")
    if key:
        yield from key_told(key)


def key_of_django(_: Any) -> Iterator[Problem]:
    yield from key_told(django("django.conf").settings.SECRET_KEY)


def key_told(key: str | bytes) -> Iterator[Problem]:
    found = weakness(key.decode("latin-1") if isinstance(key, bytes) else str(key), SHORTEST)
    if found:
        yield Problem(f"SECRET_KEY {found}", MAKE_ONE)


def checks_of_django(_: Any) -> Iterator[Problem]:
    """What `manage.py check --deploy` says, but for what is asked here. It asks no database."""
    found = django("django.core.checks").run_checks(include_deployment_checks=True)
    # Django keeps its checks in a set.
    for told in sorted(found, key=lambda each: (each.id or "", str(each.obj))):
        if told.level >= WARNING and told.id not in ASKED_HERE and not told.is_silenced():
            name = told.id or "one of its checks"
            where = "" if told.obj is None else f" ({told.obj})"
            message = " ".join(str(told.msg).split()).rstrip(".")
            remedy = " ".join(str(told.hint or "").split())
            yield Problem(f"{name}{where}: {message}", remedy, is_error=told.level >= ERROR)


def django(module: str) -> Any:
    """A module of Django's, which has loaded it with the application."""
    return sys.modules[module]


ASKERS: Final[Mapping[str, Mapping[str, Asker]]] = {
    "guest-hosts": {
        FLASK: hosts_of_flask,
        QUART: hosts_of_flask,
        STARLETTE: hosts_of_starlette,
        **dict.fromkeys(DJANGO, hosts_of_django),
    },
    "guest-debug": {
        FLASK: debug_of_flask,
        QUART: debug_of_flask,
        STARLETTE: debug_of_starlette,
        **dict.fromkeys(DJANGO, debug_of_django),
    },
    "guest-secret-key": {
        FLASK: key_of_flask,
        QUART: key_of_flask,
        **dict.fromkeys(DJANGO, key_of_django),
    },
    "guest-django": dict.fromkeys(DJANGO, checks_of_django),
}
"""Who asks which class, by the full name of that."""


def check_of(askers: Mapping[str, Asker]) -> Callable[[Setup], Iterator[Told]]:
    """The check that has every application asked that one of them knows."""

    def check(site: Setup) -> Iterator[Told]:
        for guest, place in site.guests:
            known = (askers[name] for name in class_names(guest.app.__class__) if name in askers)
            for problem in asked(next(known, None), guest.app):
                message = f"{guest.name}: {problem.message}"
                told = Problem(message, problem.remedy, is_error=problem.is_error)
                yield Told(told, "" if place is None else str(place))

    return check


def asked(ask: Asker | None, app: object) -> list[Problem]:
    """What one application says; that it cannot be asked is a problem as well."""
    try:
        return [] if ask is None else list(ask(app))
    except Exception as error:  # noqa: BLE001 - theirs may raise anything, such as a setting that is not there
        return [Problem(f"it cannot be asked: {type(error).__name__}: {error}")]


OF_SETUP: Final[Mapping[str, Callable[[Setup], Iterator[Told]]]] = {
    name: check_of(askers) for name, askers in ASKERS.items()
}
