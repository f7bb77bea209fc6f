"""Animated WebP and AVIF, of which Pillow decodes the frames one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image

from bindrt import _core
from bindrt.errors import LimitError
from bindrt.limits import Limits
from bindrt.sources.frames import Frame
from bindrt.sources.groups import frames_between
from bindrt.sources.opening import IF_CUT, Opened, decoding
from bindrt.sources.recording import check_seconds
from bindrt.sources.video import Read, Take
from bindrt.sources.video_numbers import FREE_PIXELS
from bindrt.wanted import require_wanted

_UNTIMED = 100  # ms that a frame without a duration is shown, as browsers do


@dataclass(frozen=True)
class Animation:
    """An animated picture that Pillow reads; its frames can be read only in order.

    Attributes:
        picture: Pillow's image, which must stay open.
        name: its name in errors.
        frames: how many frames it has.
        fps: frames per second on average.
        width, height: the frames' size in pixels.
    """

    picture: PIL.Image.Image
    name: str
    frames: int
    fps: float
    width: int
    height: int

    def between(self, start: float, end: float | None) -> range:
        return frames_between(start, end, self.fps, self.frames)

    def read(self, wanted: Sequence[int], take: Take, limits: Limits, strict: bool) -> Read:
        """Calls ``take(index, frame)`` for the wanted frames."""
        with decoding(self.name, "animation", IF_CUT):
            for index in wanted:
                require_wanted()
                self.picture.seek(index)
                pixels = np.ascontiguousarray(self.picture.convert("RGB"))
                take(index, Frame(_core.Picture(pixels), self.width, self.height))
        return Read(frozenset(wanted), self.frames)


def animation_of(picture: PIL.Image.Image, opened: Opened, limits: Limits) -> Animation:
    """The animation of an open picture, once all its frames were decoded for their durations.

    Raises:
        SourceError: a frame is damaged or missing.
        LimitError: it has more pixels in all, or lasts longer, than the limits allow.
    """
    count = int(getattr(picture, "n_frames", 1))
    width, height = picture.size
    if count * width * height > FREE_PIXELS + limits.max_pixels_per_byte * opened.size:
        raise LimitError(
            opened.name,
            f"{count} frames of {width} x {height} pixels in {opened.size} bytes",
            "raise Limits.max_pixels_per_byte if you trust the file",
        )
    shown = 0
    with decoding(opened.name, "animation", IF_CUT):
        for index in range(count):
            require_wanted()
            picture.seek(index)
            picture.load()
            shown += int(picture.info.get("duration", 0)) or _UNTIMED
    check_seconds(shown, 1000, opened.name, limits)
    return Animation(picture, opened.name, count, 1000 * count / shown, width, height)
