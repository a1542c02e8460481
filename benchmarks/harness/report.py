"""The table for people."""

from collections.abc import Sequence

from harness.goals import Verdict
from harness.load import VOID_LOAD, LoadRow
from harness.peers import is_ours
from harness.result import Result
from harness.rows import Row

UNITS = {
    "pss_mb": ("MB", 1),
    "private_mb": ("MB", 1),
    "bytes": ("bytes", 0),
    "percent": ("% of a core", 2),
    "lag_ms": ("ms p99", 2),
    "import_ms": ("ms", 1),
    "start_ms": ("ms", 0),
}
LOAD_COLUMNS = "CPU µs/req    ±   requests/s   wrk   p99 ms"


def row_lines(row: Row, results: Sequence[Result]) -> list[str]:
    """The row as text, cheapest first, ratio first: 2.00 means twice what ours costs."""
    metric = row.metric
    measured = [result for result in results if metric in result.values]
    measured.sort(key=lambda result: result.values[metric])
    base = _base(measured, metric)
    against = "of ours" if any(is_ours(result.subject) for result in measured) else "of best"
    is_load = isinstance(row, LoadRow) and metric == "cpu_us"
    columns = LOAD_COLUMNS if is_load else f"{UNITS[metric][0]:>12}"
    lines = ["", f"{row.title}   [{row.name}]", f"{against:>7}  {columns}"]
    for result in measured:
        value = result.values[metric]
        ratio = f"{value / base:7.2f}" if base else "      -"
        figures = _load_figures(result) if is_load else f"{value:12.{UNITS[metric][1]}f}"
        lines.append(f"{ratio}  {figures}  {_name(result)}")
    lines += [
        f"      -  {result.label}: {result.missing or 'no figure'}"
        for result in results
        if metric not in result.values
    ]
    return lines


def _base(measured: Sequence[Result], metric: str) -> float:
    """Our first subject's figure, or the least where ours is not there."""
    ours = [result for result in measured if is_ours(result.subject)]
    chosen = [*ours, *measured][:1]
    return chosen[0].values[metric] if chosen else 0.0


def _load_figures(result: Result) -> str:
    values = result.values
    rate = f"{values['rate']:11,.0f}"
    if values["generator_load"] >= VOID_LOAD:
        rate = f"{'(' + rate.strip() + ')':>11}"
    # wrk loses its latencies in pipelined runs and prints noughts.
    p99 = f"{values['p99_ms']:7.2f}" if values["p99_ms"] else "      -"
    return (
        f"{values['cpu_us']:10.2f} {values['spread']:4.0%}  {rate}  "
        f"{values['generator_load']:4.0%}  {p99}"
    )


def _name(result: Result) -> str:
    mark = "» " if is_ours(result.subject) else "  "
    remarks = f"   ({'; '.join(result.remarks)})" if result.remarks else ""
    return f"{mark}{result.label}{remarks}"


def goal_lines(verdicts: Sequence[Verdict]) -> list[str]:
    """The goals, met and missed."""
    lines = ["", "Goals (CPU per request where nothing else is said)"]
    for verdict in verdicts:
        goal = verdict.goal
        sign = "≥" if goal.at_least else "≤"
        bound = f"{sign} {goal.bound:g}{goal.unit}"
        if verdict.value is None:
            lines.append(f"  -       {'':>12}  {bound:>10}  {goal.text}: {verdict.why}")
            continue
        word = "met" if verdict.is_met else "MISSED"
        note = f"   ({verdict.why})" if verdict.why else ""
        figure = f"{verdict.value:.2f}{goal.unit}"
        lines.append(f"  {word:<7} {figure:>12}  {bound:>10}  {goal.text}{note}")
    met = sum(verdict.is_met for verdict in verdicts)
    measured = sum(verdict.value is not None for verdict in verdicts)
    lines.append(f"  {met} of {measured} measured goals met, {len(verdicts)} in all")
    return lines
