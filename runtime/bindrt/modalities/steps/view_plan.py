"""Which views a video has, and which frame's crop belongs where in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bindrt.modalities.steps import constants as c

Place = tuple[int, int, int]  # crop, view, frame of the view


@dataclass(frozen=True)
class ViewPlan:
    """The views ``[V, 3, 2, 224, 224]`` of a video's clips.

    Attributes:
        index: which of them each of the 15 is: clip by clip, crops inside a clip.
        views: their number V, at most 15.
        places: of each frame that is needed, its crops and where they go.
    """

    index: npt.NDArray[np.int64]
    views: int
    places: dict[int, list[Place]]


def plan_views(pairs: Sequence[tuple[int, int]], offsets: Sequence[int] | None = None) -> ViewPlan:
    """The views of clips, given the first and the last frame of each.

    Args:
        pairs: the frames of each clip.
        offsets: where the three crops of every frame start: equal views are then made once. By
            default all are made.
    """
    keys: dict[object, int] = {}  # what makes a view, to its number
    index: list[int] = []
    places: dict[int, list[Place]] = {frame: [] for pair in pairs for frame in pair}
    for clip, pair in enumerate(pairs):
        for crop in range(c.VIDEO_CROPS):
            key = (clip, crop) if offsets is None else (pair, offsets[crop])
            if key not in keys:
                keys[key] = len(keys)
                for place, frame in enumerate(pair):
                    places[frame].append((crop, keys[key], place))
            index.append(keys[key])
    return ViewPlan(np.array(index, np.int64), len(keys), places)
