"""QOI pictures: Pillow reads the header, FFmpeg the pixels."""

from __future__ import annotations

from typing import Any

import PIL.Image
from PIL.QoiImagePlugin import QoiImageFile

from bindrt.sources.opening import library

_END = bytes(7) + b"\1"
_LAST = 64  # bytes in which the end of the picture is looked for


class QoiImage(QoiImageFile):
    """Pillow's image, whose pixels FFmpeg decodes: Pillow's own decoder takes a microsecond for each."""

    def load(self) -> Any:
        """Decodes the pixels, once."""
        if self.tile and self.fp is not None:
            size = self.fp.seek(0, 2)
            self.fp.seek(max(0, size - _LAST))
            if _END not in self.fp.read():  # FFmpeg takes what is missing for black
                raise ValueError("image file is truncated: its end is not there")
            self.fp.seek(0)
            with library("av").open(self.fp, "r", format="qoi_pipe") as media:
                pixels = next(media.decode(video=0)).to_ndarray()
            decoded = PIL.Image.fromarray(pixels, self.mode)
            if decoded.size != self.size:
                raise ValueError("broken data stream when reading image file")
            self.im, self.tile = decoded.im, []
        return super().load()
