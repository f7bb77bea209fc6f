"""Makes this folder's inputs, references and manifest from the whole set of reference data.

python tests/golden/make_subset.py ../shared/golden
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

HERE = Path(__file__).resolve().parent
FILES = {
    "image": ["exif_rotated.jpg", "palette.png", "photo.webp", "tiny.png"],
    "audio": ["dc_offset_16k.wav", "short_8k.wav"],
    "video": ["short_1s2.mp4"],
    "depth": ["d2"],
    "thermal": ["t2"],
    "imu": ["s2"],
}
STEPS = {
    "image": [4, 4, 1],
    "audio": [1, 1, 3, 4],
    "video": [1, 1, 1, 2, 2],
    "depth": [1, 3, 3],
    "thermal": [2, 2],
    "imu": [1, 5],
}
RESAMPLED_STEP = 8
SUFFIX = {"depth": ".png", "thermal": ".png", "imu": ".npz"}


def reference(path: Path, modality: str) -> np.ndarray:
    """What the original returned, as one array."""
    if path.suffix == ".png":
        return np.asarray(PIL.Image.open(path))
    loaded = np.load(path)
    return (
        loaded if isinstance(loaded, np.ndarray) else loaded[{"audio": "mel", "video": "sampled"}[modality]]
    )


def copy(whole: Path, modality: str, name: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Copies one input, writes its sampled reference, returns its new entry in the manifest."""
    file = name + SUFFIX.get(modality, "")
    for folder in ("inputs", "ref"):
        (HERE / folder / modality).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(whole / "inputs" / modality / file, HERE / "inputs" / modality / file)
    values = reference(whole / "ref" / entry["ref"], modality)
    steps = STEPS[modality]
    kept = np.ascontiguousarray(values[tuple(slice(None, None, n) for n in steps)])
    extra = {}
    if modality == "audio":
        extra["resampled"] = np.load(whole / "ref" / entry["ref"])["resampled"][::RESAMPLED_STEP]
    np.savez_compressed(HERE / "ref" / modality / f"{name}.npz", values=kept, **extra)
    return {**entry, "ref": f"{modality}/{name}.npz", "steps": steps}


def main(folder: str) -> None:
    """Writes the subset."""
    whole = Path(folder)
    manifest = json.loads((whole / "manifest.json").read_text())
    kept: dict[str, Any] = dict(manifest)  # times and frames of files that are not copied are of use too
    for modality, names in FILES.items():
        for name in names:
            kept[modality][name] = copy(whole, modality, name, manifest[modality][name])
    (HERE / "manifest.json").write_text(json.dumps(kept, indent=1) + "\n")
    (HERE / "ref" / "text").mkdir(exist_ok=True)
    shutil.copyfile(whole / "inputs" / "text.json", HERE / "inputs" / "text.json")
    np.savez_compressed(
        HERE / "ref" / "text" / "tokens.npz", values=np.load(whole / "ref" / "text" / "tokens.npy")
    )


if __name__ == "__main__":
    main(sys.argv[1])
