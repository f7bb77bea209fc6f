"""The pixels of a decoded image in memory."""

from __future__ import annotations

from typing import Any, cast

import PIL.Image

from bindrt import _core
from bindrt.arrays import Array
from bindrt.sources.strips import as_array

#: Modes whose pixels are bytes, and the layout of those bytes in Pillow's memory.
_LAYOUTS = {"L": "L", "RGB": "RGBX", "RGBX": "RGBX", "RGBA": "RGBX"}


def of_picture(picture: PIL.Image.Image) -> tuple[Array, str]:
    """The colours of a decoded image as uint8 pixels, and their layout for ``_core.image_input``.

    As Pillow's ``convert("RGB")`` gives them: alpha dropped, palette expanded; a grey image stays grey.
    """
    if picture.mode not in _LAYOUTS:
        picture = picture.convert("RGB")
    shared = _shared(picture)
    if shared is not None:
        return shared, _LAYOUTS[picture.mode]
    return as_array(picture), picture.mode


def _shared(picture: PIL.Image.Image) -> Array | None:
    """A view of Pillow's own memory, or None where that is not one block of whole rows."""
    export = getattr(picture, "__arrow_c_array__", None)  # since Pillow 11.2.1
    if export is None or picture.readonly or cast(Any, PIL.Image).core.get_alignment() != 1:
        return None
    try:
        _, capsule = export()
        return _core.arrow_pixels(capsule, picture.height, picture.width)
    except ValueError:  # a large image lies in several blocks
        return None
