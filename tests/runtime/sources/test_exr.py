"""Depth maps in OpenEXR files."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

import bindrt
from bindrt import LimitError, Limits, SourceError, preprocess

METRES = np.linspace(0.5, 9, 30 * 40, dtype=np.float32).reshape(30, 40)
ZEROS = np.zeros_like(METRES)


def exr(folder: Path, **channels: np.ndarray) -> Path:
    path = folder / "map.exr"
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {name.replace("__", "."): values for name, values in channels.items()}).write(
        str(path)
    )
    return path


@pytest.mark.parametrize(
    "channels",
    [
        {"Z": METRES},
        {"anything": METRES},
        {"Z": METRES, "R": ZEROS, "G": ZEROS, "B": ZEROS},
        {"ViewLayer__Depth__Z": METRES, "ViewLayer__Combined__R": ZEROS},
        {"Depth__V": METRES, "Mask__X": ZEROS},
        {"Y": METRES, "A": ZEROS},
        {"R": METRES, "G": METRES, "B": METRES, "A": ZEROS},
    ],
)
def test_the_channel_that_is_a_map(tmp_path: Path, channels: dict[str, np.ndarray]) -> None:
    path = exr(tmp_path, **channels)
    want = preprocess.depth(METRES)
    np.testing.assert_array_equal(preprocess.depth(path), want)
    np.testing.assert_array_equal(preprocess.depth(path.read_bytes()), want)


@pytest.mark.parametrize("dtype", [np.float16, np.uint32])
def test_other_types(tmp_path: Path, dtype: type[np.generic]) -> None:
    values = (METRES * 1000).astype(dtype)
    path = exr(tmp_path, Z=values)
    np.testing.assert_array_equal(preprocess.depth(path, unit="mm"), preprocess.depth(values, unit="mm"))


def test_no_map(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="colours"):
        preprocess.depth(exr(tmp_path, R=METRES, G=ZEROS, B=METRES))
    with pytest.raises(SourceError, match="channels a, b"):
        preprocess.depth(exr(tmp_path, a=METRES, b=METRES))
    with pytest.raises(SourceError, match="EXR holds numbers"):
        preprocess.image(exr(tmp_path, Z=METRES))
    assert preprocess.detect(exr(tmp_path, Z=METRES)) is None


def test_damage_and_limits(tmp_path: Path) -> None:
    data = exr(tmp_path, Z=METRES).read_bytes()
    for keep in (8, 100, len(data) // 2, len(data) - 3):
        with pytest.raises(SourceError, match="EXR image"):
            preprocess.depth(data[:keep])
    with pytest.raises(LimitError, match="40 x 30"):
        preprocess.depth(data, limits=Limits(max_pixels=1000))


@pytest.mark.parametrize(
    ("module", "distribution", "begins"),
    [
        ("OpenEXR", "OpenEXR", b"v/1\x01" + bytes(60)),
        ("pillow_heif", "pillow-heif", b"\0\0\0\x18ftypheic" + bytes(60)),
        ("pillow_jxl.JpegXLImagePlugin", "pillow-jxl-plugin", b"\xff\x0a" + bytes(60)),
    ],
)
def test_a_missing_library_is_named(
    monkeypatch: pytest.MonkeyPatch, module: str, distribution: str, begins: bytes
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(bindrt.Error, match=f"{distribution}: .*pip install {distribution}"):
        preprocess.depth(begins)
