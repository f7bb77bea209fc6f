"""The chart: items a second by cores for each case, threads and processes, and what is predicted."""

from __future__ import annotations

import statistics
from typing import Any

from bench.cores.run import PREDICTED
from bindrt.benchmark import svg

_WIDTH, _COLUMNS, _TOP, _HEIGHT = 1000, 2, 66, 240
_WAYS = (
    ("processes", "#9aa4ae", ""),
    ("threads", "#2f6fd6", ""),
    ("predicted for threads", "#2f6fd6", "5 4"),
    ("predicted for submit", "#bf5b04", "5 4"),
)
Points = list[tuple[float, float]]


def draw(result: dict[str, Any]) -> str:
    """SVG, both axes logarithmic: a panel a case."""
    machine, cases = result["machine"], result["cases"]
    lines: list[str] = []
    for number, (name, colour, dashes) in enumerate(_WAYS):
        x = 16 + number * 200
        stroke = f'stroke="{colour}" stroke-dasharray="{dashes}"'
        lines += [svg.line(x, _TOP, x + 28, _TOP, "line", stroke), svg.text(x + 34, _TOP + 4, name)]
    width = _WIDTH / _COLUMNS
    for number, case in enumerate(cases):
        left, top = number % _COLUMNS * width, _TOP + 14 + number // _COLUMNS * _HEIGHT
        lines += panel(case, left, top, width)
    rows = -(-len(cases) // _COLUMNS)
    return svg.page(
        _WIDTH,
        _TOP + 14 + rows * _HEIGHT + 10,
        "Items a second by cores",
        "Preparing items: threads of one process beside as many processes",
        f"{machine['cpu']}, {machine['cores']:g} cores; logarithmic; predicted by Amdahl's law from the time "
        "that an item holds the lock",
        lines,
    )


def curves(case: dict[str, Any]) -> list[Points]:
    """By way: cores and items a second."""
    measured = [
        [(float(n), statistics.median(rates)) for n, rates in case[way].items()]
        for way in ("processes", "threads")
    ]
    predicted = []
    for way in ("prepare", "submit"):
        found = case["predicted"].get(way, {})
        predicted.append([(float(n), found[str(n)]["rate"]) for n in PREDICTED if found])
    return [*measured, *predicted]


def panel(case: dict[str, Any], left: float, top: float, width: float) -> list[str]:
    found = curves(case)
    counts, rates = zip(*(point for points in found for point in points), strict=True)
    across = svg.LogAxis(1, max(counts), left + 70, left + width - 30)
    up = svg.LogAxis(min(rates) / 1.2, max(rates) * 1.2, top + _HEIGHT - 40, top + 30)
    lines = [f'<text class="head" x="{left + 16}" y="{top + 18}">{case["case"]}</text>']
    for rate in up.ticks(6):
        y = up.at(rate)
        lines += [
            svg.line(left + 70, y, left + width - 30, y),
            svg.text(left + 62, y + 4, f"{rate:,.0f}".replace(",", " "), "end"),
        ]
    for count in sorted(set(counts)):
        lines.append(svg.text(across.at(count), top + _HEIGHT - 22, f"{count:g}", "middle"))
    for (_, colour, dashes), points in zip(_WAYS, found, strict=True):
        places = " ".join(f"{across.at(count)},{up.at(rate)}" for count, rate in points)
        stroke = f'stroke="{colour}" stroke-dasharray="{dashes}"'
        lines.append(f'<polyline class="line" {stroke} points="{places}"/>')
    return lines
