"""A small line chart as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_COLOURS = ("#4878d0", "#ee854a", "#6acc64", "#d65f5f", "#956cb4")
_WIDTH, _HEIGHT, _LEFT, _TOP = 640, 300, 48, 16
_SMOOTH = 25  # steps


def loss_plot(losses: Mapping[str, Sequence[float]]) -> str:
    """Losses against the share of each run that is done, each point the mean of 25 steps."""
    highest = max(max(values) for values in losses.values())
    inner_w, inner_h = _WIDTH - _LEFT - 130, _HEIGHT - 2 * _TOP - 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="11" fill="#808080">',
        f'<text x="{_LEFT + inner_w / 2}" y="{_HEIGHT - 4}" text-anchor="middle">share of the steps</text>',
    ]
    for tick in range(int(highest) + 1):
        y = _TOP + inner_h * (1 - tick / highest)
        parts.append(f'<path d="M{_LEFT} {y:.1f}h{inner_w}" stroke="#80808040"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick}</text>')
    for i, (name, values) in enumerate(losses.items()):
        smooth = [sum(p) / len(p) for k in range(0, len(values), _SMOOTH) if (p := values[k : k + _SMOOTH])]
        points = " ".join(
            f"{_LEFT + inner_w * (k + 0.5) / len(smooth):.1f},{_TOP + inner_h * (1 - v / highest):.1f}"
            for k, v in enumerate(smooth)
        )
        colour = _COLOURS[i % len(_COLOURS)]
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        x, y = _LEFT + inner_w + 10, _TOP + 14 + 16 * i
        parts.append(f'<text x="{x}" y="{y}" fill="{colour}">{name} {smooth[-1]:.2f}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
