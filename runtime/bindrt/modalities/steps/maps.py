"""Depth maps and thermal frames: one channel from an image file, a ``.npy`` or ``.npz``, or an array."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import PIL.Image

from bindrt import arrays
from bindrt.arrays import Array
from bindrt.errors import InputError, SourceError
from bindrt.items import Source
from bindrt.limits import Limits
from bindrt.modalities.steps import png
from bindrt.modalities.steps.constants import ANY_CAMERA, PICTURE
from bindrt.modalities.steps.exif import exif_notes
from bindrt.notes import Notes
from bindrt.sources import is_file_source, open_source
from bindrt.sources.deep_pixels import deep_channels
from bindrt.sources.exrfile import read_exr
from bindrt.sources.flir import read_celsius
from bindrt.sources.formats import sniff
from bindrt.sources.image import open_picture
from bindrt.sources.loaded import loaded_picture
from bindrt.sources.netpbm import read_counts
from bindrt.sources.numpyfile import is_numpy_file, read_array
from bindrt.sources.opening import Opened
from bindrt.sources.orientation import picture_orientation, upright_array
from bindrt.sources.pixel_limits import check_pixels
from bindrt.sources.strips import as_array, strips

_GREY = ("L", "I", "F", "1")
_REDUCED = ("AVIF", "HEIF", "JXL")  # Pillow's plugins give 8 bits of 10 or 12

Field = Literal["depth", "thermal"]


@dataclass(frozen=True)
class Map:
    """A map ``[H, W]`` of integers or floats.

    Attributes:
        name: what to call it in errors.
        celsius: the file itself says that its values are degrees Celsius.
        notes: what a user should know.
    """

    values: Array
    name: str
    celsius: bool = False
    notes: Notes = field(default_factory=dict)


def load_map(src: Source, of: Field, limits: Limits, exif: bool = False) -> Map:
    """The map of a file or an array; its size is checked before its values are unpacked.

    ``of`` names the array of a ``.npz``. ``[1, H, W]`` and ``[H, W, 1]`` are taken too. A picture is a map
    if it is grey: whether stored as grey, with a palette, with alpha or as three equal channels. With
    ``exif`` it is turned as its EXIF orientation says.

    Raises:
        SourceError, LimitError: see :mod:`bindrt.sources`.
        InputError: not one channel, empty, or not numbers.
    """
    name = arrays.item_name(src)
    if isinstance(src, PIL.Image.Image):
        picture = loaded_picture(src, name, limits)
        values, notes = _turned(_grey(picture, name), picture_orientation(picture), exif)
        return Map(_one_channel(values, name, limits), name, notes=notes)
    if not is_file_source(src):
        return Map(_one_channel(arrays.to_numpy(src, name), name, limits), name)
    opened = open_source(src, limits)
    if of == "thermal" and sniff(opened).name == "JPEG":
        celsius = read_celsius(opened, limits)
        if celsius is not None:
            return Map(celsius, name, celsius=True)
    values, notes = _from_file(opened, of, limits, exif)
    return Map(_one_channel(values, name, limits), name, notes=notes)


def _from_file(opened: Opened, of: Field, limits: Limits, exif: bool) -> tuple[Array, Notes]:
    if is_numpy_file(opened):
        return read_array(opened, of, limits, lambda shape: _check_shape(shape, opened.name, limits)), {}
    file_format = sniff(opened)
    if file_format.name in ("PNM", "PFM"):
        return _equal(read_counts(opened, limits).values, opened.name), {}
    if file_format.name == "EXR":
        return read_exr(opened, of, limits), {}
    direct = png.grey_values(opened, limits)
    if direct is not None:
        return _turned(*direct, exif)
    with open_picture(opened, limits, f"a {of} map") as picture:
        deep = deep_channels(opened, picture, limits)
        values = _grey(picture, opened.name) if deep is None else _equal(deep, opened.name)
        if of == "depth" and file_format.name in _REDUCED and values.dtype == np.uint8:
            raise SourceError(
                opened.name,
                f"of {file_format.title} only the top eight bits of each value are read",
                "save the depth as a 16-bit PNG or TIFF, or as .npy",
            )
        return _turned(values, picture_orientation(picture), exif)


def _turned(values: Array, orientation: int, exif: bool) -> tuple[Array, Notes]:
    """The map of a picture, upright if that is wanted, and what to note."""
    notes = exif_notes(orientation, exif)
    return (upright_array(values, orientation) if exif else values), notes


def as_native(values: Array) -> Array:
    """A map as the kernels take it: in this machine's byte order, the numbers of a row adjacent."""
    dtype = values.dtype.newbyteorder("=")
    if dtype.kind == "f" and dtype.itemsize not in (4, 8):
        dtype = np.dtype(np.float32 if dtype.itemsize < 4 else np.float64)
    adjacent = values.strides[1] == values.itemsize or values.shape[1] == 1
    whole = adjacent and values.strides[0] % values.itemsize == 0
    return np.require(values, dtype, ["A"] if whole and dtype == values.dtype else ["A", "C"])


def note_beyond_cameras(values: Array) -> Notes:
    """A note of how many numbers are finite and larger than any camera measures, if there are any.

    Programs write 10¹⁰ or the largest float32 where nothing is seen; it counts as the end of the range.
    """
    if values.dtype.kind != "f" or values.dtype.itemsize < 4:
        return {}
    low, high = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
    if low >= -ANY_CAMERA and high <= ANY_CAMERA:
        return {}
    count = int(np.count_nonzero(np.isfinite(values) & ((values > ANY_CAMERA) | (values < -ANY_CAMERA))))
    return {"beyond_any_camera": count} if count else {}


def _grey(picture: PIL.Image.Image, name: str) -> Array:
    """The grey values of a picture; its alpha is dropped."""
    if picture.mode in _GREY or picture.mode.startswith("I;16"):
        return as_array(picture if picture.mode != "1" else picture.convert("L"))
    if picture.mode in ("LA", "La"):
        return as_array(picture.getchannel("L"))
    grey = np.empty((picture.height, picture.width), np.uint8)
    for rows, strip in strips(picture):
        colours = strip.convert("RGB")
        red, green, blue = (np.asarray(channel) for channel in colours.split())
        most = np.maximum(np.maximum(red, green), blue)
        if (most - np.minimum(np.minimum(red, green), blue) > PICTURE["chroma"]).any():
            raise _coloured(name)
        grey[rows] = np.asarray(colours.convert("L"))
    return grey


def _equal(values: Array, name: str) -> Array:
    """``[H, W]`` of ``[H, W]``, or of channels ``[H, W, 3]`` that are the same."""
    if values.ndim == 2:
        return values
    first = values[:, :, 0]
    nan = values.dtype.kind == "f"
    if not all(np.array_equal(first, values[:, :, i], equal_nan=nan) for i in range(1, values.shape[2])):
        raise _coloured(name)
    return first


def _coloured(name: str) -> SourceError:
    return SourceError(name, "the image has colours", "one channel of counts is needed, not false colours")


def _check_shape(shape: tuple[int, ...], name: str, limits: Limits) -> None:
    """The size of a map that is still packed."""
    sides = [n for n in shape if n != 1] or [1]
    check_pixels(sides[-1], math.prod(sides[:-1]), name, limits)


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
