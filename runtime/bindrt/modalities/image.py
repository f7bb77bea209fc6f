"""Image: an image to ``[3, 224, 224]``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import PIL.Image

from bindrt import _core, arrays
from bindrt.arrays import Array
from bindrt.errors import InputError
from bindrt.items import ARRAYS_ONLY, Source
from bindrt.limits import Limits
from bindrt.modalities.modality import Modality, Views, one_view
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps import jpeg, pixels, png
from bindrt.modalities.steps.exif import exif_notes
from bindrt.modalities.steps.output_rows import Reserve, row_for
from bindrt.modalities.steps.picture_libraries import serve_pictures
from bindrt.notes import Notes
from bindrt.sources import open_source
from bindrt.sources.formats import PICTURE
from bindrt.sources.image import open_picture
from bindrt.sources.loaded import loaded_picture
from bindrt.sources.orientation import picture_orientation, upright
from bindrt.sources.pixel_limits import check_pixels

_LAYOUTS = {"L": (2, 1), "RGB": (3, 3), "BGR": (3, 3), "RGBA": (3, 4)}
_SIXTEEN = ("I;16", "I;16L", "I;16B", "I;16N", "I")

Layout = Literal["RGB", "BGR", "L", "RGBA"]
Grey16 = Literal["pillow", "full"]


@dataclass(frozen=True, eq=False)
class Image:
    """One image.

    Attributes:
        src: a path, bytes, file object, or uint8 pixels ``[H, W]``, ``[H, W, 3]``, ``[H, W, 4]``.
        layout: order of an array's channels; by default RGB, L or RGBA by their count.
        exif: turn the image as its EXIF orientation says (the original ignores it).
        grey16: 16-bit grey files: ``"pillow"`` clips at 255 as the original does, ``"full"``
            scales the whole 16-bit range to 8 bits.

    >>> frame = np.zeros((480, 640, 3), np.uint8)  # as OpenCV has it
    >>> model.embed(image=bindrt.Image(frame, layout="BGR")).image.shape
    (1, 96)
    """

    src: Source
    layout: Layout | None = field(default=None, metadata={ARRAYS_ONLY: True})
    exif: bool = False
    grey16: Grey16 = "pillow"


def prepare(item: Image, limits: Limits, reserve: Reserve | None = None) -> Views:
    """One image through decoding, bicubic resize, centre crop and normalisation."""
    name = arrays.item_name(item.src)
    if item.grey16 not in ("pillow", "full"):
        raise InputError(name, f"grey16 is {item.grey16!r}", "it is 'pillow' or 'full'")
    if arrays.is_array(item.src):
        values, layout = _from_array(item, name, limits)
        return one_view(_core.image_input(values, layout, out=row_for(reserve)))
    if item.layout is not None:
        raise InputError(name, "layout is for arrays only", "leave it out: a file names its own")
    if isinstance(item.src, PIL.Image.Image):
        return _from_picture(loaded_picture(item.src, name, limits), item, reserve)
    opened = open_source(item.src, limits)
    for straight in (jpeg.image_input, png.image_input):
        views = straight(opened, item.exif, limits, reserve)
        if views is not None:
            return views
    with open_picture(opened, limits) as picture:
        damaged = jpeg.would_read(opened, picture) and not (item.exif and picture_orientation(picture) != 1)
        return _from_picture(picture, item, reserve, {"damaged": 1} if damaged else {})


def _from_picture(
    picture: PIL.Image.Image, item: Image, reserve: Reserve | None, found: Notes | None = None
) -> Views:
    """The view of a decoded picture; ``found`` is what was noted before."""
    turned = picture_orientation(picture)
    notes = {**(found or {}), **exif_notes(turned, item.exif)}
    if item.exif:
        picture = upright(picture, turned)
    values, layout = _pixels(picture, item.grey16, notes)
    return one_view(_core.image_input(values, layout, out=row_for(reserve)), notes)


def _pixels(picture: PIL.Image.Image, grey16: str, notes: dict[str, float | int | str]) -> tuple[Array, str]:
    """The pixels and their layout. 16-bit grey is clipped at 255, or scaled to 0..255 with ``"full"``."""
    if picture.mode in _SIXTEEN:
        counts = np.asarray(picture)
        if grey16 == "full":
            return np.rint((counts.astype(np.float64) / 257).clip(0, 255)).astype(np.uint8), "L"
        if clipped := int(np.count_nonzero(counts > 255)):
            notes["clipped_share"] = clipped / counts.size
    return pixels.of_picture(picture)


def _from_array(item: Image, name: str, limits: Limits) -> tuple[Array, str]:
    values = arrays.to_numpy(item.src, name)
    arrays.require_nonempty(values, name)
    arrays.require_dtype(values, (np.uint8,), name, "pixels are uint8, 0 to 255")
    layout = _layout_of(values, name) if item.layout is None else item.layout
    if not isinstance(layout, str) or layout not in _LAYOUTS:
        raise InputError(name, f"layout is {layout!r}", f"it is one of {', '.join(_LAYOUTS)}")
    if values.ndim == 3 and values.shape[2] == 1 and layout == "L":
        values = values[:, :, 0]
    ndim, channels = _LAYOUTS[layout]
    if values.ndim != ndim or (ndim == 3 and values.shape[2] != channels):
        raise InputError(
            name, f"the shape does not fit layout {layout!r}", "see bindrt.Image for the layouts"
        )
    check_pixels(values.shape[1], values.shape[0], name, limits)
    return values, layout


def _layout_of(pixels: Array, name: str) -> str:
    if pixels.ndim == 2:
        return "L"
    if pixels.ndim == 3 and pixels.shape[2] in (3, 4):
        return "RGB" if pixels.shape[2] == 3 else "RGBA"
    remedy = "pixels are [H, W], [H, W, 3] or [H, W, 4]"
    if pixels.ndim == 3 and pixels.shape[0] in (3, 4):
        remedy += "; this looks like [C, H, W]: move the first axis to the end"
    elif pixels.ndim == 4:
        remedy += "; pass a batch as a list of images, a video as bindrt.Video(frames, fps=...)"
    raise InputError(name, "this is not the shape of an image", remedy)


IMAGE = Modality(
    name="image",
    encoder="vision",
    view=(3, c.SIDE, c.SIDE),
    prepare=prepare,
    original=True,
    description={**c.of_core("image"), "resize": "bicubic, antialiased, 8 bits", "crop": "centre"},
    wrapper=Image,
    recognizes=lambda content: content.format.holds == PICTURE,
    libraries=serve_pictures,
)
