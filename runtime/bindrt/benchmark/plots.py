"""The picture of a benchmark: latencies, throughput, and where the time of a request goes; plain SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

WIDTH, LEFT, RIGHT = 1000, 210, 150
ROW = 22
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 17px; font-weight: 600; }
.head { font-weight: 600; }
.quiet { fill: #59636e; font-size: 12px; }
.grid { stroke: #d1d9e0; }
.one { stroke: #59636e; stroke-width: 1.5; }
.paper { fill: #ffffff; }
.line { fill: none; stroke-width: 2; }
.whisker { stroke: #1f2328; stroke-width: 1.5; }
.peer { fill: #9aa4ae; }
.inside { fill: #ffffff; font-size: 11px; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .quiet { fill: #9198a1; }
  .grid { stroke: #3d444d; }
  .one { stroke: #9198a1; }
  .paper { fill: #0d1117; }
  .whisker { stroke: #f0f6fc; }
  .inside { fill: #ffffff; }
}
"""
COLOURS = ("#2f6fd6", "#bf5b04", "#2a8a4a", "#9a4fc4", "#b8324f", "#1f8a99", "#7d6b1d", "#5a6572")
STAGE_COLOURS = {
    "queue": "#9aa4ae", "prepare": "#2a8a4a", "batch": "#b98a1d", "engine": "#2f6fd6", "finish": "#9a4fc4",
}  # fmt: skip
Lines = list[str]


def svg(result: Mapping[str, Any]) -> str:
    """All panels that the result has numbers for, one below the other."""
    y = 70
    body: Lines = []
    for panel in (latency_panel, throughput_panel, sweep_panel, rate_panel, stage_panel):
        lines, height = panel(result, y)
        body += lines
        y += height
    machine = result["machine"]
    where = f"{machine['cpu']}, {machine['cores']:g} cores; load before {machine['load_before']:.1f}"
    what = f"{result['bundle']['name']}, {result['bundle']['precision']}; bindrt {result['bindrt']}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img">',
            f"<title>bind-bench: {escape(result['bundle']['name'])}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{y}"/>',
            f'<text class="title" x="16" y="28">{escape(what)}</text>',
            f'<text class="quiet" x="16" y="48">{escape(where)}</text>',
            *body,
            "</svg>",
            "",
        ]
    )


def latency_panel(result: Mapping[str, Any], y: int) -> tuple[Lines, int]:
    """Share of requests that are slower than a time, both on logarithmic scales: so tails can be seen."""
    entries = [e for e in result["single"] if e["curve"]]
    if not entries:
        return [], 0
    curves = [e["curve"] for e in entries]
    order = list(dict.fromkeys(e["modality"] for e in entries))
    times = [s for points in curves for _, s in points]
    across = Log(min(times) / 1.1, max(times) * 1.1, LEFT, WIDTH - RIGHT)
    height = max(240, ROW * len(curves) + 20)
    least = min(share for points in curves for share, _ in points)
    down = Log(least, 1.0, y + height - 50, y + 30)
    lines = heading("Latency, one request after the other", "share of requests that took longer", y)
    for value in across.ticks():
        x = across.at(value)
        lines += [vertical(x, y + 30, y + height - 50), text(x, y + height - 32, short(value), "middle")]
    for power in range(0, -5, -1):
        if (share := 10.0**power) >= least * 0.99:
            lines += [horizontal(down.at(share)), text(LEFT - 8, down.at(share) + 4, f"{share:.4g}", "end")]
    for i, e in enumerate(entries):
        places = " ".join(f"{across.at(s)},{down.at(share)}" for share, s in e["curve"])
        stroke = f'stroke="{colour(order.index(e["modality"]))}" stroke-dasharray="{dashes(e)}"'
        at = y + 30 + i * ROW
        lines += [
            f'<polyline class="line" {stroke} points="{places}"/>',
            f'<line class="line" {stroke} x1="{WIDTH - 142}" x2="{WIDTH - 118}" y1="{at}" y2="{at}"/>',
            text(WIDTH - 112, at + 4, label(e["case"], e["modality"], e["side"])),
        ]
    return lines, height


