"""Pictures, beside what Pillow decodes."""

from __future__ import annotations

import functools
import importlib
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import PIL.Image

from bench.formats.case import Case
from bindrt import preprocess

#: Format, what is special, the mode of the picture, options; ``format`` where Pillow calls it otherwise.
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
    ("PNG", "16 bits of grey", "I;16", {}),
    ("AVIF", "4:2:0", "RGB", {}),
    ("AVIF", "4:4:4", "RGB", {"subsampling": "4:4:4"}),
    ("AVIF", "alpha", "RGBA", {}),
    ("AVIF", "grey", "L", {}),
    ("HEIC", "4:2:0", "RGB", {"format": "HEIF"}),
    ("HEIC", "alpha", "RGBA", {"format": "HEIF"}),
    ("JPEG XL", "lossy", "RGB", {"format": "JXL"}),
    ("JPEG XL", "lossless", "RGB", {"format": "JXL", "lossless": True}),
    ("JPEG XL", "alpha", "RGBA", {"format": "JXL"}),
    ("JPEG 2000", "JP2", "RGB", {"format": "JPEG2000"}),
    ("JPEG 2000", "stream", "L", {"format": "JPEG2000", "no_jp2": True}),
    ("QOI", "colours", "RGB", {}),
    ("PCX", "palette", "P", {}),
    ("SGI", "colours", "RGB", {}),
    ("DDS", "alpha", "RGBA", {}),
    ("PNM", "PBM", "1", {"format": "PPM"}),
    ("PNM", "PGM", "L", {"format": "PPM"}),
    ("PNM", "PGM, 16 bits", "I;16", {"format": "PPM"}),
    ("PNM", "PPM", "RGB", {"format": "PPM"}),
]


def cases() -> Iterator[Case]:
    importlib.import_module("pillow_heif").register_heif_opener()
    importlib.import_module("pillow_jxl")  # teaches Pillow the format
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
    given = dict(options)
    fmt = given.pop("format", name)
    image = picture()
    if mode == "I;16":
        counts = np.asarray(image.convert("L")).astype(np.uint16) * 3
        image = PIL.Image.fromarray(counts)
    else:
        image = image.convert(mode)
    image.save(out, fmt, **given)
    return out.getvalue()


def _difference(data: bytes) -> float:
    want = np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGB"))
    return float(np.abs(preprocess.image(data) - preprocess.image(want)).max())
