"""What a row yields."""

from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

FOREIGN_LOAD = 0.10  # of the server's core used by others: from here on the run is noisy


@dataclass(slots=True)
class Run:
    """One run of the generator against one server."""

    rate: float  # answered requests, a second
    cpu_us: float  # processor time of the server for one request, microseconds
    generator_load: float  # of the generator's core, 0 to 1
    server_load: float  # of the server's core, 0 to 1
    foreign: float  # of the server's core, taken by anything else
    p50_ms: float
    p99_ms: float
    requests: int
    errors: int


@dataclass(slots=True)
class Result:
    """A subject of a row: medians of its runs, or the reason why there are none."""

    row: str
    subject: str
    label: str
    values: dict[str, float] = field(default_factory=dict[str, float])
    runs: list[Run] = field(default_factory=list[Run])
    samples: list[float] = field(default_factory=list[float])  # of rows without a generator
    missing: str = ""
    remarks: list[str] = field(default_factory=list[str])

    def take_medians(self) -> None:
        """Fills `values` from `runs`."""
        if not self.runs:
            return
        for name in ("rate", "cpu_us", "generator_load", "server_load", "foreign"):
            self.values[name] = median(getattr(run, name) for run in self.runs)
        self.values["p50_ms"] = median(run.p50_ms for run in self.runs)
        self.values["p99_ms"] = median(run.p99_ms for run in self.runs)
        costs = [run.cpu_us for run in self.runs]
        self.values["spread"] = (max(costs) - min(costs)) / 2 / self.values["cpu_us"]
        self.values["errors"] = sum(run.errors for run in self.runs)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
