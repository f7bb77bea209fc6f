"""bind-tiny's world in the layouts of published data sets: a maker each, for the tests of bind-eval."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.datasets import maps, sights, sounds
from support.datasets.made import Made

#: By the data set's name; each writes a small copy into a folder that does not exist yet or is empty.
MAKERS: dict[str, Callable[[Path], Made]] = {
    "esc50": sounds.esc50,
    "audioset": sounds.audioset,
    "vggsound": sounds.vggsound,
    "clotho": sounds.clotho,
    "audiocaps": sounds.audiocaps,
    "sun-rgbd": maps.sun_rgbd,
    "nyu-depth": maps.nyu_depth,
    "llvip": maps.llvip,
    "ego4d": maps.ego4d,
    "imagenet": sights.imagenet,
    "kinetics400": sights.kinetics,
    "places365": sights.places365,
    "msrvtt": sights.msrvtt,
}

__all__ = ["MAKERS", "Made"]
