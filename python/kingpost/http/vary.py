"""`Vary`: which fields of a request decide about its answer (RFC 9110 section 12.5.5).

Rule: what was said before stays. A cache that does not know of one of them gives somebody else's answer.
"""

from __future__ import annotations

from kingpost.http.headers import ResponseHeaders


def add_vary(headers: ResponseHeaders, *names: str) -> None:
    """Say that the answer depends on these fields of the request, too.

    Args:
        headers: of the answer.
        names: in lower case.
    """
    if "vary" not in headers:
        headers.fill((("vary", ", ".join(names)),))
        return
    said = [name.strip(" \t") for field in headers.get_all("vary") for name in field.split(",")]
    said = [name for name in said if name]
    if "*" in said:
        return
    known = {name.lower() for name in said}
    missing = [name for name in names if name not in known]
    if missing:
        headers["vary"] = ", ".join([*said, *missing])
