"""The data sets that ``bind-eval`` knows, a file each."""

from __future__ import annotations

from bindrt.errors import OptionError
from bindrt.evaluation.datasets import (
    audiocaps,
    audioset,
    clotho,
    ego4d,
    esc50,
    imagenet,
    kinetics,
    llvip,
    msrvtt,
    nyu_depth,
    places365,
    sun_rgbd,
    vggsound,
)
from bindrt.evaluation.sets import Dataset

_MODULES = (
    esc50, audioset, vggsound, clotho, audiocaps, sun_rgbd, nyu_depth, llvip, ego4d, imagenet, kinetics,
    places365, msrvtt,
)  # fmt: skip
DATASETS: dict[str, Dataset] = {module.DATASET.name: module.DATASET for module in _MODULES}


def find(name: str) -> Dataset:
    """The data set of a name.

    Raises:
        OptionError: there is none.
    """
    if name not in DATASETS:
        raise OptionError(repr(name[:60]), "there is no such data set", f"one of {', '.join(DATASETS)}")
    return DATASETS[name]
