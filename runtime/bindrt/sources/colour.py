"""A decoded frame's pixels for our kernels: its planes, if they make the same RGB of them as FFmpeg."""

from __future__ import annotations

import platform
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from bindrt import _core
from bindrt.arrays import Array

_LAYOUTS = {"yuv420p": "yuv420p", "yuvj420p": "yuv420p", "nv12": "nv12"}
_STANDARDS = {1: "bt709", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}  # H.273's numbers
_NEAREST = ("yuv420p", "yuvj420p", "yuva420p", "nv12", "nv21")
_ANY_TIME = Fraction(1, 25)  # a filter insists on a unit of time
_FULL = 2  # FFmpeg's number of the full range
_NARROWEST, _LOWEST = 64, 16  # in pixels: a smaller frame proves little, and FFmpeg converts it in no time
# FFmpeg rounds differently on other processors. A vector must be the same on all processors: as on x86-64,
# where the golden data come from.
ROUNDING = 0 if platform.machine() in ("x86_64", "AMD64") else 4  # of 255; a wrong standard differs by 16


class _FrameFormat(NamedTuple):
    """What FFmpeg's conversion may depend on."""

    format: str
    width: int
    height: int
    colorspace: int
    color_range: int
    color_trc: int
    color_primaries: int


def picture_of(frame: Any) -> _core.Picture:
    """The frame for our kernels, which make RGB of it as the original's decoder does.

    Frames of the usual formats are not copied. FFmpeg converts the others, and those for which FFmpeg on this
    machine computes other pixels than our kernels. On processors other than x86-64 the pixels may differ from
    FFmpeg's by ``ROUNDING``; they are those of x86-64. Fields of interlaced frames are not told apart.
    """
    conversion = _conversion(_format_of(frame)) if frame.format.name in _LAYOUTS else None
    if conversion is None or any(plane.line_size <= 0 for plane in frame.planes):
        rgb = _converted(frame)
        return _core.Picture(rgb if rgb.strides[1:] == (3, 1) else np.ascontiguousarray(rgb))
    return _planes(frame, *conversion)


def _converted(frame: Any) -> Array:
    """RGB by FFmpeg's scale filter.

    PyAV's own ``to_ndarray`` shifts the chroma of 4:2:2 with 10 bits and converts interlaced fields apart;
    the original's decoder, which uses FFmpeg 4's filter, does neither.
    """
    import av

    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or _ANY_TIME
    )
    scale = graph.add("scale", f"flags=bilinear{_chroma_row(frame.format)}")
    rgb = graph.add("format", "pix_fmts=rgb24")
    sink = graph.add("buffersink")
    for first, second in ((source, scale), (scale, rgb), (rgb, sink)):
        first.link_to(second)
    graph.configure()
    graph.push(frame)
    return np.asarray(graph.pull().to_ndarray())


def _chroma_row(pixels: Any) -> str:
    """Where FFmpeg 4's filter takes a chroma row to lie: on the lower of its two rows of luma.

    It interpolates between such rows except for 4:2:0 with 8 bits, whose rows serve both rows of luma.
    """
    lower = pixels.chroma_height(4) == 2 and pixels.name not in _NEAREST
    return ":in_v_chr_pos=256" if lower else ""


def _format_of(frame: Any) -> _FrameFormat:
    width, height = map(_core.conversion_size, (frame.width, frame.height))
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
    """The standard and range with which our conversion equals FFmpeg's; found on a frame of noise.

    csrc/video converts as well then.
    """
    if frame_format.width < _NARROWEST or frame_format.height < _LOWEST:
        return None
    frame = _noise(frame_format)
    expected = frame.to_ndarray(format="rgb24").astype(np.int16)  # as the filter's for these formats
    full = frame_format.color_range == _FULL or frame_format.format == "yuvj420p"
    for standard in dict.fromkeys((_STANDARDS.get(frame_format.colorspace, "bt601"), "bt601")):
        if np.abs(_core.picture_to_rgb(_planes(frame, standard, full)) - expected).max() <= ROUNDING:
            _core.keep_conversion(*frame_format, _LAYOUTS[frame_format.format], standard, full)
            return standard, full
    return None


def _noise(frame_format: _FrameFormat) -> Any:
    import random  # when asked: to import it takes long

    import av

    frame = av.VideoFrame(frame_format.width, frame_format.height, frame_format.format)
    noise = random.Random(0)
    for plane in frame.planes:
        plane.update(noise.randbytes(plane.buffer_size))
    for name in _FrameFormat._fields[3:]:
        if hasattr(frame, name):  # PyAV before 17 has, and uses, fewer of them
            setattr(frame, name, getattr(frame_format, name))
    return frame
