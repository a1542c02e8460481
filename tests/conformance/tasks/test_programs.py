"""Random programs for the handlers of one batch end alike on carriers and on plain Tasks."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from .programs import Program, batches, compare

SEED = int(os.environ.get("KINGPOST_TASKS_SEED", "20"))
EXAMPLES = int(os.environ.get("KINGPOST_TASKS_EXAMPLES", "250"))
# Shrinking takes a minute: only where somebody looks for the smallest program that fails.
PHASES = [Phase.generate, *([Phase.shrink] if "KINGPOST_TASKS_SHRINK" in os.environ else [])]


@pytest.fixture
def quick_collections() -> Iterator[None]:
    """Each program is followed by a collection, which need not look at the rest of the process."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("quick_collections")
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=PHASES,
)
@given(batch=batches)
def test_a_batch_of_programs_ends_as_on_plain_tasks(
    batch: list[tuple[Program, ...]],
) -> None:
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)

    carried, plain = compare(batch)

    assert carried == plain
