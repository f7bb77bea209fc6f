"""A decoded frame's pixels for our kernels: its planes, if our conversion to RGB equals PyAV's on x86-64."""

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
_NARROWEST, _LOWEST = 64, 16  # in pixels: a smaller frame proves little, and PyAV converts it in no time
# FFmpeg rounds differently on other processors. A vector must be the same on all processors: as on x86-64,
# where the golden data come from.
ROUNDING = 0 if platform.machine() in ("x86_64", "AMD64") else 4  # of 255; a wrong standard differs by 16
_PERIOD = 64  # pixels past a multiple of the SIMD width may be converted by other code


class _FrameFormat(NamedTuple):
    """What PyAV's conversion may depend on."""

    format: str
    width: int
    height: int
    colorspace: int
    color_range: int
    color_trc: int
    color_primaries: int


def picture_of(frame: Any) -> _core.Picture:
    """The frame for our kernels; they make the RGB of it that ``frame.to_ndarray(format="rgb24")`` gives.

    Frames of the usual formats are not copied. PyAV converts the others, and those for which FFmpeg on this
    machine computes other pixels than our kernels. On processors other than x86-64 the pixels may differ from
    FFmpeg's by ``ROUNDING``; they are those of x86-64.
    """
    conversion = None
    if frame.format.name in _LAYOUTS and not frame.interlaced_frame:
        conversion = _conversion(_format_of(frame))
    if conversion is None or any(plane.line_size <= 0 for plane in frame.planes):
        rgb = frame.to_ndarray(format="rgb24")
        return _core.Picture(rgb if rgb.strides[1:] == (3, 1) else np.ascontiguousarray(rgb))
    return _planes(frame, *conversion)


def _format_of(frame: Any) -> _FrameFormat:
    width, height = frame.width, frame.height
    if width >= 2 * _PERIOD:
        width = _PERIOD + width % _PERIOD
    if height >= 2 * _PERIOD:
        height = _PERIOD + height % _PERIOD
    tags = (int(getattr(frame, name, 0)) for name in _FrameFormat._fields[3:])
    return _FrameFormat(frame.format.name, width, height, *tags)


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
def _conversion(frame_format: _FrameFormat) -> tuple[str, bool] | None:
    """The standard and range with which our conversion equals PyAV's; found on a frame of noise."""
    if frame_format.width < _NARROWEST or frame_format.height < _LOWEST:
        return None
    frame = _noise(frame_format)
    expected = frame.to_ndarray(format="rgb24").astype(np.int16)
    full = frame_format.color_range == _FULL or frame_format.format == "yuvj420p"
    for standard in dict.fromkeys((_STANDARDS.get(frame_format.colorspace, "bt601"), "bt601")):
        if np.abs(_core.picture_to_rgb(_planes(frame, standard, full)) - expected).max() <= ROUNDING:
            return standard, full
    return None


def _noise(frame_format: _FrameFormat) -> Any:
    import av

    frame = av.VideoFrame(frame_format.width, frame_format.height, frame_format.format)
    noise = random.Random(0)
    for plane in frame.planes:
        plane.update(noise.randbytes(plane.buffer_size))
    for name in _FrameFormat._fields[3:]:
        if hasattr(frame, name):  # PyAV before 17 has, and uses, fewer of them
            setattr(frame, name, getattr(frame_format, name))
    return frame