def throughput_panel(result: Mapping[str, Any], y: int) -> tuple[Lines, int]:
    """Items a second; the whisker reaches from the slowest run to the fastest."""
    entries = [e for e in result["offline"] if not e.get("swept")]
    rows = []
    for e in entries:
        found = e["items_per_second"]
        name = label(e["case"], e["modality"], e["side"])
        more = f" · bindrt {e['bindrt_faster']['median']:.2f}×" if "bindrt_faster" in e else ""
        rows.append((name, e["side"], found["low"], found["median"], found["high"], more))
    return bars("Throughput, many requests in work", "items a second", rows, y)


def rate_panel(result: Mapping[str, Any], y: int) -> tuple[Lines, int]:
    rows = [
        (
            label(e["case"], e["case"], e["side"]), e["side"], e["rate"], e["rate"], e["rate"],
            f" · 99 % within {1e3 * e['bound']:.4g} ms",
        )
        for e in result["server"] if e["rate"]
    ]  # fmt: skip
    return bars("Server: requests that come by chance", "a second, at most", rows, y)


def bars(
    title: str, unit: str, rows: Sequence[tuple[str, str, float, float, float, str]], y: int
) -> tuple[Lines, int]:
    """Bars from the axis's left end on a logarithmic scale: modalities differ by factors of a hundred."""
    if not rows:
        return [], 0
    across = Log(min(r[2] for r in rows) / 2, max(r[4] for r in rows), LEFT, WIDTH - RIGHT - 80)
    lines = heading(title, f"{unit}; logarithmic", y)
    bottom = y + 40 + ROW * len(rows)
    for value in across.ticks():
        x = across.at(value)
        lines += [vertical(x, y + 26, bottom - 8), text(x, bottom + 6, f"{value:g}", "middle")]
    for i, (name, side, low, middle, high, more) in enumerate(rows):
        at = y + 40 + i * ROW
        end = across.at(middle)
        kind = 'class="peer"' if side != "bindrt" else f'fill="{COLOURS[0]}"'
        lines += [
            text(LEFT - 8, at + 4, name, "end"),
            f'<rect {kind} x="{LEFT}" y="{at - 7}" width="{round(end - LEFT, 1)}" height="14" rx="2"/>',
            f'<line class="whisker" x1="{across.at(low)}" x2="{across.at(high)}" y1="{at}" y2="{at}"/>',
            text(across.at(high) + 8, at + 4, f"{middle:.4g}{more}"),
        ]
    return lines, ROW * len(rows) + 70


def sweep_panel(result: Mapping[str, Any], y: int) -> tuple[Lines, int]:
    """Throughput against the batch limit, a line for each wait; relative to each modality's best."""
    entries = [e for e in result["offline"] if e.get("swept") and e["case"] != "mixed"]
    if not entries:
        return [], 0
    series: dict[tuple[str, int], list[tuple[int, float]]] = {}
    for e in entries:
        series.setdefault((e["modality"], e["wait"]), []).append(
            (e["batch"], e["items_per_second"]["median"])
        )
    best = {m: max(r for (n, _), points in series.items() if n == m for _, r in points) for m, _ in series}
    batches = sorted({e["batch"] for e in entries})
    across = Log(batches[0] / 1.2, batches[-1] * 1.2, LEFT, WIDTH - RIGHT)
    height = max(220, ROW * len(series) + 20)
    lines = heading("Throughput against batch and wait", "share of the modality's best; rows of a batch", y)
    for batch in batches:
        x = across.at(batch)
        lines += [vertical(x, y + 30, y + height - 50), text(x, y + height - 32, str(batch), "middle")]
    place: Callable[[float], float] = lambda share: round(y + height - 50 - share * (height - 80), 1)  # noqa: E731
    for share in (0.0, 0.5, 1.0):
        lines += [horizontal(place(share)), text(LEFT - 8, place(share) + 4, f"{share:.0%}", "end")]
    for i, ((modality, wait), points) in enumerate(series.items()):
        places = " ".join(f"{across.at(b)},{place(r / best[modality])}" for b, r in sorted(points))
        lines.append(f'<polyline class="line" stroke="{colour(i)}" points="{places}"/>')
        lines += key(colour(i), WIDTH - RIGHT + 10, y + 24 + i * ROW, f"{modality}, {wait} µs")
    return lines, height


