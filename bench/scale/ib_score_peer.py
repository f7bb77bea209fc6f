"""IB-Score without bindrt: ``python -m bench.scale.ib_score_peer BUNDLE VIDEOS SOUNDS``; prints JSON.

As its definition's own tool does it: a torch DataLoader prepares each folder's files, and the eager model, of
the bundle's size, computes batches of them; the score is the mean cosine of the pairs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.scale.peer_job import Model, preparing

BATCHES = {"video": 4, "audio": 32}


class Files:
    """The views of each file, as a DataLoader asks for them."""

    def __init__(self, modality: str, paths: Sequence[str]) -> None:
        self._modality, self._paths = modality, paths
        self._prepare: Any = None  # made in each process

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, number: int) -> npt.NDArray[np.generic]:
        if self._prepare is None:
            self._prepare = preparing(self._modality)
        views: npt.NDArray[np.generic] = self._prepare(self._paths[number])
        return views


def vectors(bundle: str, modality: str, folder: str) -> npt.NDArray[np.float32]:
    """Unit vectors of a folder's files, by name."""
    import torch

    paths = [str(path) for path in sorted(Path(folder).iterdir())]
    loader = torch.utils.data.DataLoader(
        Files(modality, paths),  # type: ignore[arg-type]
        batch_size=BATCHES[modality],
        num_workers=os.cpu_count() or 1,
        collate_fn=np.stack,
    )
    model = Model(bundle, modality)
    return np.concatenate([model.vectors(views) for views in loader])


def main(bundle: str, videos: str, sounds: str) -> None:
    seen, heard = (vectors(bundle, *each) for each in (("video", videos), ("audio", sounds)))
    print(json.dumps({"value": float((seen.astype(np.float64) * heard).sum(axis=1).mean())}))


if __name__ == "__main__":
    main(*sys.argv[1:])
