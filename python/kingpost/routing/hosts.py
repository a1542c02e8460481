"""The hosts that a route answers for: `example.org`, `*.example.org`, `{tenant}.example.org`.

Rule 1: a host is compared as it stands, without case and without its port; a pattern is never a regular expression.
Rule 2: `{name}` stands for exactly one label, `*.` for one or more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from kingpost.routing.refusal import refused

LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)
NAME_BYTES = 253
"""Characters of a host name, at most (RFC 1035 section 2.3.4, without the root's dot)."""


class HostPattern(msgspec.Struct, frozen=True):
    """One of the hosts of a route.

    Attributes:
        text: as it was written, in lower case but for the names of its parameters.
        labels: from the left; None stands for a parameter.
        names: of the parameters, from the left.
        below: whether it stands for every name below `labels`.
    """

    text: str
    labels: tuple[str | None, ...]
    names: tuple[str, ...]
    below: bool

    @property
    def shape(self) -> tuple[object, ...]:
        """Equal for two patterns that match the same hosts."""
        return (self.below, *self.labels)

    @property
    def rank(self) -> tuple[object, ...]:
        """The smaller, the closer it says which host it means; labels count from the right, as names do."""
        return (self.below, -len(self.labels), *(label is None for label in reversed(self.labels)))

    def match(self, host: str) -> Mapping[str, str] | None:
        """The parameters of a host without port, in lower case; None where it is another one."""
        if not self.names and not self.below:
            return {} if host == self.text else None
        if len(host) > NAME_BYTES:
            return None
        labels = host.split(".")
        if self.below:
            if len(labels) <= len(self.labels):
                return None
            labels = labels[-len(self.labels) :]
        if len(labels) != len(self.labels):
            return None
        values: list[str] = []
        for known, label in zip(self.labels, labels, strict=True):
            if known is None and LABEL.fullmatch(label):
                values.append(label)
            elif known != label:
                return None
        return dict(zip(self.names, values, strict=True))

    def build(self, values: Mapping[str, str]) -> str:
        """The host with these values of its parameters.

        Raises:
            ValueError: one of them is no label of a host name.
        """
        names = iter(self.names)
        labels: list[str] = []
        for known in self.labels:
            label = values[next(names)].lower() if known is None else known
            if known is None and not LABEL.fullmatch(label):
                raise ValueError("it is no label of a host name")
            labels.append(label)
        return ".".join(labels)


def without_port(host: str) -> str:
    """A Host in lower case and without its port: `[::1]:8000` is `[::1]`."""
    host = host.lower()
    return host if host.endswith("]") else host.rpartition(":")[0] or host


def parse_host(text: object) -> HostPattern:
    """Take one host apart.

    Raises:
        RoutingError: `routing.bad-host`.
    """
    if not isinstance(text, str):
        raise bad_host(text, "it is no text")
    below = text.startswith("*.")
    plain = text.removeprefix("*.")
    if plain.startswith("[") and plain.endswith("]") and not below:
        return HostPattern(plain.lower(), (plain.lower(),), (), below=False)
    labels: list[str | None] = []
    names: list[str] = []
    for label in plain.split("."):
        parameter = PARAMETER.fullmatch(label)
        if parameter is not None:
            labels.append(None)
            names.append(parameter[1])
        elif LABEL.fullmatch(label.lower()):
            labels.append(label.lower())
        else:
            raise bad_host(
                text, f"{label!r} is neither a label nor a parameter such as '{{tenant}}'"
            )
    if len(set(names)) != len(names):
        raise bad_host(text, "two parameters have one name")
    if below and names:
        raise bad_host(text, "'*.' and a parameter do not go together")
    shown = text if names else text.lower()
    return HostPattern(shown, tuple(labels), tuple(names), below)


def bad_host(text: object, reason: str) -> Exception:
    return refused(
        "routing.bad-host",
        f"{text!r} is no host of a route: {reason}",
        'write hosts=["example.org", "{tenant}.example.org"], without scheme and port',
    )


def check_hosts(hosts: Sequence[object]) -> tuple[HostPattern, ...]:
    """The hosts of a route.

    Raises:
        RoutingError: `routing.bad-host`.
    """
    return tuple(parse_host(each) for each in hosts)
