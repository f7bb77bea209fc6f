"""The chart: how many times faster than eager PyTorch in float32 each way is, and where the limit lies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.engines.ways import PRECISIONS
from bindrt.benchmark import svg

_LEFT, _RIGHT, _TOP, _ROW, _WIDTH = 260, 210, 70, 17, 1000


def draw(result: dict[str, Any]) -> str:
    """SVG: bars from zero on a logarithmic axis; the line at 1 is eager PyTorch."""
    cases = [case for case in result["cases"] if "eager" in case["ways"]]
    bars = [bar for case in cases for bar in bars_of(case)]
    axis = svg.LogAxis(0.25, max([1.0, *(ratio for _, ratio, _, _ in bars)]), _LEFT, _WIDTH - _RIGHT)
    lines: list[str] = []
    y = _TOP
    for case in cases:
        lines.append(svg.text(16, y + 4, title(case), kind="head"))
        y += _ROW
        for name, ratio, note, kind in bars_of(case):
            end = axis.at(ratio)
            lines += [
                svg.text(_LEFT - 8, y + 4, name, "end"),
                svg.bar(_LEFT, y, end - _LEFT, 12, kind),
                svg.text(end + 6, y + 4, f"{ratio:.2f}× · {note}"),
            ]
            y += _ROW
        y += _ROW // 2
    one = axis.at(1.0)
    machine = result["machine"]
    return svg.page(
        _WIDTH,
        y + 10,
        "bindrt's encoders against PyTorch, ONNX Runtime and OpenVINO in float32, bf16 and int8",
        "How many times faster than eager PyTorch in float32",
        f"{machine['cpu']}, {machine['cores']:g} cores; logarithmic; in outline the limit of the processor; "
        f"load before {machine['load_before']:.1f}",
        [svg.line(one, _TOP - 12, one, y, "one"), *lines],
    )


def bars_of(case: dict[str, Any]) -> Iterator[tuple[str, float, str, str]]:
    """Name, times as fast as eager, a note, and the class of the bar; after each precision its limit."""
    eager = case["ways"]["eager"]["seconds"]
    for precision in PRECISIONS:
        for name, way in case["ways"].items():
            if way["precision"] == precision and name != "eager":
                share = f", {way['share_of_limit']:.0%} of the limit" if "share_of_limit" in way else ""
                kind = "bar" if name.startswith("bindrt") else "peer"
                yield name, way["ratio_to_eager"], f"{1e3 * way['seconds']:.0f} ms{share}", kind
        if precision in case["limits"]:
            limit = case["limits"][precision]
            yield f"limit {precision}", eager / limit["seconds"], limit["by"], "other"


def title(case: dict[str, Any]) -> str:
    return f"{case['encoder']}, batch {case['batch']}"
