"""Depth maps: the counts or metres of the file beside those that were written."""

from __future__ import annotations

import functools
import importlib
import io
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from bench.formats.case import Case
from bindrt import preprocess

COUNTS = (np.add.outer(np.arange(240), np.arange(320)) * 12 + 400).astype(np.uint16)
METRES = (COUNTS / 1000).astype(np.float32)


def cases() -> Iterator[Case]:
    made: list[tuple[str, str, str, Callable[[], bytes], np.ndarray]] = [
        ("PNG", "16 bits", "Pillow", functools.partial(_picture, "PNG", COUNTS), COUNTS),
        ("TIFF", "16 bits, LZW", "Pillow", _lzw, COUNTS),
        ("TIFF", "floats", "Pillow", functools.partial(_picture, "TIFF", METRES), METRES),
        ("PNM", "PGM, 16 bits", "Pillow", functools.partial(_picture, "PPM", COUNTS), COUNTS),
        ("PNM", "PGM up to 9999", "by hand", _pgm, COUNTS),
        ("PFM", "floats", "Pillow", functools.partial(_picture, "PPM", METRES), METRES),
        ("JPEG XL", "16 bits, lossless", "Pillow", _jxl, COUNTS),
        (".npy", "floats", "NumPy", functools.partial(_npy, METRES), METRES),
        (".npz", "16 bits", "NumPy", _npz, COUNTS),
    ]
    for compression in ("NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24"):
        made.append(("EXR", compression, "OpenEXR", functools.partial(_exr, compression, METRES), METRES))
    halves = METRES.astype(np.float16)
    made.append(("EXR", "ZIP, halves", "OpenEXR", functools.partial(_exr, "ZIP", halves), halves))
    for container, codec, by, make, values in made:
        yield Case("depth", container, codec, by, make, functools.partial(_difference, values))


def _difference(values: np.ndarray, data: bytes) -> float:
    return float(np.abs(preprocess.depth(data) - preprocess.depth(values)).max())


def _picture(fmt: str, values: np.ndarray, **options: Any) -> bytes:
    out = io.BytesIO()
    PIL.Image.fromarray(values).save(out, fmt, **options)
    return out.getvalue()


def _lzw() -> bytes:
    return _picture("TIFF", COUNTS, compression="tiff_lzw")


def _pgm() -> bytes:
    return b"P5\n320 240\n9999\n" + COUNTS.astype(">u2").tobytes()


def _jxl() -> bytes:
    importlib.import_module("pillow_jxl")  # teaches Pillow the format
    return _picture("JXL", COUNTS, lossless=True)


def _npy(values: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, values)
    return out.getvalue()


def _npz() -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, depth=COUNTS)
    return out.getvalue()


def _exr(compression: str, values: np.ndarray) -> bytes:
    library = importlib.import_module("OpenEXR")
    header = {"compression": getattr(library, f"{compression}_COMPRESSION"), "type": library.scanlineimage}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.exr"
        library.File(header, {"Z": values}).write(str(path))
        return path.read_bytes()