def stage_panel(result: Mapping[str, Any], y: int) -> tuple[Lines, int]:
    """Flame bars: the mean time of a request alone by stage, as shares of the whole."""
    entries = [e for e in result["single"] if e["stages"] and e["case"] != "mixed"]
    if not entries:
        return [], 0
    lines = heading("Where the time of a request alone goes", "means of the pipeline's stages", y)
    x = float(LEFT)
    for stage, fill in STAGE_COLOURS.items():
        lines += key(fill, x, y + 22, stage)
        x += 90
    for i, entry in enumerate(entries):
        at, x = y + 58 + i * ROW, float(LEFT)
        total = sum(entry["stages"].values())
        lines.append(text(LEFT - 8, at + 4, entry["modality"], "end"))
        for stage, seconds in entry["stages"].items():
            width = round((WIDTH - LEFT - RIGHT) * seconds / total, 1)
            lines.append(
                f'<rect fill="{STAGE_COLOURS[stage]}" x="{round(x, 1)}" y="{at - 9}" '
                f'width="{width}" height="18">'
                f"<title>{stage} {short(seconds)}</title></rect>"
            )
            if width > 60:
                lines.append(
                    f'<text class="inside" x="{round(x + 6, 1)}" y="{at + 4}">{short(seconds)}</text>'
                )
            x += width
        lines.append(text(WIDTH - RIGHT + 8, at + 4, short(total)))
    return lines, 70 + ROW * len(entries)


class Log:
    """A logarithmic axis from ``low`` at one place to ``high`` at another."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high = low, max(high, low * 1.01)
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return round(self._start + share * (self._end - self._start), 1)

    def ticks(self) -> list[float]:
        """1, 2 and 5 times powers of ten; only the powers where there would be too many."""
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for digits in ((1, 2, 5), (1,)):
            found = [d * 10.0**p for p in powers for d in digits if self.low <= d * 10.0**p <= self.high]
            if len(found) <= 8:
                break
        return found


def label(case: str, modality: str, side: str) -> str:
    name = f"mixed: {modality}" if case == "mixed" and modality != "mixed" else modality
    return name if side == "bindrt" else f"{name}, {side}"


def dashes(entry: Mapping[str, Any]) -> str:
    """A modality has one colour: alone drawn through, among others dashed; other sides in other patterns."""
    if entry["side"] != "bindrt":
        return {"loop": "8 3 2 3", "eager": "2 3", "ort": "1 5"}.get(entry["side"], "4 2 1 2")
    return "7 4" if entry["case"] == "mixed" else "none"


def short(seconds: float) -> str:
    """A time in the unit that fits it."""
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1 or unit == "µs":
            break
    return f"{seconds * factor:.3g} {unit}"


def colour(i: int) -> str:
    return COLOURS[i % len(COLOURS)]


def heading(title: str, quiet: str, y: int) -> Lines:
    return [
        f'<text class="head" x="16" y="{y + 12}">{escape(title)}'
        f'<tspan class="quiet" dx="10" style="font-weight:400">{escape(quiet)}</tspan></text>'
    ]


def text(x: float, y: float, content: str, anchor: str = "start") -> str:
    return f'<text class="quiet" x="{x}" y="{y}" text-anchor="{anchor}">{escape(content)}</text>'


def key(fill: str, x: float, y: float, name: str) -> Lines:
    """A coloured square and what it stands for."""
    return [f'<rect fill="{fill}" x="{x}" y="{y}" width="12" height="12"/>', text(x + 18, y + 11, name)]


def vertical(x: float, top: float, bottom: float) -> str:
    return f'<line class="grid" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>'


def horizontal(y: float) -> str:
    return f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
