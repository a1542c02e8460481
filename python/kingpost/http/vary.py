"""`Vary`: which fields of a request decide about its answer (RFC 9110 section 12.5.5).

Rule: what was said before stays. A cache that does not know of one of them gives somebody else's answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kingpost._native import Answer
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


def varied(answer: Answer, fields: Sequence[str]) -> Answer:
    """The same as `add_vary`, for an answer that is ready to leave: another one, where something is missing.

    Args:
        answer: with its names in lower case.
        fields: in lower case.
    """
    if not fields:
        return answer
    known = ",".join(value for name, value in answer.headers if name == "vary").lower()
    present = [each.strip() for each in known.split(",")]
    missing = [field for field in fields if field not in present]
    if not missing or "*" in present:
        return answer
    told = ("vary", ", ".join(missing))
    return Answer(answer.status, [*answer.headers, told], answer.body)


def vary_in(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The fields that the `Vary` of an error names, in lower case."""
    said = ",".join(text for name, text in headers.items() if name.lower() == "vary").lower()
    return tuple(name for each in said.split(",") if (name := each.strip(" \t")))


def vary_of(fields: Sequence[str]) -> dict[str, str]:
    """The headers of an error that depends on fields of the request; none where it depends on none."""
    return {"Vary": ", ".join(fields)} if fields else {}
