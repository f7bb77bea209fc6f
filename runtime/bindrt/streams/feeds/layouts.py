"""Cameras' frames of any layout: what the kernels read as it is, and RGB of the rest."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from bindrt import _core, arrays
from bindrt.arrays import Array
from bindrt.errors import InputError, OptionError

CameraLayout = Literal[
    "RGB", "BGR", "RGBA", "L", "NV12", "YUYV", "UYVY",
    "BAYER_RGGB", "BAYER_BGGR", "BAYER_GRBG", "BAYER_GBRG",
]  # fmt: skip
_CHANNELS = {"RGB": 3, "BGR": 3, "RGBA": 4, "YUYV": 2, "UYVY": 2}


def require_layout(layout: object) -> None:
    """Raises OptionError unless it is one of :data:`CameraLayout`."""
    if layout not in get_args(CameraLayout):
        raise OptionError(f"layout={layout!r}"[:80], "unknown", f"one of {', '.join(get_args(CameraLayout))}")


def checked_frame(data: Any, layout: str) -> Array:
    """A frame as an array of its layout's shape.

    RGB, BGR ``[H, W, 3]``; RGBA ``[H, W, 4]``; L and Bayer ``[H, W]``; YUYV and UYVY ``[H, W, 2]`` or
    ``[H, 2·W]``; NV12 ``[3·H/2, W]``, the rows of luma, then those of chroma.

    Raises:
        InputError: another shape or dtype.
    """
    name = arrays.item_name(data)
    frame = arrays.to_numpy(data, name)
    arrays.require_nonempty(frame, name)
    arrays.require_dtype(frame, (np.uint8,), name, "frames are uint8, 0 to 255")
    channels = _CHANNELS.get(layout)
    if layout in ("YUYV", "UYVY") and frame.ndim == 2 and frame.shape[1] % 2 == 0:
        frame = frame.reshape(len(frame), -1, 2)
    if channels is not None:
        fits = frame.ndim == 3 and frame.shape[2] == channels
    else:
        fits = frame.ndim == 2
    if layout == "NV12":
        fits = fits and frame.shape[0] % 3 == 0 and frame.shape[1] % 2 == 0
    if layout in ("YUYV", "UYVY"):  # two pixels share their colours
        fits = fits and frame.shape[0] % 2 == frame.shape[1] % 2 == 0
    if not fits:
        raise InputError(
            name, f"this is not the shape of a frame in {layout}", "see docs/streams.md for the shapes"
        )
    return frame


def rgb_of(frame: Array, layout: str) -> Array:
    """Its pixels, uint8 ``[H, W, 3]``, those of a row adjacent."""
    if layout == "RGB":
        return frame if frame.strides[1:] == (3, 1) else np.ascontiguousarray(frame)
    if layout == "BGR":
        return np.ascontiguousarray(frame[:, :, ::-1])
    if layout == "RGBA":
        return np.ascontiguousarray(frame[:, :, :3])
    if layout == "L":
        return np.repeat(frame[:, :, None], 3, axis=2)
    if layout == "NV12":
        return _core.picture_to_rgb(picture_of(frame, layout))
    return _by_ffmpeg(frame, layout)


def picture_of(frame: Array, layout: str) -> _core.Picture:
    """The frame for the kernels of videos."""
    if layout != "NV12":
        return _core.Picture(rgb_of(frame, layout))
    frame = np.ascontiguousarray(frame)
    width, height = frame_size(frame, layout)
    planes = [frame[:height].reshape(-1), frame[height:].reshape(-1)]
    return _core.Picture("nv12", width, height, planes, [width, width])


def frame_size(frame: Array, layout: str) -> tuple[int, int]:
    """Its width and height in pixels."""
    return frame.shape[1], frame.shape[0] * 2 // 3 if layout == "NV12" else frame.shape[0]


def _by_ffmpeg(frame: Array, layout: str) -> Array:
    """RGB by FFmpeg: its interpolation of a Bayer mosaic, its conversion of YUV 4:2:2."""
    import av

    if layout == "UYVY":
        frame, layout = frame[:, :, ::-1], "YUYV"  # each pixel's two bytes the other way round
    name = "yuyv422" if layout == "YUYV" else f"{layout.lower()}8"
    made = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format=name)
    return np.asarray(made.to_ndarray(format="rgb24"))
