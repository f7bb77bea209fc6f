"""The chart of ``python -m bench streams``: a panel for each part that was measured."""

from __future__ import annotations

from typing import Any

from bindrt.benchmark import svg

Panel = tuple[svg.Lines, float]
_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 1000, 330, 200, 22, 66
_HEIGHT = 170  # of the panel of memory


def draw(result: dict[str, Any]) -> str:
    """SVG: the parts one below the other."""
    machine = result["machine"]
    lines: svg.Lines = []
    y = float(_TOP)
    for name, panel in PANELS.items():
        if name in result:
            more, height = panel(result[name], y)
            lines += more
            y += height
    where = f"{machine['cpu']}, {machine['cores']:g} cores; load before {machine['load_before']:.1f}"
    return svg.page(_WIDTH, y, "Live streams and long files", "Live streams and long files", where, lines)


def _windows(found: dict[str, Any], y: float) -> Panel:
    rows = [
        (f"{name}, {each['hours']:g} h", each["of_decode_speed"], f"{each['of_decode_speed']:.2f}")
        for name, each in found.items()
    ]
    return _bars("Preparing windows of long files", "its speed as a part of decoding's", rows, 1.0, y)


def _events(found: dict[str, Any], y: float) -> Panel:
    rows = [
        (f"{modality}, {what}", found[modality][what], f"{found[modality][what]:.2f}")
        for modality in ("audio", "imu")
        for what in ("precision", "recall")
    ]
    return _bars("Events found by text", "of 40", rows, 0.9, y)


def _mel(found: dict[str, Any], y: float) -> Panel:
    rows = []
    for each in found["cases"]:
        name = f"{each['rate']} Hz, {each['window']:g} s every {each['hop']:g} s"
        for what, share in (("frames", each["of_frames"]), ("processor time", each["of_processor_time"])):
            rows.append((f"{name}, {what}", share, f"1/{1 / share:.1f}"))
    return _bars("Work of overlapping windows", "of the work without sharing", rows, found["asked"], y)


def _many(found: dict[str, Any], y: float) -> Panel:
    rows = [
        (
            f"{each['imu']} imu, {each['samples']} a push; {each['audio']} audio",
            each["busy"],
            f"{100 * each['busy']:.0f} %, {each['dropped'] + each['refused']} of {each['expected']} dropped",
        )
        for each in found["runs"]
    ]
    return _bars("Many sensors on one core", "the core's busy share", rows, 1.0, y)


def _push(found: dict[str, Any], y: float) -> Panel:
    rows = [
        (_sensor(each), each["p50_us"], each["p99_us"], f"{each['p50_us']:.0f}, {each['p99_us']:.0f}")
        for each in found["sensors"]
    ]
    return _times("push while the model is busy", "µs: half within the bar, 99 % within the line", rows, y)


def _latency(found: dict[str, Any], y: float) -> Panel:
    rows = [
        (_sensor(each), each["p50_ms"], each["p99_ms"], f"{each['p50_ms']:.1f}, {each['p99_ms']:.1f}")
        for each in found["sensors"]
    ]
    return _times(
        "From the last sample to the vector", "ms: half within the bar, 99 % within the line", rows, y
    )


def _start(found: dict[str, Any], y: float) -> Panel:
    rows = [
        (f"{modality}, {name}", 1e3 * each[part]["seconds"], f"{1e3 * each[part]['seconds']:.0f} ms")
        for modality, each in found["modalities"].items()
        for part, name in (("import", "import bindrt"), ("vector", "first vector"))
    ]
    return _bars("From the start of a program", "ms with bind-tiny", rows, 1e3 * found["vector_asked"], y)


def _day(found: dict[str, Any], y: float) -> Panel:
    series = found["memory"]["series"]
    most = 1.25 * max(mib for _, mib in series)
    hours = max(found["simulated_hours"], 1e-9)
    across, bottom = _WIDTH - _LEFT - _RIGHT, y + _HEIGHT - 40
    lines = [svg.heading("A day with clock trouble", "resident MiB over simulated hours", y)]
    for share in (0.0, 0.5, 1.0):
        at = round(bottom - share * (_HEIGHT - 70), 1)
        lines += [
            svg.line(_LEFT, at, _LEFT + across, at),
            svg.text(_LEFT - 8, at + 4, f"{share * most:.0f}", "end"),
            svg.text(_LEFT + share * across, bottom + 18, f"{share * hours:g} h", "middle"),
        ]
    places = " ".join(
        f"{_LEFT + across * hour / hours:.1f},{bottom - (_HEIGHT - 70) * mib / most:.1f}"
        for hour, mib in series
    )
    lines.append(f'<polyline class="line" stroke="#2f6fd6" points="{places}"/>')
    unaccounted = sum(each["unaccounted"] for each in found["sensors"].values())
    expected = sum(each["expected"] for each in found["sensors"].values())
    lines.append(svg.text(_LEFT + across + 8, bottom, f"{expected} windows,"))
    lines.append(svg.text(_LEFT + across + 8, bottom + 16, f"{unaccounted} unaccounted"))
    return lines, _HEIGHT


def _sensor(found: dict[str, Any]) -> str:
    return f"{found['modality']}, {found['piece']}"


def _bars(title: str, quiet: str, rows: list[tuple[str, float, str]], asked: float, y: float) -> Panel:
    """Bars from 0; a line at what is asked."""
    scale = (_WIDTH - _LEFT - _RIGHT) / max(asked, *(value for _, value, _ in rows))
    lines = [svg.heading(title, quiet, y)]
    for number, (name, value, told) in enumerate(rows):
        at = y + 36 + number * _ROW
        lines += [
            svg.text(_LEFT - 8, at + 4, name, "end"),
            svg.bar(_LEFT, at, scale * value, 14),
            svg.text(_LEFT + scale * max(value, asked) + 8, at + 4, told),
        ]
    bottom = y + 36 + len(rows) * _ROW
    lines.append(svg.line(_LEFT + scale * asked, y + 24, _LEFT + scale * asked, bottom - 8, "one"))
    return lines, bottom + 24 - y


def _times(title: str, quiet: str, rows: list[tuple[str, float, float, str]], y: float) -> Panel:
    """Bars to the median, on a logarithmic scale, with a line to the 99th percentile."""
    low, high = min(row[1] for row in rows) / 3, max(row[2] for row in rows)
    axis = svg.LogAxis(low, high, _LEFT, _WIDTH - _RIGHT)
    lines = [svg.heading(title, quiet, y)]
    bottom = y + 36 + len(rows) * _ROW
    for tick in axis.ticks():
        x = axis.at(tick)
        lines += [svg.line(x, y + 24, x, bottom - 8), svg.text(x, bottom + 6, f"{tick:g}", "middle")]
    for number, (name, middle, late, told) in enumerate(rows):
        at = y + 36 + number * _ROW
        lines += [
            svg.text(_LEFT - 8, at + 4, name, "end"),
            svg.bar(_LEFT, at, axis.at(middle) - _LEFT, 14),
            svg.line(axis.at(middle), at, axis.at(late), at, "whisker"),
            svg.text(axis.at(late) + 8, at + 4, told),
        ]
    return lines, bottom + 30 - y


PANELS = {
    "windows": _windows,
    "events": _events,
    "mel": _mel,
    "many": _many,
    "push": _push,
    "latency": _latency,
    "start": _start,
    "day": _day,
}
