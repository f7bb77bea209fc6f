"""Small pictures that show whether a library on a GPU decodes a coding, and with the right pixels."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import PIL.Image

from bindrt.arrays import Array

SIDE = 256
#: Levels that pixels may be from Pillow's: of a flat JPEG, which Pillow itself has 1 apart from what was
#: stored; and of JPEG 2000 with loss, where decoders round what they compute in floats.
JPEG_APART, LOSSY_APART = 3, 2
#: For messages: what a coding is called, and what is missing where the library refuses it.
CALLED = {
    "jpeg": ("JPEG", "nvJPEG is missing, or the driver is too old"),
    "jpeg2000": ("JPEG 2000", "nvJPEG2000 is missing"),
    "tiff-lzw": ("TIFF with LZW", "nvTIFF is missing"),
    "tiff-deflate": ("TIFF with Deflate", "nvTIFF or nvCOMP is missing"),
}
_PREDICTOR = 317


class Trial(NamedTuple):
    """A file, the pixels ``[SIDE, SIDE, 3]`` that it has, and how far a decoder may be from them."""

    file: bytes
    pixels: Array
    most_apart: int


@lru_cache
def trials(coding: str) -> tuple[Trial, ...]:
    """The files to try; never written to.

    Raises:
        OSError: this Pillow does not write the coding.
    """
    if coding == "jpeg":
        flat = np.full((SIDE, SIDE, 3), (200, 100, 50), np.uint8)
        return (Trial(_saved(flat, "JPEG"), flat, JPEG_APART),)
    scene = _scene()
    if coding == "jpeg2000":
        lossy = _saved(scene, "JPEG2000", mct=1, irreversible=True, quality_layers=[8])
        with PIL.Image.open(io.BytesIO(lossy)) as picture:
            seen = Trial(lossy, np.asarray(picture), LOSSY_APART)
        return Trial(_saved(scene, "JPEG2000", mct=1), scene, 0), seen
    packing = {"tiff-lzw": "tiff_lzw", "tiff-deflate": "tiff_adobe_deflate"}[coding]
    return tuple(
        Trial(_saved(scene, "TIFF", compression=packing, tiffinfo={_PREDICTOR: predictor}), scene, 0)
        for predictor in (1, 2)
    )


def _scene() -> Array:
    """Slopes, edges and noise: each channel for itself, all values."""
    down, across = np.mgrid[:SIDE, :SIDE]
    noise = np.random.default_rng(1).integers(0, 24, (SIDE, SIDE))
    squares = (down // 32 + across // 32) % 2 * 90
    return np.stack([down, across ^ squares, (squares + noise + across // 4) % 256], axis=2).astype(np.uint8)


def _saved(pixels: Array, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()
