"""A decoded frame's pixels: its planes as they are, where our conversion to RGB is PyAV's on x86-64."""

from __future__ import annotations

import platform
import random
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from bindrt import _core

_LAYOUTS = {"yuv420p": "yuv420p", "yuvj420p": "yuv420p", "nv12": "nv12"}
_STANDARDS = {1: "bt709", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}  # H.273's numbers
_FULL = 2  # FFmpeg's number of the full range
_NARROWEST, _LOWEST = 64, 16  # smaller frames prove little, and cost nothing either way
# FFmpeg rounds in another way on other processors. A vector is to be the same on all: that of x86-64,
# where the golden data come from.
ROUNDING = 0 if platform.machine() in ("x86_64", "AMD64") else 4  # of 255; another standard is 16 off
_PERIOD = 64  # what a size exceeds a multiple of a vector by may be converted in another way


class _Kind(NamedTuple):
    """What PyAV's conversion may depend on."""

    format: str
    width: int
    height: int
    colorspace: int
    color_range: int
    color_trc: int
    color_primaries: int


def picture_of(frame: Any) -> _core.Picture:
    """The frame for our kernels, of the same RGB that ``frame.to_ndarray(format="rgb24")`` gives.

    Without a copy for the usual formats; the others, and whatever PyAV's FFmpeg converts in another
    way on this machine, are converted by it. On other processors than x86-64 "the same" allows for
    FFmpeg's other rounding there, at most ``ROUNDING``: the usual formats come out as on x86-64.
    """
    conversion = None
    if frame.format.name in _LAYOUTS and not frame.interlaced_frame:
        conversion = _conversion(_kind_of(frame))
    if conversion is None or any(plane.line_size <= 0 for plane in frame.planes):
        rgb = frame.to_ndarray(format="rgb24")
        return _core.Picture(rgb if rgb.strides[1:] == (3, 1) else np.ascontiguousarray(rgb))
    return _planes(frame, *conversion)


def _kind_of(frame: Any) -> _Kind:
    width, height = frame.width, frame.height
    if width >= 2 * _PERIOD:
        width = _PERIOD + width % _PERIOD
    if height >= 2 * _PERIOD:
        height = _PERIOD + height % _PERIOD
    tags = (int(getattr(frame, name, 0)) for name in _Kind._fields[3:])
    return _Kind(frame.format.name, width, height, *tags)


def _planes(frame: Any, standard: str, full_range: bool) -> _core.Picture:
    planes = frame.planes
    return _core.Picture(
        _LAYOUTS[frame.format.name],
        frame.width,
        frame.height,
        planes,
        [plane.line_size for plane in planes],
        standard,
        full_range,
    )


@lru_cache(maxsize=256)
def _conversion(kind: _Kind) -> tuple[str, bool] | None:
    """The standard and range with which our conversion is PyAV's, found on a frame of noise."""
    if kind.width < _NARROWEST or kind.height < _LOWEST:
        return None
    frame = _noise(kind)
    expected = frame.to_ndarray(format="rgb24").astype(np.int16)
    full = kind.color_range == _FULL or kind.format == "yuvj420p"
    for standard in dict.fromkeys((_STANDARDS.get(kind.colorspace, "bt601"), "bt601")):
        if np.abs(_core.picture_to_rgb(_planes(frame, standard, full)) - expected).max() <= ROUNDING:
            return standard, full
    return None


def _noise(kind: _Kind) -> Any:
    import av

    frame = av.VideoFrame(kind.width, kind.height, kind.format)
    noise = random.Random(0)
    for plane in frame.planes:
        plane.update(noise.randbytes(plane.buffer_size))
    for name in _Kind._fields[3:]:
        if hasattr(frame, name):  # PyAV before 17 knows, and regards, fewer
            setattr(frame, name, getattr(kind, name))
    return frame
