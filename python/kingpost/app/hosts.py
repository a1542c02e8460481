"""`App(hosts=…)`: the hosts that are ours.

Rule: hosts are compared as they stand, without case; never as patterns, but for a leading `*.`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kingpost.errors import ConfigurationError
from kingpost.routing.hosts import without_port
from kingpost.types import Place


def check_hosts_option(hosts: Sequence[str]) -> tuple[str, ...]:
    """Hosts in lower case.

    Raises:
        ConfigurationError: `app.bad-host` for what is no host name.
    """
    if isinstance(hosts, str):
        raise bad_host(hosts, 'write hosts=["example.org"]')
    for host in hosts:
        plain = host.removeprefix("*.")
        if not plain or any(character in plain for character in "/*@ ") or "://" in host:
            raise bad_host(host, 'write "example.org", or "*.example.org" for all names below it')
    return tuple(host.lower() for host in hosts)


def bad_host(host: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(
        f"hosts={host!r} is no list of host names",
        code="app.bad-host",
        remedy=remedy,
        places=[Place.of_caller()],
    )


def is_our_host(asked: str, hosts: Sequence[str]) -> bool:
    """Whether a Host (with its port, if it has one) is one of ours."""
    asked, name = asked.lower(), without_port(asked)
    return any(
        name.endswith(host[1:]) and len(name) >= len(host)
        if host.startswith("*.")
        else host in (asked, name)
        for host in hosts
    )
