"""The chart: how many times faster than eager PyTorch each way is."""

from __future__ import annotations

from typing import Any

from bindrt.benchmark import svg

_LEFT, _RIGHT, _TOP, _ROW, _WIDTH = 210, 150, 70, 17, 1000


def draw(result: dict[str, Any]) -> str:
    """SVG: bars from zero; the line at 1 is eager PyTorch."""
    cases = [case for case in result["cases"] if "eager" in case["ways"]]
    most = max([1.0, *(way["ratio_to_eager"] for case in cases for way in case["ways"].values())])
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    lines: list[str] = []
    y = _TOP
    for case in cases:
        lines.append(svg.text(16, y + 4, title(case), kind="head"))
        for name, way in case["ways"].items():
            if name == "eager":
                continue
            length = round(way["ratio_to_eager"] * scale, 1)
            numbers = f"{way['ratio_to_eager']:.2f}× · {1e3 * way['seconds']:.0f} ms"
            lines += [
                svg.text(_LEFT - 8, y + 4, name, "end"),
                svg.bar(_LEFT, y, length, 12, "bar" if name.startswith("bindrt") else "peer"),
                svg.text(_LEFT + length + 6, y + 4, f"{numbers} · {way['share_of_gemm']:.0%} of GEMM"),
            ]
            y += _ROW
        y += _ROW // 2
    one = _LEFT + scale
    machine = result["machine"]
    return svg.page(
        _WIDTH,
        y + 10,
        "bindrt's encoders against PyTorch, ONNX Runtime and OpenVINO",
        "How many times faster than eager PyTorch",
        f"{machine['cpu']}, {machine['cores']:g} cores; float32 where not int8; "
        f"load before {machine['load_before']:.1f}",
        [svg.line(one, _TOP - 12, one, y, "one"), *lines],
    )


def title(case: dict[str, Any]) -> str:
    return f"{case['encoder']}, batch {case['batch']}"
