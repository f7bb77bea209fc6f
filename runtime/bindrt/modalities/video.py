"""Video: a file or frames to ``[15, 3, 2, 224, 224]``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from bindrt import _core, arrays
from bindrt.arrays import Array
from bindrt.errors import InputError, SourceError
from bindrt.items import ARRAYS_ONLY, ArrayLike, Source
from bindrt.limits import Limits
from bindrt.modalities.modality import Modality, Views
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.clips import frame_pairs
from bindrt.modalities.steps.output_rows import Reserve, rows_for
from bindrt.modalities.steps.span import check_span
from bindrt.modalities.steps.view_plan import plan_views
from bindrt.notes import FEWER_VIEWS
from bindrt.numeric import is_positive
from bindrt.sources import is_file_source, open_source
from bindrt.sources import video as files
from bindrt.sources.animations import animation_of
from bindrt.sources.formats import sniff
from bindrt.sources.frames import Frame
from bindrt.sources.groups import frames_between
from bindrt.sources.image import open_picture
from bindrt.sources.pixel_limits import check_pixels
from bindrt.sources.played import is_animation
from bindrt.sources.recording import check_seconds


@dataclass(frozen=True, eq=False)
class Video:
    """One video: a file, or frames ``[N, H, W, 3]`` uint8 RGB (or a sequence of them) with ``fps``.

    Attributes:
        src: a path, bytes, file object, or frames.
        fps: frames per second; required for frames, refused for files.
        start: the second at which to begin; None: at the beginning.
        end: the second at which to end; None, or one behind the video's end: there.
        strict: refuses a file of which a packet is damaged. By default what can be decoded is embedded, and
            notes count what was lost. It decodes the whole file, which takes longer.
        views: how many of the model's 15 views are computed. 5 are the middle crops of the five clips, 3
            those of the first, the third and the last clip, 1 that of the third clip. Fewer take less time
            and give another vector; the space of the ``Embeddings`` tells them apart.

    >>> frames = np.zeros((50, 48, 64, 3), np.uint8)
    >>> item = bindrt.Video(frames, fps=25, start=0.5, end=1.5, views=5)
    >>> bindrt.preprocess.video(item).shape
    (5, 3, 2, 224, 224)
    """

    src: Source | Sequence[ArrayLike]
    fps: float | None = field(default=None, metadata={ARRAYS_ONLY: True})
    start: float | None = None
    end: float | None = None
    strict: bool = False
    views: int = c.VIDEO_CLIPS * c.VIDEO_CROPS


_MIDDLE = (1,)  # the crop
#: Which clips and which crops are computed, by the number of views.
_CHOICES: dict[int, tuple[Sequence[int], Sequence[int]]] = {
    c.VIDEO_CLIPS * c.VIDEO_CROPS: (range(c.VIDEO_CLIPS), range(c.VIDEO_CROPS)),
    5: (range(c.VIDEO_CLIPS), _MIDDLE),
    3: ((0, 2, 4), _MIDDLE),
    1: ((2,), _MIDDLE),
}


class Frames(Protocol):
    """Pictures in order: their number, their rate, their size, and those at some indices."""

    @property
    def frames(self) -> int: ...
    @property
    def fps(self) -> float: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    def between(self, start: float, end: float | None) -> range: ...
    def read(self, wanted: Sequence[int], take: files.Take, limits: Limits, strict: bool) -> files.Read: ...


def prepare(item: Video, limits: Limits, reserve: Reserve | None = None) -> Views:
    """Five clips' first and last frames, each resized and cut into three crops.

    Each different view is made once: a short video's clips and a square one's crops are equal.
    """
    check_views(item)
    if not is_file_source(item.src):
        return from_frames(ArrayFrames(item, limits), item, limits, reserve)
    require_file(item)
    opened = open_source(item.src, limits)
    if is_animation(opened, sniff(opened)):
        with open_picture(opened, limits) as picture:
            return from_frames(animation_of(picture, opened, limits), item, limits, reserve)
    with files.open_clip(opened, limits) as clip:
        return from_frames(clip, item, limits, reserve)


def check_views(item: Video) -> None:
    """Raises InputError for a number of views that there is not."""
    if isinstance(item.views, bool) or item.views not in _CHOICES:
        name = arrays.item_name(item.src)
        raise InputError(name, f"views is {item.views!r}", f"one of {', '.join(map(str, _CHOICES))}")


def require_file(item: Video) -> None:
    """Raises InputError for options that a file cannot have."""
    if item.fps is not None:
        name = arrays.item_name(item.src)
        raise InputError(name, "fps is for frames only", "leave it out: a file has its own")


def from_frames(
    source: Frames, item: Video, limits: Limits, reserve: Reserve | None = None, distinct: bool = True
) -> Views:
    """The views of pictures in order. Plans with the counted frames; again with the decoded number."""
    inside, lost = _inside(source.between, item), source.damaged if isinstance(source, files.Clip) else 0
    batch = _Batch(source, inside, item.views, distinct, reserve)
    read = batch.fill(limits, item.strict)
    if batch.is_missing(read) and isinstance(source, files.Clip):
        lost += files.lost_frames(source, read, item.strict)
        inside = range(min(inside.start, read.decoded - 1), min(inside.stop, read.decoded))
        batch = _Batch(source, inside, item.views, distinct, reserve)
        read = batch.fill(limits, item.strict)
        if batch.is_missing(read):
            raise SourceError(source.opened.name, "its frames were decoded, then not", "is it changing?")
    if batch.sizes_differ:
        return from_frames(source, item, limits, reserve, distinct=False)
    found = {
        "frames_unseen": len(inside) - len(batch.plan.writes),
        "lost_packets": max(read.lost, lost),
        "damaged_frames": read.damaged,
        FEWER_VIEWS: item.views % (c.VIDEO_CLIPS * c.VIDEO_CROPS),
    }
    return Views(batch.out, batch.plan.index, {name: count for name, count in found.items() if count})


def sampled_frames(item: Video, count: int) -> list[int]:
    """Which of ``count`` frames that are given as arrays the item's views depend on, in order.

    Raises:
        InputError: an option that frames cannot have.
    """
    check_views(item)
    fps = _check_fps(item.fps, arrays.item_name(item.src))
    inside = _inside(lambda start, end: frames_between(start, end, fps, count), item)
    return sorted({frame for pair in _chosen_pairs(inside, fps, item.views) for frame in pair})


def _chosen_pairs(inside: range, fps: float, views: int) -> list[tuple[int, int]]:
    """The first and the last frame of each clip that is computed."""
    pairs = frame_pairs(len(inside), fps, c.VIDEO_CLIPS, c.VIDEO_CLIP_SECONDS)
    return [(inside[pairs[clip][0]], inside[pairs[clip][1]]) for clip in _CHOICES[views][0]]


def _inside(between: Callable[[float, float | None], range], item: Video) -> range:
    """The frames of the part that is wanted."""
    name = arrays.item_name(item.src)
    start, end = check_span(item.start, item.end, name)
    inside = between(start, end)
    if not inside:
        where = f"from {start:g} s" if end is None else f"from {start:g} to {end:g} s"
        raise InputError(name, f"no frame is shown {where}", "give seconds within the video")
    return inside


class _Batch:
    """The views of a part of a video; filled as its frames come."""

    def __init__(
        self, source: Frames, inside: range, views: int, distinct: bool, reserve: Reserve | None
    ) -> None:
        chosen = _chosen_pairs(inside, source.fps, views)
        self._source = source
        self._offsets = _crop_offsets(source) if distinct else None
        self.plan = plan_views(chosen, self._offsets, _CHOICES[views][1])
        self.out = rows_for(reserve, self.plan.views, (3, c.VIDEO_FRAMES, c.SIDE, c.SIDE))
        self.sizes_differ = False  # from what the source says, by which equal crops were told

    def fill(self, limits: Limits, strict: bool) -> files.Read:
        return self._source.read(sorted(self.plan.writes), self._take, limits, strict)

    def is_missing(self, read: files.Read) -> bool:
        return len(read.found) < len(self.plan.writes)

    def _take(self, index: int, frame: Frame) -> None:
        if self._offsets is not None and _crop_offsets(frame) != self._offsets:
            self.sizes_differ = True
        _core.video_crops(frame.picture, self.out, self.plan.writes[index], frame.quarter_turns)


class _Sized(Protocol):
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...


def _crop_offsets(frame: _Sized) -> list[int]:
    """Where the crops start along the longer side; the same whichever way the frame is turned."""
    return _core.video_crop_offsets(frame.width, frame.height)


class ArrayFrames:
    """Frames given as one array ``[N, H, W, 3]`` or as a sequence of ``[H, W, 3]``."""

    def __init__(self, item: Video, limits: Limits) -> None:
        self.name = arrays.item_name(item.src)
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
        self.height, self.width = self._frame(0, limits).shape[:2]

    def between(self, start: float, end: float | None) -> range:
        return frames_between(start, end, self.fps, self.frames)

    def read(self, wanted: Sequence[int], take: files.Take, limits: Limits, strict: bool) -> files.Read:
        for index in wanted:
            frame = self._frame(index, limits)
            if frame.strides[1:] != (3, 1):
                frame = np.ascontiguousarray(frame)
            take(index, Frame(_core.Picture(frame), frame.shape[1], frame.shape[0]))
        return files.Read(frozenset(wanted), self.frames)

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


VIDEO = Modality(
    name="video",
    encoder="vision",
    view=(3, c.VIDEO_FRAMES, c.SIDE, c.SIDE),
    prepare=prepare,
    original=True,
    description={
        **c.of_core("video"),
        "resize": "bilinear, not antialiased",
        "clips": c.VIDEO_CLIPS,
        "clip_seconds": c.VIDEO_CLIP_SECONDS,
        "frames": c.VIDEO_FRAMES,
    },
    wrapper=Video,
    views=c.VIDEO_CLIPS * c.VIDEO_CROPS,
    recognizes=lambda content: "video" in content.streams,
    bare_array=("bare frames have no rate", "pass bindrt.Video(frames, fps=...)"),
)
