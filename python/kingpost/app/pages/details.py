"""Who may see how the program works."""

from __future__ import annotations


def may_show_details(host: str) -> bool:
    """Whether the page may be shown to who asked for `host`: a number or localhost, never a name.

    A name could have been pointed at this machine by the page of a stranger that wants to read the answer (DNS rebinding).

    Args:
        host: The request's Host, with or without a port.
    """
    if host.startswith("["):
        return True
    name = host.rpartition(":")[0] if ":" in host else host
    name = name.rstrip(".").lower()
    return (
        name in ("", "localhost")
        or name.endswith(".localhost")
        or name.replace(".", "").isdecimal()
    )
