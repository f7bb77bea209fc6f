"""The chart of a ``bind-bench`` result: latencies, throughput, and where the time of a request goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bindrt.benchmark.comparison import BINDRT
from bindrt.benchmark.svg import Lines, LogAxis, bar, heading, legend, line, page, text
from bindrt.benchmark.timing import duration

WIDTH, LEFT, RIGHT = 1000, 210, 150
ROW = 22
COLOURS = ("#2f6fd6", "#bf5b04", "#2a8a4a", "#9a4fc4", "#b8324f", "#1f8a99", "#7d6b1d", "#5a6572")
STAGE_COLOURS = {
    "queue": "#9aa4ae", "prepare": "#2a8a4a", "batch": "#b98a1d", "engine": "#2f6fd6", "finish": "#9a4fc4",
}  # fmt: skip


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
    return page(WIDTH, y, f"bind-bench: {result['bundle']['name']}", what, where, body)


def latency_panel(result: Mapping[str, Any], y: int) -> tuple[Lines, int]:
    """The share of requests that took longer than a time; both scales are logarithmic, to show the tails."""
    entries = [e for e in result["single"] if e["curve"]]
    if not entries:
        return [], 0
    curves = [e["curve"] for e in entries]
    order = list(dict.fromkeys(e["modality"] for e in entries))
    times = [s for points in curves for _, s in points]
    across = LogAxis(min(times) / 1.1, max(times) * 1.1, LEFT, WIDTH - RIGHT)
    height = max(240, ROW * len(curves) + 20)
    least = min(share for points in curves for share, _ in points)
    down = LogAxis(least, 1.0, y + height - 50, y + 30)
    lines = [heading("Latency, one request after the other", "share of requests that took longer", y)]
    for value in across.ticks():
        x = across.at(value)
        lines += [line(x, y + 30, x, y + height - 50), text(x, y + height - 32, duration(value), "middle")]
    for power in range(0, -5, -1):
        if (share := 10.0**power) >= least * 0.99:
            lines += row_line(down.at(share), f"{share:.4g}")
    for i, e in enumerate(entries):
        places = " ".join(f"{across.at(s)},{down.at(share)}" for share, s in e["curve"])
        stroke = f'stroke="{colour(order.index(e["modality"]))}" stroke-dasharray="{dashes(e)}"'
        at = y + 30 + i * ROW
        lines += [
            f'<polyline class="line" {stroke} points="{places}"/>',
            line(WIDTH - 142, at, WIDTH - 118, at, "line", stroke),
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
    return bars("Server: requests at random times", "a second, at most", rows, y)


def bars(
    title: str, unit: str, rows: Sequence[tuple[str, str, float, float, float, str]], y: int
) -> tuple[Lines, int]:
    """Bars from the axis's left end on a logarithmic scale: modalities differ by factors of a hundred."""
    if not rows:
        return [], 0
    across = LogAxis(min(r[2] for r in rows) / 2, max(r[4] for r in rows), LEFT, WIDTH - RIGHT - 80)
    lines = [heading(title, f"{unit}; logarithmic", y)]
    bottom = y + 40 + ROW * len(rows)
    for value in across.ticks():
        x = across.at(value)
        lines += [line(x, y + 26, x, bottom - 8), text(x, bottom + 6, f"{value:g}", "middle")]
    for i, (name, side, low, middle, high, more) in enumerate(rows):
        at = y + 40 + i * ROW
        lines += [
            text(LEFT - 8, at + 4, name, "end"),
            bar(LEFT, at, across.at(middle) - LEFT, 14, "bar" if side == BINDRT else "peer"),
            line(across.at(low), at, across.at(high), at, "whisker"),
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
    across = LogAxis(batches[0] / 1.2, batches[-1] * 1.2, LEFT, WIDTH - RIGHT)
    height = max(220, ROW * len(series) + 20)
    lines = [heading("Throughput against batch and wait", "share of the modality's best; rows of a batch", y)]
    for batch in batches:
        x = across.at(batch)
        lines += [line(x, y + 30, x, y + height - 50), text(x, y + height - 32, str(batch), "middle")]
    place: Callable[[float], float] = lambda share: round(y + height - 50 - share * (height - 80), 1)  # noqa: E731
    for share in (0.0, 0.5, 1.0):
        lines += row_line(place(share), f"{share:.0%}")
    for i, ((modality, wait), points) in enumerate(series.items()):
        places = " ".join(f"{across.at(b)},{place(r / best[modality])}" for b, r in sorted(points))
        lines.append(f'<polyline class="line" stroke="{colour(i)}" points="{places}"/>')
        lines += legend(colour(i), WIDTH - RIGHT + 10, y + 24 + i * ROW, f"{modality}, {wait} µs")
    return lines, height


def stage_panel(result: Mapping[str, Any], y: int) -> tuple[Lines, int]:
    """Flame bars: the mean time of a request alone by stage, as shares of the whole."""
    entries = [e for e in result["single"] if e["stages"] and e["case"] != "mixed"]
    if not entries:
        return [], 0
    lines = [heading("Where the time of a request alone goes", "means of the pipeline's stages", y)]
    x = float(LEFT)
    for stage, fill in STAGE_COLOURS.items():
        lines += legend(fill, x, y + 22, stage)
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
                f"<title>{stage} {duration(seconds)}</title></rect>"
            )
            if width > 60:
                lines.append(
                    f'<text class="inside" x="{round(x + 6, 1)}" y="{at + 4}">{duration(seconds)}</text>'
                )
            x += width
        lines.append(text(WIDTH - RIGHT + 8, at + 4, duration(total)))
    return lines, 70 + ROW * len(entries)


def row_line(y: float, value: str) -> Lines:
    """A line across the panel, with its value on the left."""
    return [line(LEFT, y, WIDTH - RIGHT, y), text(LEFT - 8, y + 4, value, "end")]


def label(case: str, modality: str, side: str) -> str:
    name = f"mixed: {modality}" if case == "mixed" and modality != "mixed" else modality
    return name if side == BINDRT else f"{name}, {side}"


def dashes(entry: Mapping[str, Any]) -> str:
    """A modality has one colour: solid alone, dashed in a mixture; other sides have other patterns."""
    if entry["side"] != BINDRT:
        return {"loop": "8 3 2 3", "eager": "2 3", "ort": "1 5"}.get(entry["side"], "4 2 1 2")
    return "7 4" if entry["case"] == "mixed" else "none"


def colour(i: int) -> str:
    return COLOURS[i % len(COLOURS)]
