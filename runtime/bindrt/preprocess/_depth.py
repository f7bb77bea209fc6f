"""Depth: a depth map to ``[1, 224, 224]`` of normalised disparity."""

from __future__ import annotations

import numpy as np
import PIL.Image

from bindrt.arrays import Array
from bindrt.errors import InputError
from bindrt.items import Depth, Prepared
from bindrt.limits import Limits
from bindrt.preprocess import constants as c
from bindrt.preprocess.maps import load_map
from bindrt.preprocess.numeric import is_positive
from bindrt.preprocess.resize import centre_square

_UNITS = ("m", "mm", "sunrgbd", "disparity")
_SUNRGBD_MAX = 8.0  # metres; SUN RGB-D's own reader cuts there


def prepare(item: Depth, limits: Limits) -> Prepared:
    """Disparity of the effective depth, resized, cropped and normalised; notes on missing pixels."""
    values, name = load_map(item.src, "depth", limits)
    _check_options(item, name)
    unit = _unit(item, values, name)
    missing = ~np.isfinite(values) | (values <= 0)
    if unit == "disparity":
        pixels = values.astype(np.float32)
    else:
        pixels = _disparity(_metres(values, unit) * item.depth_scale, item)
    far = c.DEPTH_FARTHEST if item.missing == "farthest" else c.DEPTH_NEAREST
    pixels[missing] = item.baseline * item.focal / far
    scaled = np.clip(pixels, c.DISPARITY_MIN, c.DISPARITY_MAX) / np.float32(c.DISPARITY_MAX)
    square = centre_square(PIL.Image.fromarray(scaled), PIL.Image.Resampling.BILINEAR)
    out = (np.asarray(square) - np.float32(c.DISPARITY_MEAN)) / np.float32(c.DISPARITY_STD)
    count = int(np.count_nonzero(missing))
    notes: dict[str, float | int | str] = {
        "unit": unit,
        "missing_pixels": count,
        "missing_share": count / values.size,
    }
    return Prepared(out[None].astype(np.float32), notes)


def _unit(item: Depth, values: Array, name: str) -> str:
    integers = values.dtype.kind in "iu"
    if item.unit == "sunrgbd" and values.dtype not in (np.uint16, np.int32, np.uint32, np.int64):
        raise InputError(
            name, f"SUN RGB-D's counts are 16-bit integers, not {values.dtype}", "unit='m' or 'mm'?"
        )
    if item.unit is not None:
        return item.unit
    if integers and values.dtype.itemsize == 1:
        raise InputError(
            name, "8-bit values hold no depth in millimetres", "pass 16-bit counts, or name the unit"
        )
    return "mm" if integers else "m"


def _metres(values: Array, unit: str) -> Array:
    if unit == "sunrgbd":
        counts = values.astype(np.uint32) & 0xFFFF
        unpacked = (counts >> 3 | counts << 13) & 0xFFFF
        return np.asarray(np.minimum(unpacked.astype(np.float32) / 1000, np.float32(_SUNRGBD_MAX)))
    metres: Array = values.astype(np.float32)
    return metres / np.float32(1000) if unit == "mm" else metres


def _disparity(effective: Array, item: Depth) -> Array:
    """Pixels: baseline · focal / depth, the depth between 0.01 and 50; NaN goes on."""
    with np.errstate(invalid="ignore"):
        clamped = np.clip(effective, c.DEPTH_NEAREST, c.DEPTH_FARTHEST)
    pixels: Array = (item.baseline * item.focal / clamped).astype(np.float32)
    return pixels


def _check_options(item: Depth, name: str) -> None:
    if item.unit is not None and item.unit not in _UNITS:
        raise InputError(name, f"unit is {item.unit!r}", f"it is one of {', '.join(_UNITS)}")
    if item.missing not in ("farthest", "nearest"):
        raise InputError(name, f"missing is {item.missing!r}", "it is 'farthest' or 'nearest'")
    for field in ("focal", "baseline", "depth_scale"):
        if not is_positive(getattr(item, field)):
            raise InputError(name, f"{field} is {getattr(item, field)!r}", "it is a number above 0")
