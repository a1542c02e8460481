"""What we accept, h11 or llhttp must read the same way; what both refuse or read differently is a bug of ours.

The inputs are the table and seeded mutants of it, for three seconds, or for two minutes with `KINGPOST_LONG=1`, and longer where
those are few. Since
the peers' requests are compared with ours, one that is accepted but cut differently is found as well.
"""

import itertools
import os
import time

import pytest

from kingpost._native import parse_requests
from tests.conformance.http1.cases import Case, cases
from tests.conformance.http1.mutants import mutants
from tests.conformance.http1.peers import Requests, read_with_h11, read_with_llhttp

_SECONDS = 120.0 if os.environ.get("KINGPOST_LONG") else 3.0
_SEED = 20_250_101
# Mutants that are tried however long they take.
_FEWEST = 2_048

# h11 reads no more than 16 KiB of head, and its time for chunks of large bodies is not of interest here.
_LONGEST = 16_000


def _read(data: bytes) -> Requests | None:
    try:
        return parse_requests(data)
    except ValueError:
        return None


def _disagreement(data: bytes) -> str | None:
    """What there is to say where we accept `data` and no peer reads it the same way."""
    ours = _read(data)
    if ours is None or read_with_h11(data) == ours:
        return None
    llhttp = read_with_llhttp(data, count=len(ours))
    if llhttp == ours:
        return None
    return f"{data!r}\nours: {ours}\nh11: {read_with_h11(data)}\nllhttp: {llhttp}"


@pytest.mark.parametrize(
    "case",
    [case for case in cases() if case.code is None and len(case.input) <= _LONGEST],
    ids=lambda case: case.name,
)
def test_a_peer_agrees_with_every_accepted_row(case: Case) -> None:
    assert _disagreement(case.input) is None


def test_a_peer_agrees_with_every_accepted_mutant() -> None:
    end = time.monotonic() + _SECONDS
    accepted = 0
    for count, data in enumerate(mutants(_SEED)):
        accepted += _read(data) is not None
        assert _disagreement(data) is None, f"mutant {count} of seed {_SEED}"
        if count >= _FEWEST and count % 256 == 0 and time.monotonic() > end:
            break
    # Where hardly anything is accepted, the mutants test nothing.
    assert accepted > 100


def test_the_mutants_of_a_seed_are_always_the_same() -> None:
    assert list(itertools.islice(mutants(1), 50)) == list(itertools.islice(mutants(1), 50))
