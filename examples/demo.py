"""bind-tiny on scenes it has never seen: ``make demo``; with your own files: ``make demo ARGS="my.jpg"``.

Renders scenes of each kind of event into files of six modalities, embeds them, prints what matches what
across modalities, and writes ``demo-output/index.html``, a page to look at and listen to.
"""

from __future__ import annotations

import argparse
import os
import sys
from itertools import combinations
from pathlib import Path
from time import perf_counter

import numpy as np
import PIL.Image
from rich.console import Console

import bindrt
from bindrt import modalities
from bindrt.index import Index
from bindrt.preprocess import detect
from tiny.page import page
from tiny.sums import Sums, measure
from tiny.table import new_table
from tiny.world import KINDS, picture, sample, write_files

ROOT = Path(__file__).resolve().parent.parent
MODALITIES = tuple(modalities.MODALITIES)
A_KIND = 3  # scenes of each kind
SEED = 7_000_000  # training counts from 0

console = Console(emoji=False)
Files = list[dict[str, Path]]


def main() -> int:
    """Exit code 0 if sounds, depth, heat and motion find the right text more often than not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", help="your own images, videos or recordings")
    parser.add_argument("--bundle", default="tiny", help="another model of this world")
    parser.add_argument("--output", type=Path, default=Path(os.path.relpath(ROOT / "demo-output")))
    args = parser.parse_args()
    output: Path = args.output
    start = perf_counter()
    console.print(f"Drawing {A_KIND * len(KINDS)} scenes, as files of every modality: some seconds.")
    kinds, files = render(output / "files")
    console.print(f"Drawn in {perf_counter() - start:.1f} s.")
    with bindrt.load(args.bundle) as model:
        model.warm_up()
        console.print(f"[bold]Loaded[/] {model!r}", soft_wrap=True)
        found = model.embed(**items(files))  # type: ignore[arg-type]
        show_times(model)
        shares = matches(found, kinds)
        show_matches(shares)
        sums = show_sums(model, kinds, files, found, output)
        for name in args.files:
            show_own(model, name)
    (output / "index.html").write_text(page(files, kinds, found, shares, sums), "utf-8")
    console.print(f"\nA page to look at and listen to: [bold]{args.output}/index.html[/]", soft_wrap=True)
    return 0 if all(shares[m, "text"] > 0.5 for m in MODALITIES if m != "text") else 1


def render(folder: Path) -> tuple[list[str], Files]:
    """Scenes in the order of kinds, and their files."""
    kinds = [name for name in KINDS for _ in range(A_KIND)]
    scenes = [sample(SEED + i, (kind,), "test") for i, kind in enumerate(kinds)]
    return kinds, [write_files(s, folder, f"{i:02d}-{s.kind}") for i, s in enumerate(scenes)]


def items(files: Files) -> dict[str, list[object]]:
    """What ``embed`` takes: paths, and the captions themselves."""
    given: dict[str, list[object]] = {m: [f[m] for f in files] for m in MODALITIES}
    given["text"] = [f["text"].read_text("utf-8").strip() for f in files]
    return given


def show_times(model: bindrt.Model) -> None:
    table = new_table("Time of one item, by stage", "", "views", "prepare", "engine", "pool")
    for modality, s in model.stats().items():
        times = (1e3 * s[f"{stage}_seconds"] / s["items"] for stage in ("prepare", "engine", "pool"))
        table.add_row(modality, f"{s['views'] / s['items']:g}", *(f"{t:.2f} ms" for t in times))
    console.print(table)


def matches(found: bindrt.Embeddings, kinds: list[str]) -> dict[tuple[str, str], float]:
    """Share of queries whose nearest item of the other modality, from another scene, is of their kind."""
    names = np.array(kinds)
    shares = {}
    for a in MODALITIES:
        for b in MODALITIES:
            cosines = found.similarity(a, b).copy()
            np.fill_diagonal(cosines, -np.inf)
            shares[a, b] = float(np.mean(names[cosines.argmax(axis=1)] == names))
    return shares


def show_matches(shares: dict[tuple[str, str], float]) -> None:
    title = f"The nearest item of another scene is of the same kind (chance {1 / len(KINDS):.0%})"
    table = new_table(title, "query \\ found", *MODALITIES)
    for a in MODALITIES:
        table.add_row(a, *(f"{shares[a, b]:.0%}" for b in MODALITIES))
    console.print(table)
    console.print("Only image (or video) was ever shown together with another modality; the rest emerged.")


def show_sums(
    model: bindrt.Model, kinds: list[str], files: Files, found: bindrt.Embeddings, output: Path
) -> Sums:
    """Picture + sound → the nearest picture of two events."""
    pairs = list(combinations(KINDS, 2))
    console.print(f"Drawing {len(pairs)} pictures of two events.")
    (output / "pairs").mkdir(parents=True, exist_ok=True)
    paths = [output / "pairs" / f"{i:02d}-{'-'.join(pair)}.jpg" for i, pair in enumerate(pairs)]
    for i, (path, pair) in enumerate(zip(paths, pairs, strict=True)):
        PIL.Image.fromarray(picture(sample(2 * SEED + i, pair, "test"))).save(path, quality=92)
    sums = measure(kinds, files, found, paths, model.embed(image=paths).image)
    columns = ("", "both", "only seen", "only heard", "neither")
    table = new_table(f"What the nearest of {len(pairs)} pictures of two events shows", *columns)
    for way, shares in sums.shares.items():
        table.add_row(way, *(f"{share:.0%}" for share in shares))
    console.print(table)
    for *_, said, right in sums.examples:
        console.print(f"{said} {'✓' if right else '✗'}")
    return sums


def show_own(model: bindrt.Model, name: str) -> None:
    """The captions nearest to a file of the user's."""
    try:
        modality = detect(name)
        if modality is None:
            console.print(f"{name}: none of what can be told by content", highlight=False)
            return
        own = model.embed(**{modality: name})  # type: ignore[arg-type]
    except bindrt.Error as error:
        console.print(str(error), highlight=False, markup=False)
        return
    index = Index.of(model)
    texts = [f"a {k.names[0]} {k.doings[0]}" for k in KINDS.values()]
    index.add(model.embed(text=texts), texts)
    near = ", ".join(f"{hit.id} {hit.score:+.2f}" for hit in index.search(own, 3)[0])
    console.print(f"{name} ({modality}): {near}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
