"""The demo's page: every scene in every modality, what each finds, all in one HTML file."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

import bindrt
from tiny.previews import preview
from tiny.sums import Sums

_SHOWN = ("image", "video", "text", "audio", "depth", "thermal", "imu")
_STYLE = """
:root { color-scheme: light dark; --good: #2e9e5b; --bad: #c9463d; --line: #8884; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 1240px; padding: 0 1rem; }
h1 { margin-bottom: .2rem } p { max-width: 46rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; margin: 1rem 0 } th, td { padding: .35rem .5rem; vertical-align: middle }
th { font-weight: 600; text-align: left } td { text-align: center }
.matrix td { min-width: 2.6rem; color: #fff } .plain td, .plain th { border-top: 1px solid var(--line) }
.row { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: .6rem 1rem;
  border-top: 1px solid var(--line); padding: .6rem 0 }
.row b { display: block; font-size: .75rem; opacity: .7 }
img, video { width: 100%; max-width: 160px; border-radius: 4px; display: block; background: #000 }
audio { width: 100%; max-width: 170px; height: 34px } svg { width: 100%; max-width: 160px; display: block }
small { display: block; opacity: .85 } .good { color: var(--good) } .bad { color: var(--bad) }
.sums { display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: 1rem }
.sums div { border: 1px solid var(--line); border-radius: 8px; padding: .7rem;
  display: grid; grid-template-columns: 1fr auto 1fr; gap: .3rem .6rem; align-items: center }
.sums small { grid-column: 1 / -1 }
"""


def page(
    files: Sequence[Mapping[str, Path]],
    kinds: Sequence[str],
    found: bindrt.Embeddings,
    shares: Mapping[tuple[str, str], float],
    sums: Sums,
) -> str:
    """The whole page; small copies of the media are inside it, so that it can be moved or sent."""
    first = [i for i, kind in enumerate(kinds) if kind not in kinds[:i]]
    rows = "".join(scene_row(i, files, kinds, found) for i in first)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>bind-tiny: seven inputs, one space</title><style>{_STYLE}</style>
<h1>bind-tiny: seven inputs, one space</h1>
<p>Scenes the model has never seen, as files of every modality. In training, only pictures (or videos) were
ever shown together with another modality: that a sound finds its caption, or a heat picture its motion,
emerged.</p>
<h2>Share of queries whose nearest item, of another scene, is of the same kind</h2>
<div class="scroll">{matrix(shares)}</div>
<h2>A picture plus a sound</h2>
{about_sums(sums)}
<div class="sums">{"".join(sum_card(*example) for example in sums.examples)}</div>
<h2>One scene of each kind, and the caption each modality finds</h2>
{rows}
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
    row: int, files: Sequence[Mapping[str, Path]], kinds: Sequence[str], found: bindrt.Embeddings
) -> str:
    cells = (
        f"<div><b>{m}</b>{preview(m, files[row][m])}{nearest(row, m, kinds, found, files)}</div>"
        for m in _SHOWN
    )
    return f'<div class="row">{"".join(cells)}</div>'


def nearest(
    row: int,
    modality: str,
    kinds: Sequence[str],
    found: bindrt.Embeddings,
    files: Sequence[Mapping[str, Path]],
) -> str:
    """The caption of another scene that this item finds."""
    if modality == "text":
        return ""
    cosines = found[modality][row] @ found["text"].T
    cosines[row] = -np.inf
    best = int(cosines.argmax())
    good = "good" if kinds[best] == kinds[row] else "bad"
    text = html.escape(files[best]["text"].read_text("utf-8").strip())
    return f'<small class="{good}">{text} {cosines[best]:.2f}</small>'


def about_sums(sums: Sums) -> str:
    """What the sums found of all pairs, and what that means."""
    columns = ("both", "only what was seen", "only what was heard", "neither")
    head = "".join(f"<th>{what}</th>" for what in columns)
    rows = "".join(
        f"<tr><th>{name}</th>{''.join(f'<td>{share:.0%}</td>' for share in found)}</tr>"
        for name, found in sums.shares.items()
    )
    with_one = len(sums.kinds) - 1
    return f"""<p>{sums.pictures} pictures show two events each, every two kinds once. A query is the picture
of one event plus the sound of another. The table says what the nearest picture shows, over {sums.queries}
queries. Who knows one event for certain and nothing of the other finds both by luck: one of the {with_one}
pictures that have it, {1 / with_one:.0%}. The picture or the sound alone comes to about that. What the sum
finds beyond it, it has from both.</p>
<div class="scroll"><table class="plain"><tr><th>query \\ found</th>{head}</tr>{rows}</table></div>
<p>Two sums that find both, and two that do not:</p>"""


def sum_card(seen: Path, heard: Path, hit: Path, said: str, right: bool) -> str:
    kind = "good" if right else "bad"
    return (
        f"<div>{preview('image', seen)}<span>→</span>{preview('image', hit)}{preview('audio', heard)}"
        f'<small class="{kind}">{html.escape(said)}</small></div>'
    )
