"""Raw pictures of messages as arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bindrt.arrays import Array
from bindrt.errors import InputError
from bindrt.limits import Limits
from bindrt.sources.pixel_limits import check_pixels
from bindrt.streams.feeds.layouts import rgb_of


class RawPicture(NamedTuple):
    """A picture as a message has it.

    Attributes:
        step: bytes from a row to the next; 0: rows lie close together.
    """

    data: bytes
    encoding: str
    width: int
    height: int
    step: int
    big_endian: bool


class _Plain(NamedTuple):
    """Numbers of channels in a row, and whether the first three are RGB or BGR; None: they are no colours."""

    dtype: str
    channels: int
    order: str | None = None


_RGB, _BGR = "RGB", "BGR"
_PLAIN: dict[str, _Plain] = {
    "rgb8": _Plain("u1", 3, _RGB),
    "bgr8": _Plain("u1", 3, _BGR),
    "8UC3": _Plain("u1", 3, _BGR),
    "rgba8": _Plain("u1", 4, _RGB),
    "bgra8": _Plain("u1", 4, _BGR),
    "8UC4": _Plain("u1", 4, _BGR),
    "rgb16": _Plain("u2", 3, _RGB),
    "bgr16": _Plain("u2", 3, _BGR),
    "16UC3": _Plain("u2", 3, _BGR),
    "rgba16": _Plain("u2", 4, _RGB),
    "bgra16": _Plain("u2", 4, _BGR),
    "16UC4": _Plain("u2", 4, _BGR),
    "mono8": _Plain("u1", 1),
    "8UC1": _Plain("u1", 1),
    "mono16": _Plain("u2", 1),
    "16UC1": _Plain("u2", 1),
    "16SC1": _Plain("i2", 1),
    "32FC1": _Plain("f4", 1),
    "64FC1": _Plain("f8", 1),
}


class _Camera(NamedTuple):
    """A camera's layout.

    Attributes:
        layout: its name, as :func:`bindrt.streams.feeds.layouts.rgb_of` has it.
        width: bytes of a row for each pixel.
        rows: rows of bytes for each two rows of pixels.
    """

    layout: str
    width: int = 1
    rows: int = 2


_CAMERAS: dict[str, _Camera] = {
    "yuv422": _Camera("UYVY", 2),
    "uyvy": _Camera("UYVY", 2),
    "yuv422_yuy2": _Camera("YUYV", 2),
    "yuyv": _Camera("YUYV", 2),
    "nv12": _Camera("NV12", rows=3),
    "nv21": _Camera("NV12", rows=3),
    **{f"bayer_{p}8": _Camera(f"BAYER_{p.upper()}") for p in ("rggb", "bggr", "gbrg", "grbg")},
    **{f"bayer_{p}16": _Camera(f"BAYER_{p.upper()}", 2) for p in ("rggb", "bggr", "gbrg", "grbg")},
}
#: Encodings that are depth unless another modality is asked for.
DEPTH_ENCODINGS = ("16UC1", "32FC1", "64FC1", "16SC1")


def as_map(raw: RawPicture, limits: Limits) -> Array:
    """One channel ``[H, W]`` of counts or metres, as they are.

    Raises:
        InputError: it has more channels, an unknown encoding, or fewer bytes than it says.
        LimitError: more pixels than ``limits``.
    """
    plain = _PLAIN.get(raw.encoding)
    if plain is None or plain.channels != 1:
        raise InputError(
            "", f"{raw.encoding[:40]!r} is not one channel", "a map is mono8, mono16, 16UC1 or 32FC1"
        )
    return _channels(raw, plain, limits)[:, :, 0]


def as_pixels(raw: RawPicture, limits: Limits) -> Array:
    """Pixels for an image: uint8 ``[H, W, 3]`` RGB, or ``[H, W]``. 16 bits keep their upper 8.

    Raises:
        InputError, LimitError: as :func:`as_map`.
    """
    if raw.encoding in _CAMERAS:
        return _of_camera(raw, _CAMERAS[raw.encoding], limits)
    plain = _PLAIN.get(raw.encoding)
    if plain is None or plain.dtype not in ("u1", "u2"):
        known = ", ".join([*(name for name, p in _PLAIN.items() if p.dtype in ("u1", "u2")), *_CAMERAS])
        raise InputError("", f"{raw.encoding[:40]!r} is no encoding of an image", f"it is one of {known}")
    channels = _channels(raw, plain, limits)
    if plain.dtype == "u2":
        channels = (channels >> 8).astype(np.uint8)
    if plain.order is None:
        return np.ascontiguousarray(channels[:, :, 0])
    return np.ascontiguousarray(channels[:, :, :3] if plain.order == _RGB else channels[:, :, 2::-1])


def _channels(raw: RawPicture, plain: _Plain, limits: Limits) -> Array:
    """``[H, W, channels]`` in this machine's byte order."""
    used = raw.width * plain.channels * np.dtype(plain.dtype).itemsize
    values = _numbers(_rows(raw, used, limits, raw.height), plain.dtype, raw.big_endian)
    return values.reshape(raw.height, raw.width, plain.channels)


def _numbers(rows: Array, dtype: str, big_endian: bool) -> Array:
    """Rows of bytes as rows of numbers in this machine's byte order."""
    stored = np.dtype(dtype).newbyteorder(">" if big_endian else "<")
    return np.asarray(np.ascontiguousarray(rows).view(stored), dtype)


def _rows(raw: RawPicture, used: int, limits: Limits, count: int) -> Array:
    """The used bytes of each of ``count`` rows, ``[count, used]``; all sizes are checked first."""
    _check(raw, used, limits)
    step = raw.step or used
    needed = step * (count - 1) + used
    if needed > len(raw.data):
        said = f"{raw.encoding} of {raw.width} x {raw.height} has {needed} bytes"
        raise InputError(
            "", f"{said}, {len(raw.data)} are there", "the message was cut, or its size is wrong"
        )
    data = np.frombuffer(raw.data, np.uint8)
    return np.lib.stride_tricks.as_strided(data, (count, used), (step, 1), writeable=False)


def _check(raw: RawPicture, used: int, limits: Limits) -> None:
    if raw.width < 1 or raw.height < 1:
        raise InputError("", f"it says {raw.width} x {raw.height} pixels", "it has at least one")
    check_pixels(raw.width, raw.height, "", limits)
    if raw.step and raw.step < used:
        raise InputError("", f"its step is {raw.step} bytes, a row has {used}", "step is the bytes of a row")


def _of_camera(raw: RawPicture, camera: _Camera, limits: Limits) -> Array:
    """RGB of YUV and Bayer."""
    if raw.width % 2 or raw.height % 2:
        raise InputError("", f"{raw.encoding} of {raw.width} x {raw.height}", "its sides are multiples of 2")
    rows = _rows(raw, raw.width * camera.width, limits, raw.height // 2 * camera.rows)
    if raw.encoding.endswith("16"):
        rows = _numbers(rows, "u2", raw.big_endian) >> 8
    frame = rows.astype(np.uint8)
    if raw.encoding == "nv21":  # as NV12, with the two colours the other way round
        frame[raw.height :] = (
            frame[raw.height :].reshape(-1, raw.width // 2, 2)[:, :, ::-1].reshape(-1, raw.width)
        )
    if camera.layout in ("UYVY", "YUYV"):
        frame = frame.reshape(raw.height, raw.width, 2)
    return rgb_of(frame, camera.layout)
