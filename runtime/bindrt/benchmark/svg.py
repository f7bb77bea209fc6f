"""What the charts of benchmarks are drawn with: a page of SVG, its style, text, lines, a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

Lines = list[str]
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 17px; font-weight: 600; }
.head { font-weight: 600; }
.quiet { fill: #59636e; font-size: 12px; }
.grid { stroke: #d1d9e0; }
.one { stroke: #59636e; stroke-width: 1.5; }
.paper { fill: #ffffff; }
.bar { fill: #2f6fd6; }
.peer { fill: #9aa4ae; }
.other { fill: #ffffff; stroke: #bf5b04; stroke-width: 2; }
.line { fill: none; stroke-width: 2; }
.whisker { stroke: #1f2328; stroke-width: 1.5; }
.inside { fill: #ffffff; font-size: 11px; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .quiet { fill: #9198a1; }
  .grid { stroke: #3d444d; }
  .one { stroke: #9198a1; }
  .paper { fill: #0d1117; }
  .bar { fill: #4d8ff0; }
  .other { fill: #0d1117; stroke: #f0a040; }
  .whisker { stroke: #f0f6fc; }
  .inside { fill: #ffffff; }
}
"""


def page(width: float, height: float, label: str, title: str, subtitle: str, body: Sequence[str]) -> str:
    """A whole chart.

    Args:
        label: what a screen reader says.
        title, subtitle: the two lines at the top, above y = 60.
        body: the elements below them.
    """
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            f"<title>{escape(label)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{width}" height="{height}"/>',
            f'<text class="title" x="16" y="28">{escape(title)}</text>',
            f'<text class="quiet" x="16" y="48">{escape(subtitle)}</text>',
            *body,
            "</svg>",
            "",
        ]
    )


class LogAxis:
    """A logarithmic axis from the value ``low`` at the position ``start`` to ``high`` at ``end``."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high = low, max(high, low * 1.01)
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        """The position of a value; of one below ``low``, the start."""
        share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return round(self._start + share * (self._end - self._start), 1)

    def ticks(self, most: int = 8) -> list[float]:
        """1, 2 and 5 times powers of ten; only the powers where there would be more than ``most``."""
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for digits in ((1, 2, 5), (1,)):
            found = [d * 10.0**p for p in powers for d in digits if self.low <= d * 10.0**p <= self.high]
            if len(found) <= most:
                break
        return found


def text(x: float, y: float, content: str, anchor: str = "start", kind: str = "quiet") -> str:
    """A line of text; ``anchor`` is ``start``, ``middle`` or ``end``, ``kind`` a class of the style."""
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(content)}</text>'


def bar(x: float, y: float, width: float, height: float, kind: str = "bar") -> str:
    """A bar whose middle line is at ``y``."""
    return (
        f'<rect class="{kind}" x="{x}" y="{y - height / 2:g}" width="{round(width, 1)}" height="{height:g}" '
        'rx="2"/>'
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "grid", stroke: str = "") -> str:
    """A straight line; ``stroke`` is further attributes, such as its colour."""
    return f'<line class="{kind}" {stroke} x1="{x1}" x2="{x2}" y1="{y1}" y2="{y2}"/>'


def heading(title: str, quiet: str, y: float) -> str:
    """The heading of a panel, and in quieter letters what its numbers are."""
    return (
        f'<text class="head" x="16" y="{y + 12}">{escape(title)}'
        f'<tspan class="quiet" dx="10" style="font-weight:400">{escape(quiet)}</tspan></text>'
    )


def legend(fill: str, x: float, y: float, name: str) -> Lines:
    """A coloured square and what it stands for."""
    return [f'<rect fill="{fill}" x="{x}" y="{y}" width="12" height="12"/>', text(x + 18, y + 11, name)]
