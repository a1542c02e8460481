"""Random programs for the handlers of one batch end alike on carriers and on plain Tasks."""

from __future__ import annotations

import logging
import os
import time

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from .programs import Program, batches, compare

SEED = int(os.environ.get("KINGPOST_TASKS_SEED", "20"))
EXAMPLES = int(os.environ.get("KINGPOST_TASKS_EXAMPLES", "400"))
SECONDS = float(os.environ.get("KINGPOST_TASKS_SECONDS", "10"))
began = time.monotonic()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)
@given(batch=batches)
def test_a_batch_of_programs_ends_as_on_plain_tasks(
    batch: list[tuple[Program, ...]],
) -> None:
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)

    carried, plain = compare(batch)

    assert carried == plain
