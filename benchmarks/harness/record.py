"""The figures for machines: written after a run, and read again to print or draw it once more."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.goals import Results, Verdict
from harness.result import Result, Run


@dataclass(frozen=True, slots=True)
class Record:
    """One start of the bench."""

    machine: Mapping[str, Any]  # as machine.describe() tells it
    results: Results


def write(file: Path, record: Record, verdicts: Sequence[Verdict]) -> None:
    """Writes a record as JSON. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    written = {
        "machine": record.machine,
        "goals": [
            {
                "goal": verdict.goal.text,
                "row": verdict.goal.row,
                "bound": verdict.goal.bound,
                "value": verdict.value,
                "met": None if verdict.value is None else verdict.is_met,
                "why": verdict.why,
            }
            for verdict in verdicts
        ],
        "results": [result.as_json() for result in record.results.values()],
    }
    file.write_text(json.dumps(written, indent=1) + "\n")


def read(file: Path) -> Record:
    """A record that `write` wrote. Raises OSError, ValueError, KeyError, TypeError."""
    found: dict[str, Any] = json.loads(file.read_text())
    results: dict[tuple[str, str], Result] = {}
    for fields in found["results"]:
        result = Result(**fields)
        result.runs = [Run(**run) for run in fields["runs"]]
        results[result.row, result.subject] = result
    return Record(found["machine"], results)
