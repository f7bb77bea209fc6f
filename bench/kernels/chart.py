"""The chart: how many times faster than the original each case is, on a logarithmic scale."""

from __future__ import annotations

import math
from html import escape
from typing import Any

_LEFT, _RIGHT, _TOP, _ROW, _WIDTH = 290, 270, 74, 26, 1060
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 17px; font-weight: 600; }
.quiet { fill: #59636e; font-size: 12px; }
.grid { stroke: #d1d9e0; }
.one { stroke: #59636e; stroke-width: 1.5; }
.bar { fill: #2f6fd6; }
.other { fill: #ffffff; stroke: #bf5b04; stroke-width: 2; }
.paper { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .quiet { fill: #9198a1; }
  .grid { stroke: #3d444d; }
  .one { stroke: #9198a1; }
  .bar { fill: #4d8ff0; }
  .other { fill: #0d1117; stroke: #f0a040; }
  .paper { fill: #0d1117; }
}
"""


def svg(result: dict[str, Any]) -> str:
    """A chart of all cases that have an original: a bar for bindrt, a ring for the best library."""
    cases = [case for case in result["cases"] if "ratio_to_original" in case]
    groups = [
        (title, [case for case in cases if case["kind"] == kind])
        for kind, title in (("file", "File to tensor"), ("op", "One kernel, from memory"))
    ]
    groups = [(title, found) for title, found in groups if found]
    scale = Scale(cases)
    height = _TOP + sum((len(found) + 2) * _ROW for _, found in groups) + 40
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>bindrt's preprocessing against the original's, {len(cases)} cases</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{height}"/>',
        *_heading(result),
    ]
    y = _TOP
    for title, found in groups:
        y += _ROW
        lines.append(f'<text x="16" y="{y + 2}" style="font-weight:600">{escape(title)}</text>')
        bottom = y + len(found) * _ROW + 12
        lines += scale.grid(y + 8, bottom)
        for case in found:
            y += _ROW
            lines += _bar(case, scale, y)
        y += _ROW
    lines.append("</svg>")
    return "\n".join(lines) + "\n"


class Scale:
    """Ratios to places: logarithmic, wide enough for all bars and rings."""

    def __init__(self, cases: list[dict[str, Any]]) -> None:
        ratios = [1.0, 2.0, *(case["ratio_to_original"] for case in cases)]
        ratios += [_library_ratio(case) or 1.0 for case in cases]
        self.low = min(0.5, min(ratios) * 0.9)
        self.high = max(ratios) * 1.15

    def x(self, ratio: float) -> float:
        share = math.log(ratio / self.low) / math.log(self.high / self.low)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def grid(self, top: float, bottom: float) -> list[str]:
        """A line and a number at each of 0.1, 0.2, 0.5, 1, 2, 5, 10, …"""
        lines = []
        for power in range(-3, 5):
            for digit in (1, 2, 5):
                ratio = digit * 10.0**power
                if self.low <= ratio <= self.high:
                    x, kind = self.x(ratio), "one" if ratio == 1 else "grid"
                    lines.append(f'<line class="{kind}" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>')
                    lines.append(
                        f'<text class="quiet" x="{x}" y="{top - 6}" text-anchor="middle">{ratio:g}×</text>'
                    )
        return lines


def _heading(result: dict[str, Any]) -> list[str]:
    machine = f"{result['machine']['cpu']}, {result['settings']['cpu_level']}"
    return [
        '<text class="title" x="16" y="28">How many times faster than what the original uses</text>',
        f'<text class="quiet" x="16" y="50">{escape(machine)}; one thread unless said; medians of calls '
        "that take turns. Bar: bindrt. Ring: the fastest other library, named on the right.</text>",
    ]


def _library_ratio(case: dict[str, Any]) -> float | None:
    """How many times faster than the original the best library is."""
    if "ratio_to_best_library" not in case:
        return None
    return float(case["ratio_to_original"] / case["ratio_to_best_library"])


def _bar(case: dict[str, Any], scale: Scale, y: float) -> list[str]:
    ratio = case["ratio_to_original"]
    begin, end = sorted((scale.x(1.0), scale.x(ratio)))
    threads = "" if case["threads"] == 1 else f" · {case['threads']} threads"
    lines = [
        f'<text x="{_LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(case["title"] + threads)}</text>',
        f'<rect class="bar" x="{begin}" y="{y - 8}" width="{round(end - begin, 1)}" height="16" rx="2"/>',
    ]
    label_x = max(end, scale.x(1.0))
    other = _library_ratio(case)
    if other is not None:
        x = scale.x(other)
        name = f"{escape(case['best_library'])} {other:.1f}×"
        lines.append(f'<circle class="other" cx="{x}" cy="{y}" r="5"/>')
        lines.append(f'<text class="quiet" x="{_WIDTH - 16}" y="{y + 4}" text-anchor="end">{name}</text>')
        if x + 5 > label_x and x < label_x + 60:
            label_x = x + 5
    lines.append(f'<text x="{label_x + 8}" y="{y + 4}">{ratio:.1f}×</text>')
    return lines
