"""The chart: how many times faster than eager PyTorch each way is."""

from __future__ import annotations

from html import escape
from typing import Any

from bench.kernels.chart import STYLE

_LEFT, _RIGHT, _TOP, _BAR, _WIDTH = 210, 150, 70, 17, 1000
_KINDS = {"bindrt": "bar", "bindrt-openvino": "bar", "bindrt-int8": "bar"}


def svg(result: dict[str, Any]) -> str:
    """Bars from zero; the line at 1 is eager PyTorch."""
    cases = [case for case in result["cases"] if "eager" in case["ways"]]
    most = max([1.0, *(way["ratio_to_eager"] for case in cases for way in case["ways"].values())])
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    lines: list[str] = []
    y = _TOP
    for case in cases:
        lines.append(f'<text x="16" y="{y + 4}" style="font-weight:600">{escape(title(case))}</text>')
        for name, way in case["ways"].items():
            if name == "eager":
                continue
            length = round(way["ratio_to_eager"] * scale, 1)
            text = f"{way['ratio_to_eager']:.2f}× · {1e3 * way['seconds']:.0f} ms"
            text += f" · {way['share_of_gemm']:.0%} of GEMM"
            lines += [
                f'<text class="quiet" x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{escape(name)}</text>',
                f'<rect class="{_KINDS.get(name, "peer")}" x="{_LEFT}" y="{y - 6}" width="{length}" '
                f'height="12" rx="2"/>',
                f'<text class="quiet" x="{_LEFT + length + 6}" y="{y + 4}">{text}</text>',
            ]
            y += _BAR
        y += _BAR // 2
    one = _LEFT + scale
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y + 10}" role="img">',
        "<title>bindrt's encoders against PyTorch, ONNX Runtime and OpenVINO</title>",
        f"<style>{STYLE}\n.peer {{ fill: #9aa4ae; }}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{y + 10}"/>',
        '<text class="title" x="16" y="28">How many times faster than eager PyTorch</text>',
        f'<text class="quiet" x="16" y="48">{escape(result["machine"]["cpu"])}, '
        f"{result['machine']['cores']:g} cores; float32 where not int8; "
        f"load before {result['machine']['load_before']:.1f}"
        "</text>",
        f'<line class="one" x1="{one}" x2="{one}" y1="{_TOP - 12}" y2="{y}"/>',
    ]
    return "\n".join([*head, *lines, "</svg>"]) + "\n"


def title(case: dict[str, Any]) -> str:
    return f"{case['encoder']}, batch {case['batch']}"
