"""The chart: how many times faster than the original each case is, on a logarithmic scale."""

from __future__ import annotations

from typing import Any

from bindrt.benchmark import svg

_LEFT, _RIGHT, _TOP, _ROW, _WIDTH = 290, 270, 74, 26, 1060
_KINDS = (("file", "File to tensor"), ("op", "One kernel, from memory"))


def draw(result: dict[str, Any]) -> str:
    """SVG of all cases that have an original: a bar for bindrt, a ring for the best library."""
    cases = [case for case in result["cases"] if "ratio_to_original" in case]
    groups = [(title, [case for case in cases if case["kind"] == kind]) for kind, title in _KINDS]
    axis = axis_of(cases)
    lines: list[str] = []
    y = _TOP
    for title, found in groups:
        if not found:
            continue
        y += _ROW
        lines.append(svg.text(16, y + 2, title, kind="head"))
        lines += grid(axis, y + 8, y + len(found) * _ROW + 12)
        for case in found:
            y += _ROW
            lines += row(case, axis, y)
        y += _ROW
    return svg.page(
        _WIDTH,
        y + 40,
        f"bindrt's preprocessing against the original's, {len(cases)} cases",
        "How many times faster than what the original uses",
        f"{result['machine']['cpu']}, {result['settings']['cpu_level']}; one thread unless said; medians of "
        "calls that take turns. Bar: bindrt. Ring: the fastest other library, named on the right.",
        lines,
    )


def axis_of(cases: list[dict[str, Any]]) -> svg.LogAxis:
    """Wide enough for all bars and rings, and for 1."""
    ratios = [1.0, 2.0, *(case["ratio_to_original"] for case in cases)]
    ratios += [library_ratio(case) or 1.0 for case in cases]
    return svg.LogAxis(min(0.5, min(ratios) * 0.9), max(ratios) * 1.15, _LEFT, _WIDTH - _RIGHT)


def grid(axis: svg.LogAxis, top: float, bottom: float) -> list[str]:
    """A line and a number at each of 0.1, 0.2, 0.5, 1, 2, 5, 10, …"""
    lines = []
    for ratio in axis.ticks(most=24):
        x = axis.at(ratio)
        lines.append(svg.line(x, top, x, bottom, "one" if ratio == 1 else "grid"))
        lines.append(svg.text(x, top - 6, f"{ratio:g}×", "middle"))
    return lines


def library_ratio(case: dict[str, Any]) -> float | None:
    """How many times faster than the original the best library is."""
    if "ratio_to_best_library" not in case:
        return None
    return float(case["ratio_to_original"] / case["ratio_to_best_library"])


def row(case: dict[str, Any], axis: svg.LogAxis, y: float) -> list[str]:
    ratio = case["ratio_to_original"]
    begin, end = sorted((axis.at(1.0), axis.at(ratio)))
    threads = "" if case["threads"] == 1 else f" · {case['threads']} threads"
    lines = [
        svg.text(_LEFT - 12, y + 4, case["title"] + threads, "end", "label"),
        svg.bar(begin, y, end - begin, 16),
    ]
    label_x = end
    other = library_ratio(case)
    if other is not None:
        x = axis.at(other)
        lines.append(f'<circle class="other" cx="{x}" cy="{y}" r="5"/>')
        lines.append(svg.text(_WIDTH - 16, y + 4, f"{case['best_library']} {other:.1f}×", "end"))
        if label_x - 5 < x < label_x + 60:  # the ring would hide the number
            label_x = x + 5
    lines.append(svg.text(label_x + 8, y + 4, f"{ratio:.1f}×", kind="label"))
    return lines
