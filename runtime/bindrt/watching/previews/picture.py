"""Frames of cameras: as they are, or in false colours."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import PIL.Image

from bindrt import arrays
from bindrt.arrays import Array
from bindrt.errors import InputError
from bindrt.limits import Limits
from bindrt.modalities.depth import Depth
from bindrt.modalities.image import Image
from bindrt.modalities.steps.maps import load_map
from bindrt.modalities.thermal import Thermal
from bindrt.sources import is_file_source, open_source
from bindrt.sources.image import open_picture
from bindrt.sources.pixel_limits import check_pixels
from bindrt.watching.previews.colours import as_jpeg, false_colours, thinned
from bindrt.watching.previews.preview import Preview

#: Seconds from a frame that is kept to the next: what comes in between is neither copied nor shown.
_APART = 0.1
_MODES = {"L": 2, "RGB": 3, "BGR": 3, "RGBA": 4}


class PicturePreview(Preview):
    """The newest image, frame of a video, depth map or thermal frame."""

    kind = "picture"

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._item: Any = None
        self._due = 0.0

    def keep(self, item: Any) -> bool:
        now = time.monotonic()
        if now < self._due:
            return False
        self._due = now + _APART
        if isinstance(getattr(item, "src", None), np.ndarray):
            item = replace(item, src=item.src.copy())  # a camera's driver may write into it again
        self._item = item
        return True

    def kept(self) -> Any:
        return self._item

    def draw(self, kept: Any) -> tuple[str, bytes]:
        item = kept() if callable(kept) else kept
        if isinstance(item, Depth):
            return as_jpeg(PIL.Image.fromarray(_depth_colours(item, self.limits)))
        if isinstance(item, Thermal):
            return as_jpeg(PIL.Image.fromarray(_thermal_colours(item, self.limits)))
        if not isinstance(item, Image):
            raise InputError(type(item).__name__, "it is no picture", "give bindrt.Image, Depth or Thermal")
        if isinstance(item.src, PIL.Image.Image):
            return as_jpeg(item.src.copy())
        if is_file_source(item.src):
            with open_picture(open_source(item.src, self.limits), self.limits) as picture:
                return as_jpeg(picture)
        return as_jpeg(_from_array(item, self.limits))


def _from_array(item: Image, limits: Limits) -> PIL.Image.Image:
    name = arrays.item_name(item.src)
    pixels = arrays.to_numpy(item.src, name)
    layout = item.layout or ("RGBA" if pixels.ndim == 3 and pixels.shape[2] == 4 else "RGB")
    channels = pixels.shape[2] if pixels.ndim == 3 else 2
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or channels not in (_MODES[layout], 2):
        raise InputError(name, "it is no picture", "give uint8 [H, W] or [H, W, 3]")
    check_pixels(pixels.shape[1], pixels.shape[0], name, limits)
    pixels = thinned(pixels)
    if layout == "BGR" and pixels.ndim == 3:
        pixels = pixels[:, :, ::-1]
    return PIL.Image.fromarray(np.ascontiguousarray(pixels))


def _depth_colours(item: Depth, limits: Limits) -> Array:
    """Near is bright; what was not seen is black."""
    values = thinned(load_map(item.src, "depth", limits, item.exif).values).astype(np.float64)
    missing = ~(np.isfinite(values) & (values > 0))
    shares = _shares(values, values[~missing], (2, 98))
    return false_colours(shares if item.unit == "disparity" else 1 - shares, missing)


def _thermal_colours(item: Thermal, limits: Limits) -> Array:
    """Warm is bright: in the item's own range, or else in that of the frame."""
    values = thinned(load_map(item.src, "thermal", limits, item.exif).values).astype(np.float64)
    seen = values[np.isfinite(values)]
    if item.unit is None and item.low is not None and item.high is not None:
        seen = np.array([item.low, item.high], np.float64)
    return false_colours(_shares(values, seen, (0, 100)), ~np.isfinite(values))


def _shares(values: Array, seen: Array, percentiles: tuple[float, float]) -> Array:
    """Where values lie between two percentiles of those that were seen."""
    if not len(seen):
        return np.zeros(values.shape)
    low, high = np.percentile(seen, percentiles)
    shares: Array = (np.nan_to_num(values) - low) / max(high - low, 1e-9)
    return shares
