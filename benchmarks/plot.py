"""Plot the delays of events: the share of streams that have an event, over time on a logarithmic scale."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

Histogram = Sequence[tuple[float, int]]
"""Pairs of milliseconds and a count, ascending."""

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 380, 56, 170, 44, 46
COLOURS: Final = ("#2563eb", "#6b7280", "#d97706", "#dc2626", "#059669")
POINTS: Final = 200
STYLE: Final = """\
text { font: 13px system-ui, sans-serif; fill: #374151 }
.title { font-size: 15px; font-weight: 600; fill: #111827 }
.grid { stroke: #e5e7eb }
.line { fill: none; stroke-width: 2.5; stroke-linejoin: round }
.back { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #d1d5db } .title { fill: #f9fafb } .grid { stroke: #374151 } .back { fill: #111827 }
}"""


def plot(title: str, distributions: Mapping[str, Histogram]) -> str:
    """Return an SVG document."""
    slowest = max(histogram[-1][0] for histogram in distributions.values())
    fastest = min(histogram[0][0] for histogram in distributions.values())
    low, high = math.floor(math.log10(max(fastest, 0.1))), math.ceil(math.log10(slowest))

    def x(ms: float) -> float:
        part = (math.log10(max(ms, 10.0**low)) - low) / (high - low)
        return round(LEFT + part * (WIDTH - LEFT - RIGHT), 1)

    def y(part: float) -> float:
        return round(HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM), 1)

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg"',
        f' viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">',
        f"<style>{STYLE}</style>",
        f'<rect class="back" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="title" x="{LEFT}" y="24">{title}</text>',
    ]
    for percent in (0, 25, 50, 75, 100):
        at = y(percent / 100)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4}" text-anchor="end">{percent} %</text>')
    for power in range(low, high + 1):
        at = x(10.0**power)
        parts.append(f'<line class="grid" x1="{at}" x2="{at}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        label = f"{10**power:g} ms" if power < 3 else f"{10 ** (power - 3):g} s"
        parts.append(f'<text x="{at}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{label}</text>')
    for number, (name, histogram) in enumerate(distributions.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(f"{x(ms)},{y(part)}" for ms, part in _cumulative(histogram))
        parts.append(f'<polyline class="line" stroke="{colour}" points="{points}"/>')
        at = TOP + 14 + 22 * number
        parts.append(
            f'<rect x="{WIDTH - RIGHT + 14}" y="{at - 9}" width="16" height="4" rx="2" fill="{colour}"/>'
        )
        parts.append(f'<text x="{WIDTH - RIGHT + 38}" y="{at - 2}">{name}</text>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _cumulative(histogram: Histogram) -> list[tuple[float, float]]:
    """Return enough points for a smooth line."""
    total = sum(count for _, count in histogram)
    points, seen, shown = [(histogram[0][0], 0.0)], 0, 0.0
    for ms, count in histogram:
        seen += count
        if seen / total >= shown + 1 / POINTS or seen == total:
            shown = seen / total
            points.append((ms, shown))
    return points
