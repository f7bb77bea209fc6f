"""Pictures, beside what Pillow decodes."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import PIL.Image

from bench.formats.case import Case
from bindrt import preprocess

#: Format of Pillow, what is special, the mode of the picture, options.
MADE: list[tuple[str, str, str, dict[str, Any]]] = [
    ("JPEG", "baseline", "RGB", {"quality": 90}),
    ("JPEG", "progressive", "RGB", {"progressive": True}),
    ("JPEG", "4:4:4", "RGB", {"subsampling": 0}),
    ("JPEG", "grey", "L", {}),
    ("JPEG", "CMYK", "CMYK", {}),
    ("PNG", "colours", "RGB", {}),
    ("PNG", "alpha", "RGBA", {}),
    ("PNG", "palette", "P", {}),
    ("PNG", "1 bit", "1", {}),
    ("WebP", "lossy", "RGB", {"quality": 80}),
    ("WebP", "lossless", "RGBA", {"lossless": True}),
    ("GIF", "palette", "P", {}),
    ("BMP", "colours", "RGB", {}),
    ("TIFF", "raw", "RGB", {}),
    ("TIFF", "LZW", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "JPEG", "RGB", {"compression": "jpeg"}),
]


def cases() -> Iterator[Case]:
    for name, special, mode, options in MADE:
        make = functools.partial(_made, name, mode, tuple(options.items()))
        yield Case("image", name, special, "Pillow", make, _difference)


def picture() -> PIL.Image.Image:
    rows, columns = np.mgrid[0:480, 0:640]
    pixels = np.stack([rows // 2, columns // 3, (rows * columns) >> 11], 2).astype(np.uint8)
    pixels[100:200, 100:200] = np.random.default_rng(0).integers(0, 256, (100, 100, 3))
    return PIL.Image.fromarray(pixels)


def _made(name: str, mode: str, options: tuple[tuple[str, Any], ...]) -> bytes:
    out = io.BytesIO()
    picture().convert(mode).save(out, name, **dict(options))
    return out.getvalue()


def _difference(data: bytes) -> float:
    want = np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGB"))
    return float(np.abs(preprocess.image(data) - preprocess.image(want)).max())
