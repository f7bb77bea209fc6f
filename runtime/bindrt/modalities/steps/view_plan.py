"""Which views a video has, and which frame's crop belongs where in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bindrt.modalities.modality import number_equal
from bindrt.modalities.steps import constants as c

Write = tuple[int, int, int]  # which crop goes to which view, as which frame of it


@dataclass(frozen=True)
class ViewPlan:
    """The views ``[V, 3, 2, 224, 224]`` of a video's clips.

    Attributes:
        index: which of them each of the video's views is: clip by clip, crops inside a clip.
        views: their number V, at most 15.
        writes: for each frame that is needed, its crops and where they go.
    """

    index: npt.NDArray[np.int64]
    views: int
    writes: dict[int, list[Write]]


def plan_views(
    pairs: Sequence[tuple[int, int]],
    offsets: Sequence[int] | None = None,
    crops: Sequence[int] = range(c.VIDEO_CROPS),
) -> ViewPlan:
    """The views of clips, given the first and the last frame of each.

    Args:
        pairs: the frames of each clip.
        offsets: where the three crops of every frame start: equal views are then made once. By
            default all are made.
        crops: which of a frame's three crops are wanted.
    """
    keys = [
        (clip, crop) if offsets is None else (pair, offsets[crop])
        for clip, pair in enumerate(pairs)
        for crop in crops
    ]
    different, index = number_equal(keys)
    writes: dict[int, list[Write]] = {frame: [] for pair in pairs for frame in pair}
    for view, key in enumerate(different):
        clip, place = divmod(keys.index(key), len(crops))
        for frame_of_view, frame in enumerate(pairs[clip]):
            writes[frame].append((crops[place], view, frame_of_view))
    return ViewPlan(index, len(different), writes)
