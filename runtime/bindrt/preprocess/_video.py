"""Video: a file or frames to ``[15, 3, 2, 224, 224]``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from bindrt import arrays
from bindrt.arrays import Array
from bindrt.errors import InputError, SourceError
from bindrt.items import Prepared, Video
from bindrt.limits import Limits
from bindrt.preprocess import constants as c
from bindrt.preprocess.clips import frame_pairs
from bindrt.preprocess.numeric import is_positive
from bindrt.preprocess.pixels import normalise_floats
from bindrt.preprocess.resize import three_crops
from bindrt.sources import is_file_source, open_source
from bindrt.sources import video as files
from bindrt.sources.audio import check_seconds
from bindrt.sources.image import check_pixels


class _Frames(Protocol):
    """Pictures in order: their number, their rate, and those at some indices."""

    @property
    def frames(self) -> int: ...
    @property
    def fps(self) -> float: ...
    def read(self, wanted: Sequence[int], limits: Limits) -> tuple[dict[int, Array], int]: ...


def prepare(item: Video, limits: Limits) -> Prepared:
    """Five clips' first and last frames, each resized and cut into three crops."""
    if is_file_source(item.src):
        if item.fps is not None:
            raise InputError(
                arrays.describe(item.src), "fps is for frames only", "leave it out: a file has its own"
            )
        clip = files.probe(open_source(item.src, limits), limits)
        return Prepared(_from_file(clip, limits))
    frames = _ArrayFrames(item, limits)
    pairs = _pairs(frames.frames, frames.fps)
    return Prepared(_views(pairs, frames.read(_wanted(pairs), limits)[0]))


def _pairs(frames: int, fps: float) -> list[tuple[int, int]]:
    return frame_pairs(frames, fps, c.VIDEO_CLIPS, c.VIDEO_CLIP_SECONDS)


def _wanted(pairs: list[tuple[int, int]]) -> list[int]:
    return sorted({index for pair in pairs for index in pair})


def _from_file(clip: files.Clip, limits: Limits) -> Array:
    """Plans with the counted frames; again with the decoded number if the count was a little off."""
    pairs = _pairs(clip.frames, clip.fps)
    found, decoded = clip.read(_wanted(pairs), limits)
    if len(found) < len(_wanted(pairs)):
        files.check_decoded(clip, decoded)
        pairs = _pairs(decoded, clip.fps)
        found, again = clip.read(_wanted(pairs), limits)
        if len(found) < len(_wanted(pairs)):
            raise SourceError(
                clip.opened.name, f"{decoded} frames were decoded, then {again}", "is it changing?"
            )
    return _views(pairs, found)


def _views(pairs: list[tuple[int, int]], found: dict[int, Array]) -> Array:
    """Clip by clip, crops inside a clip: ``[15, 3, 2, 224, 224]``."""
    crops = {index: normalise_floats(three_crops(frame)) for index, frame in found.items()}
    out = np.empty((len(pairs), c.VIDEO_CROPS, 3, c.VIDEO_FRAMES, c.SIDE, c.SIDE), np.float32)
    for clip, pair in enumerate(pairs):
        for place, index in enumerate(pair):
            out[clip, :, :, place] = crops[index]
    return out.reshape(-1, *out.shape[2:])


class _ArrayFrames:
    """Frames given as one array ``[N, H, W, 3]`` or as a sequence of ``[H, W, 3]``."""

    def __init__(self, item: Video, limits: Limits) -> None:
        self.name = arrays.describe(item.src)
        self.fps = _check_fps(item.fps, self.name)
        self._source: Any = item.src
        if arrays.is_array(item.src):
            self._source = arrays.to_numpy(item.src, self.name)
            if self._source.ndim != 4:
                raise _shape_error(self.name, self._source)
        elif not isinstance(item.src, Sequence):
            raise InputError(self.name, f"{type(item.src).__name__} is neither a file nor frames", _REMEDY)
        self.frames = len(self._source)
        if self.frames == 0:
            raise InputError(self.name, "there are no frames", _REMEDY)
        check_seconds(self.frames, self.fps, self.name, limits)

    def read(self, wanted: Sequence[int], limits: Limits) -> tuple[dict[int, Array], int]:
        return {index: self._frame(index, limits) for index in wanted}, self.frames

    def _frame(self, index: int, limits: Limits) -> Array:
        name = f"{self.name} frame {index}"
        frame = arrays.to_numpy(self._source[index], name)
        if frame.ndim != 3 or frame.shape[2] != 3:
            raise _shape_error(name, frame)
        arrays.require_nonempty(frame, name)
        arrays.require_dtype(frame, (np.uint8,), name, "frames are uint8 RGB, 0 to 255")
        check_pixels(frame.shape[1], frame.shape[0], name, limits)
        return frame


_REMEDY = "pass bindrt.Video(frames, fps=...) with uint8 RGB frames [N, H, W, 3], or a file"


def _shape_error(name: str, frame: Array) -> InputError:
    return InputError(name, f"frames of shape {list(frame.shape)} are not [N, H, W, 3]", _REMEDY)


def _check_fps(fps: Any, name: str) -> float:
    if fps is None:
        raise InputError(name, "frames need their rate", "pass bindrt.Video(frames, fps=...)")
    if not is_positive(fps):
        raise InputError(name, f"fps is {fps!r}", "it is the number of frames per second, above 0")
    return float(fps)
