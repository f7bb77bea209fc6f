"""Several channels of 16 bits from PNG and TIFF pictures: Pillow gives the top eight bits of each."""

from __future__ import annotations

import numpy as np
import PIL.Image

from bindrt.arrays import Array
from bindrt.errors import SourceError
from bindrt.limits import Limits
from bindrt.sources.opening import Opened, decoding, library
from bindrt.sources.pixel_limits import check_memory
from bindrt.sources.pngfile import png_header

_BITS_PER_SAMPLE = 258
_LAYOUTS = {"rgb48": 3, "rgba64": 4, "ya16": 2}  # FFmpeg's names without the order of the bytes


def deep_channels(opened: Opened, picture: PIL.Image.Image, limits: Limits) -> Array | None:
    """The colours of a picture whose samples have more than 8 bits, without its alpha.

    Args:
        picture: what Pillow made of the file.

    Returns:
        uint16 ``[H, W]`` or ``[H, W, 3]``; None for a picture that Pillow gives whole.

    Raises:
        SourceError: no decoder gives all bits of it.
        LimitError: decoding takes more memory than ``limits`` allow.
    """
    bits, samples = _depth(opened, picture)
    if bits <= 8 or samples == 1:
        return None
    check_memory("16 bits", *picture.size, name=opened.name, limits=limits)
    codec = (picture.format or "").lower()
    with opened.binary() as stream, decoding(opened.name, f"{bits}-bit {picture.format} image"):
        av = library("av")
        decoder = av.CodecContext.create(codec, "r")
        frames = [*decoder.decode(av.Packet(stream.read(opened.size))), *decoder.decode(None)]
        frame = frames[0]
        order = "<" if frame.format.name.endswith("le") else ">"
        channels = _LAYOUTS.get(frame.format.name[:-2])
        if channels is None:
            raise SourceError(
                opened.name, f"its {bits}-bit samples cannot be read whole", "save one channel of 16 bits"
            )
        plane = frame.planes[0]
        rows = np.frombuffer(plane, order + "u2").reshape(-1, plane.line_size // 2)
        pixels = rows[: frame.height, : frame.width * channels].reshape(frame.height, frame.width, channels)
    values: Array = pixels[:, :, 0] if channels == 2 else pixels[:, :, :3]
    return values.astype(np.uint16)


def _depth(opened: Opened, picture: PIL.Image.Image) -> tuple[int, int]:
    """Bits of a sample, samples of a pixel, as the file has them."""
    header = png_header(opened.head) if picture.format == "PNG" else None
    if header is not None:
        return header.bits, header.samples
    if picture.format == "TIFF":
        bits = getattr(picture, "tag_v2", {}).get(_BITS_PER_SAMPLE, (1,))
        return max(bits, default=1), len(bits)
    return 8, 1
