"""The whole way on a small model: checkpoint → bundle → vectors of one file per modality.

``.venv/bin/python examples/parity.py``, after ``make build``; files named after it are embedded as well. The
model has the original's structure in small sizes and *random* weights: the numbers are right (they are
compared with the original's), but similarities mean nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import numpy as np
from rich.console import Console

import bindrt
from bindrt.preprocess import detect
from tiny.table import new_table

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
OUTPUT = ROOT / "demo-output"
TEXTS: list[str] = json.loads((GOLDEN / "inputs" / "text.json").read_text("utf-8"))
FILES = {
    "image": "image/photo.webp",
    "video": "video/short_1s2.mp4",
    "audio": "audio/short_8k.wav",
    "depth": "depth/d2.png",
    "thermal": "thermal/t2.png",
    "imu": "imu/s2.npz",
}
#: What the original's own float32 noise allows, relative to a vector's length.
TOLERANCE = {"audio": 1e-4, "video": 1e-4}
DEFAULT_TOLERANCE = 3e-5

console = Console(emoji=False)


def main() -> int:
    """Exit code 0 if every vector agrees with the original's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", help="your own images, videos or recordings")
    args = parser.parse_args()
    bundle = export()
    start = perf_counter()
    with bindrt.load(bundle) as model:
        model.warm_up()
        console.print(f"\n[bold]Loaded[/] in {perf_counter() - start:.1f} s: {model!r}", soft_wrap=True)
        files = {modality: GOLDEN / "inputs" / name for modality, name in FILES.items()}
        found = model.embed(**files, text=TEXTS[0])  # type: ignore[arg-type]
        show_times(model, files)
        show_similarities(found)
        ok = show_parity(model, files)
        for name in args.files:
            show_own(model, name, found)
    console.print(
        "\n[bold yellow]These weights are random.[/] The numbers are those of the original code, "
        "but what is near what means nothing.",
        soft_wrap=True,
    )
    return 0 if ok else 1


def export() -> Path:
    """The golden small checkpoint, made whole and exported by the console script."""
    OUTPUT.mkdir(exist_ok=True)
    checkpoint, bundle = OUTPUT / "small.safetensors", OUTPUT / "small.bind"
    if not checkpoint.exists():
        subprocess.run(
            [sys.executable, str(ROOT / "tools" / "small_checkpoint.py"), str(checkpoint)], check=True
        )
    config = GOLDEN / "model" / "small.json"
    command = ["bind-export", str(checkpoint), "-o", str(bundle), "--config", str(config)]
    console.print("[bold]$", " ".join(shorten(word) for word in command), highlight=False, soft_wrap=True)
    subprocess.run([str(Path(sys.executable).parent / command[0]), *command[1:]], check=True)
    return bundle


def shorten(word: str) -> str:
    return word.replace(f"{ROOT}/", "")


def show_times(model: bindrt.Model, files: dict[str, Path]) -> None:
    """Print the times of a second call; the first one loads the tokenizer and the decoders."""
    before = model.stats()
    model.embed(**files, text=TEXTS[0])  # type: ignore[arg-type]
    table = new_table("Time of one item, by stage", "", "views", "prepare", "engine", "pool")
    for modality, after in model.stats().items():
        spent = {name: value - before[modality][name] for name, value in after.items()}
        times = (spent[f"{stage}_seconds"] * 1e3 for stage in ("prepare", "engine", "pool"))
        table.add_row(modality, str(spent["views"]), *(f"{t:.2f} ms" for t in times))
    console.print(table)


def show_similarities(found: bindrt.Embeddings) -> None:
    table = new_table("Cosine similarity (random weights)", "", *found)
    for a in found:
        table.add_row(a, *(f"{found.similarity(a, b)[0, 0]:+.3f}" for b in found))
    console.print(table)


def show_parity(model: bindrt.Model, files: dict[str, Path]) -> bool:
    """Compare with what the original code returned for the same files, texts and weights."""
    golden = np.load(GOLDEN / "model" / "small_embeddings.npz")
    raw = model.embed(**files, text=TEXTS, normalize=False)  # type: ignore[arg-type]
    table = new_table("Parity with the original code", "", "input", "difference", "allowed", "")
    ok = True
    for modality, rows in raw.items():
        name, expected = f"{len(TEXTS)} texts", golden.get("text")
        if modality != "text":
            media = modality in ("image", "video", "audio")
            name = files[modality].name
            expected = golden[f"{modality}|{name if media else files[modality].stem}"].reshape(1, -1)
        gap = float((np.linalg.norm(rows - expected, axis=1) / np.linalg.norm(expected, axis=1)).max())
        allowed = TOLERANCE.get(modality, DEFAULT_TOLERANCE)
        good = gap <= allowed
        ok &= good
        table.add_row(modality, name, f"{gap:.1e}", f"{allowed:.0e}", "[green]ok" if good else "[red]off")
    console.print(table)
    return ok


def show_own(model: bindrt.Model, name: str, found: bindrt.Embeddings) -> None:
    try:
        modality = detect(name)
        if modality is None:
            console.print(f"{name}: none of what can be told by content", highlight=False)
            return
        own = model.embed(**{modality: name})[modality]  # type: ignore[arg-type]
    except bindrt.Error as error:
        console.print(str(error), highlight=False, markup=False)
        return
    near = ", ".join(f"{m} {float(own[0] @ found[m][0]):+.3f}" for m in found)
    console.print(f"{name} ({modality}): {near}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
