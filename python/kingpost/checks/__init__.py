"""What is wrong with an App, and whether it can do its work: `kingpost check`, `/readyz` and `/metrics`."""

from kingpost.checks.health import Health
from kingpost.checks.metrics import Metrics
from kingpost.checks.problem import Problem

__all__ = ["Health", "Metrics", "Problem"]
