"""The picture for the README: bars, in SVG that reads on a light and on a dark page."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from harness.goals import Results
from harness.peers import is_ours
from harness.result import Result

WIDTH = 760
LABEL = 240  # where the bars begin
BAR = 16
STEP = 23
ROOM = 92  # right of the longest bar, for its figure
MEASURE = "processor time for one request in microseconds; shorter is better"
STYLE = """
    text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
    .title { font-weight: 600; font-size: 15px }
    .quiet { fill: #59636e; font-size: 12px }
    .ours { font-weight: 600 }
    .bar { fill: #afb8c1 }
    .bar-ours { fill: #0969da }
    .bar-limit { fill: #d8dee4 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .quiet { fill: #9198a1 }
      .bar { fill: #4b535d }
      .bar-ours { fill: #4493f8 }
      .bar-limit { fill: #30363d }
    }
"""


@dataclass(frozen=True, slots=True)
class Panel:
    """One group of bars: a row, and which of its subjects are drawn."""

    row: str
    title: str
    subjects: tuple[str, ...]


PANELS = (
    Panel(
        "typed",
        "A typed route: path and three query parameters to JSON",
        ("kingpost", "falcon", "blacksheep", "sanic", "fastapi"),
    ),
    Panel(
        "plain",
        "Hello, world",
        (
            *("rust", "kingpost", "japronto", "socketify", "fastpysgi", "granian-rsgi", "uvicorn"),
            *("starlette", "fastapi", "django", "flask"),
        ),
    ),
    Panel(
        "plain-24",
        "Hello, world, 24 requests in flight on each connection",
        ("rust", "kingpost", "japronto", "socketify", "fastpysgi", "granian-rsgi", "uvicorn"),
    ),
)


def draw(results: Results, footnote: str) -> str:
    """The picture as SVG text. Subjects without a figure are left out."""
    parts: list[str] = []
    top = 28
    for panel in PANELS:
        found = [results.get((panel.row, subject)) for subject in panel.subjects]
        bars = [result for result in found if result and "cpu_us" in result.values]
        if not bars:
            continue
        parts += _panel(panel, sorted(bars, key=_cost), top)
        top += STEP * len(bars) + 58
    parts.append(f'<text class="quiet" x="8" y="{top - 12}">{escape(footnote)}</text>')
    height = top + 4
    described = "Processor time for one request, shorter is better: Kingpost and its peers"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"',
            f'  width="{WIDTH}" height="{height}" role="img" aria-label="{described}">',
            f"  <title>{described}</title>",
            f"  <style>{STYLE}  </style>",
            *(f"  {part}" for part in parts),
            "</svg>",
            "",
        ]
    )


def _panel(panel: Panel, bars: Sequence[Result], top: int) -> list[str]:
    longest = max(_cost(bar) for bar in bars)
    parts = [
        f'<text class="title" x="8" y="{top}">{escape(panel.title)}</text>',
        f'<text class="quiet" x="8" y="{top + 17}">{MEASURE}</text>',
    ]
    for number, bar in enumerate(bars):
        y = top + 30 + number * STEP
        width = max(1.5, (WIDTH - LABEL - ROOM) * _cost(bar) / longest)
        kind = "bar-ours" if _is_ours(bar) else "bar-limit" if bar.subject == "rust" else "bar"
        parts += [
            _text(bar, LABEL - 10, y, bar.label, ' text-anchor="end"'),
            f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2"/>',
            _text(bar, LABEL + width + 7, y, _figure(_cost(bar))),
        ]
    return parts


def _text(bar: Result, x: float, y: float, text: str, anchor: str = "") -> str:
    weight = ' class="ours"' if _is_ours(bar) else ""
    return f'<text{weight} x="{x:.1f}" y="{y + 13}"{anchor}>{escape(text)}</text>'


def _figure(cost: float) -> str:
    return f"{cost:.2f} µs" if cost < 10 else f"{cost:.0f} µs"


def _cost(result: Result) -> float:
    return result.values["cpu_us"]


def _is_ours(result: Result) -> bool:
    return is_ours(result.subject)
