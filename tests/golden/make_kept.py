"""Make ``tests/golden/kept/NAME``: a bundle, an index and embedded files as today's bindrt writes them.

Run it when a schema changes, with a new name, before the change lands; never write over what is kept
(docs/compatibility.md).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import bindrt  # noqa: E402
from bindrt.index import Index  # noqa: E402
from support.bundles import TINY_CONFIG, export  # noqa: E402
from support.kept import ITEMS  # noqa: E402


def make(folder: Path) -> None:
    folder.mkdir(parents=True)  # fails if it is there
    export("random:7", folder / "bundle", TINY_CONFIG)
    with bindrt.load(folder / "bundle", engine="onnxruntime") as model:
        embeddings = model.embed(**ITEMS)
        np.savez(folder / "vectors.npz", space=model.space, **embeddings)
        for approximate in (False, True):
            index = Index(model.space, model.embed_dim, approximate)
            for modality, rows in embeddings.items():
                index.add(rows, [modality], modality, [{"from": modality}])
            index.save(folder / ("approximate" if approximate else "index"))
    os.chdir(ROOT / "tests" / "golden")
    for suffix in ("parquet", "jsonl", "npz"):
        command = ["bind-embed", str(folder / "bundle"), "inputs/image/tiny.png", "inputs/audio/short_8k.wav"]
        command += ["--text", "a dog", "-o", str(folder / f"embedded.{suffix}")]
        subprocess.run([str(Path(sys.executable).with_name(command[0])), *command[1:]], check=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="the month, for example 2026-11")
    make(ROOT / "tests" / "golden" / "kept" / parser.parse_args().name)
