"""Pictures of 8 bits that stand for depth or heat as they are: the mean of their colours, without a unit.

So Weaviate's container reads them. Of a picture with false colours the mean is no measure of anything, but
vectors that were made so are compared with others that were made so.
"""

from __future__ import annotations

import numpy as np
import PIL.Image

from bindrt import _core, arrays
from bindrt.arrays import Array
from bindrt.items import Source
from bindrt.limits import Limits
from bindrt.modalities.modality import Views, one_view
from bindrt.modalities.steps.exif import exif_notes
from bindrt.modalities.steps.maps import Field
from bindrt.modalities.steps.output_rows import Reserve, row_for
from bindrt.sources import is_file_source, open_source
from bindrt.sources.formats import sniff
from bindrt.sources.image import open_picture
from bindrt.sources.loaded import loaded_picture
from bindrt.sources.orientation import picture_orientation, upright_array
from bindrt.sources.strips import strips

#: Pillow's modes of 8 bits a channel, or fewer.
_BYTES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB")


def grey_view(src: Source, of: Field, limits: Limits, exif: bool, reserve: Reserve | None) -> Views | None:
    """The view ``[1, 224, 224]`` of a picture of 8 bits, 0 to 1; None for anything else.

    Raises:
        SourceError, LimitError: see :mod:`bindrt.sources`.
    """
    if isinstance(src, PIL.Image.Image):
        return _of_picture(loaded_picture(src, arrays.item_name(src), limits), exif, reserve)
    if not is_file_source(src):
        return None
    opened = open_source(src, limits)
    if sniff(opened).family != "image" or sniff(opened).name == "PNM":
        return None
    with open_picture(opened, limits, f"a {of} map") as picture:
        return _of_picture(picture, exif, reserve)


def _of_picture(picture: PIL.Image.Image, exif: bool, reserve: Reserve | None) -> Views | None:
    if picture.mode not in _BYTES:
        return None
    mean = _mean(picture)
    orientation = picture_orientation(picture)
    if exif:
        mean = np.ascontiguousarray(upright_array(mean, orientation))
    out = row_for(reserve)
    square = (
        _core.thermal_square(mean, out=out)
        if mean.dtype == np.uint8
        else _core.thermal_square(mean, 0.0, 255.0, out=out)
    )
    return one_view(square, {"low": 0.0, "high": 255.0, **exif_notes(orientation, exif)})


def _mean(picture: PIL.Image.Image) -> Array:
    """The mean ``[H, W]`` of red, green and blue: uint8 if they are equal everywhere, else float32."""
    total = np.empty((picture.height, picture.width), np.uint16)
    is_grey = True
    for rows, strip in strips(picture):
        colours = np.asarray(strip.convert("RGB"))
        is_grey = is_grey and bool((colours == colours[:, :, :1]).all())
        total[rows] = colours.sum(axis=2, dtype=np.uint16)
    return (total // 3).astype(np.uint8) if is_grey else total.astype(np.float32) / np.float32(3)
