"""Depth maps and thermal frames: one channel from an image file, a ``.npy`` or ``.npz``, or an array."""

from __future__ import annotations

import numpy as np
import PIL.Image

from bindrt import arrays
from bindrt.arrays import Array
from bindrt.errors import InputError, SourceError
from bindrt.items import Source
from bindrt.limits import Limits
from bindrt.sources import is_file_source, open_source
from bindrt.sources.image import check_pixels, open_picture
from bindrt.sources.numpyfile import is_numpy_file, read_array

_GREY = ("L", "I", "F", "1")
_CHROMA = 8  # by which a JPEG's channels may differ and still be grey


def load_map(src: Source, field: str, limits: Limits) -> tuple[Array, str]:
    """A map ``[H, W]`` of integers or floats, and its name for errors.

    ``field`` names the array of a ``.npz``. ``[1, H, W]`` and ``[H, W, 1]`` are taken too.

    Raises:
        SourceError, LimitError: see :mod:`bindrt.sources`.
        InputError: not one channel, empty, or not numbers.
    """
    name = arrays.item_name(src)
    if is_file_source(src):
        opened = open_source(src, limits)
        if is_numpy_file(opened):
            values = read_array(opened, field, limits)
        else:
            with open_picture(opened, limits, f"a {field} map") as picture:
                values = _grey(picture, name)
    else:
        values = arrays.to_numpy(src, name)
    return _one_channel(values, name, limits), name


def as_native(values: Array) -> Array:
    """A map as the kernels take it: in this machine's byte order, the numbers of a row adjacent."""
    dtype = values.dtype.newbyteorder("=")
    if dtype.kind == "f" and dtype.itemsize not in (4, 8):
        dtype = np.dtype(np.float32 if dtype.itemsize < 4 else np.float64)
    adjacent = values.strides[1] == values.itemsize or values.shape[1] == 1
    whole = adjacent and values.strides[0] % values.itemsize == 0
    return np.require(values, dtype, ["A"] if whole and dtype == values.dtype else ["A", "C"])


def _grey(picture: PIL.Image.Image, name: str) -> Array:
    if picture.mode in _GREY or picture.mode.startswith("I;16"):
        return np.array(picture if picture.mode != "1" else picture.convert("L"))
    if picture.mode in ("RGB", "YCbCr"):
        rgb = np.asarray(picture.convert("RGB")).astype(np.int16)
        if int((rgb.max(axis=2) - rgb.min(axis=2)).max()) <= _CHROMA:
            return np.asarray(picture.convert("L"))
    raise SourceError(
        name,
        f"the image has colours (mode {picture.mode})",
        "one channel of counts is needed, not false colours",
    )


def _one_channel(values: Array, name: str, limits: Limits) -> Array:
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[2]):
        values = values[0] if values.shape[0] == 1 else values[:, :, 0]
    if values.ndim != 2:
        raise InputError(name, f"the shape is {list(values.shape)}", "a map is [H, W]")
    arrays.require_nonempty(values, name)
    if values.dtype.kind not in "iuf":
        raise InputError(name, f"the dtype is {values.dtype}", "a map holds integers or floats")
    check_pixels(values.shape[1], values.shape[0], name, limits)
    return values
