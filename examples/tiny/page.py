"""The demo's page: every scene in every modality, what each finds, all in one HTML file."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

import bindrt

_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".mp4": "video/mp4", ".wav": "audio/wav"}
_SHOWN = ("image", "video", "text", "audio", "depth", "thermal", "imu")
_STYLE = """
:root { color-scheme: light dark; --good: #2e9e5b; --bad: #c9463d; --line: #8884; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1240px; padding: 0 1rem; }
h1 { margin-bottom: .2rem } p { max-width: 46rem }
table { border-collapse: collapse; margin: 1rem 0 } th, td { padding: .35rem .5rem; vertical-align: middle }
.matrix td { text-align: center; min-width: 3.6rem; color: #fff }
.matrix th { font-weight: 600; text-align: left }
.scenes td { border-top: 1px solid var(--line); width: 150px } .scenes th { text-align: left }
.scenes img, .scenes video, .sums img { width: 140px; border-radius: 4px; display: block; background: #000 }
audio { width: 150px; height: 34px } svg { width: 140px; height: 80px; display: block }
small { display: block; opacity: .85 } .good { color: var(--good) } .bad { color: var(--bad) }
.sums { display: flex; flex-wrap: wrap; gap: 1.2rem }
.sums div { border: 1px solid var(--line); border-radius: 8px;
  padding: .7rem; display: flex; gap: .6rem; align-items: center }
"""


def page(
    files: Sequence[Mapping[str, Path]],
    kinds: Sequence[str],
    found: bindrt.Embeddings,
    shares: Mapping[tuple[str, str], float],
    sums: Sequence[tuple[Path, Path, Path, bool]],
) -> str:
    """The whole page; media are inside it, so that it can be moved or sent."""
    first = [i for i, kind in enumerate(kinds) if kind not in kinds[:i]]
    rows = "".join(scene_row(i, files[i], kinds, found, files) for i in first)
    head = "".join(f"<th>{m}</th>" for m in _SHOWN)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>bind-tiny: six modalities, one space</title><style>{_STYLE}</style>
<h1>bind-tiny: six modalities, one space</h1>
<p>Scenes the model has never seen, as files of every modality. In training, only pictures (or videos) were
ever shown together with another modality: that a sound finds its caption, or a heat picture its motion,
emerged.</p>
<h2>Share of queries whose nearest item, of another scene, is of the same kind</h2>
{matrix(shares)}
<h2>A picture plus a sound</h2>
<p>What the sum of two vectors finds among pictures of every two kinds.</p>
<div class="sums">{"".join(sum_card(*s) for s in sums)}</div>
<h2>One scene of each kind, and the caption each modality finds</h2>
<table class="scenes"><tr>{head}</tr>{rows}</table>
</html>
"""


def matrix(shares: Mapping[tuple[str, str], float]) -> str:
    head = "".join(f"<th>{m}</th>" for m in _SHOWN)
    body = "".join(
        f"<tr><th>{a}</th>"
        + "".join(f'<td style="background:{shade(shares[a, b])}">{shares[a, b]:.0%}</td>' for b in _SHOWN)
        + "</tr>"
        for a in _SHOWN
    )
    return f'<table class="matrix"><tr><th>query \\ found</th>{head}</tr>{body}</table>'


def shade(share: float) -> str:
    return f"hsl({140 * share**2:.0f} 48% 36%)"


def scene_row(
    row: int,
    paths: Mapping[str, Path],
    kinds: Sequence[str],
    found: bindrt.Embeddings,
    files: Sequence[Mapping[str, Path]],
) -> str:
    cells = []
    for modality in _SHOWN:
        cells.append(
            f"<td>{shown(modality, paths[modality])}{nearest(row, modality, kinds, found, files)}</td>"
        )
    return f"<tr>{''.join(cells)}</tr>"


def nearest(
    row: int,
    modality: str,
    kinds: Sequence[str],
    found: bindrt.Embeddings,
    files: Sequence[Mapping[str, Path]],
) -> str:
    """The caption of another scene that this item finds; for the caption itself, the sound it finds."""
    if modality == "text":
        return ""
    cosines = found[modality][row] @ found["text"].T
    cosines[row] = -np.inf
    best = int(cosines.argmax())
    good = "good" if kinds[best] == kinds[row] else "bad"
    text = html.escape(files[best]["text"].read_text("utf-8").strip())
    return f'<small class="{good}">{text} {cosines[best]:.2f}</small>'


def shown(modality: str, path: Path) -> str:
    if modality == "text":
        return f"“{html.escape(path.read_text('utf-8').strip())}”"
    if modality == "imu":
        return motion_plot(path)
    if modality == "video":
        return f'<video src="{inside(path)}" controls loop muted autoplay></video>'
    if modality == "audio":
        return f'<audio src="{inside(path)}" controls></audio>'
    if modality == "depth":
        return f'<img src="{depth_picture(path)}" alt="depth map">'
    return f'<img src="{inside(path)}" alt="{modality}">'


def inside(path: Path) -> str:
    """The file itself as a data address."""
    return f"data:{_TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"


def depth_picture(path: Path) -> str:
    """16-bit millimetres as a grey picture that a screen can show: near is bright."""
    import io

    import PIL.Image

    metres = np.asarray(PIL.Image.open(path)).astype(np.float32) / 1000
    grey = np.where(metres > 0, 255 * (1 - np.clip(metres / 9, 0, 1)), 0).astype(np.uint8)
    out = io.BytesIO()
    PIL.Image.fromarray(grey).save(out, "PNG")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"


def motion_plot(path: Path) -> str:
    """Accelerometer above, gyroscope below, 5 s."""
    with np.load(path) as archive:
        samples = archive["samples"][:, ::4]
    lines = []
    for group, (top, colours) in enumerate(
        ((0, ("#d65f5f", "#6acc64", "#4878d0")), (40, ("#ee854a", "#956cb4", "#8c613c")))
    ):
        part = samples[3 * group : 3 * group + 3]
        reach = float(np.abs(part).max()) or 1.0
        for values, colour in zip(part, colours, strict=True):
            points = " ".join(
                f"{i * 140 / len(values):.1f},{top + 20 - 18 * v / reach:.1f}" for i, v in enumerate(values)
            )
            lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width=".8"/>')
    return f'<svg viewBox="0 0 140 80" role="img" aria-label="motion">{"".join(lines)}</svg>'


def sum_card(picture: Path, sound: Path, hit: Path, right: bool) -> str:
    mark = '<span class="good">✓</span>' if right else '<span class="bad">✗</span>'
    return (
        f'<div><img src="{inside(picture)}" alt=""> + <audio src="{inside(sound)}" controls></audio>'
        f'→ <img src="{inside(hit)}" alt=""> {mark}</div>'
    )
