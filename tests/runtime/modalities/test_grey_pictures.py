"""``as_grey``: pictures of 8 bits as they are, the mean of their colours."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import PIL.Image
import pytest

from bindrt import Depth, Thermal, preprocess
from bindrt.errors import InputError, SourceError

COLOURS = np.random.default_rng(3).integers(0, 256, (240, 320, 3), np.uint8)
FUNCTIONS: tuple[Any, ...] = (preprocess.depth, preprocess.thermal)


def file_of(picture: PIL.Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_mean_of_the_colours(function: Any) -> None:
    expected = preprocess.thermal(COLOURS.mean(axis=2), low=0, high=255)
    picture = PIL.Image.fromarray(COLOURS)
    for src in (picture, file_of(picture), file_of(picture, "BMP")):
        assert np.allclose(function(src, as_grey=True), expected, atol=1e-6)
        with pytest.raises(SourceError, match="colours"):
            function(src)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_grey_is_as_a_thermal_frame(function: Any) -> None:
    grey = np.ascontiguousarray(COLOURS[:, :, 0])
    expected = preprocess.thermal(grey)
    for picture in (PIL.Image.fromarray(grey), PIL.Image.fromarray(grey).convert("RGBA")):
        assert np.array_equal(function(file_of(picture), as_grey=True), expected)


def test_what_is_no_picture_of_eight_bits_is_read_as_ever() -> None:
    counts = COLOURS[:, :, 0].astype(np.uint16) * 100
    deep = file_of(PIL.Image.fromarray(counts))
    assert np.array_equal(preprocess.depth(deep, as_grey=True), preprocess.depth(counts))
    assert np.array_equal(preprocess.depth(counts, as_grey=True), preprocess.depth(counts))


def test_a_picture_is_turned() -> None:
    picture = PIL.Image.fromarray(COLOURS)
    exif = picture.getexif()
    exif[0x0112] = 6
    file = io.BytesIO()
    picture.save(file, "PNG", exif=exif)
    expected = preprocess.thermal(np.rot90(COLOURS.mean(axis=2), -1), low=0, high=255)
    assert np.allclose(preprocess.depth(file.getvalue(), as_grey=True, exif=True), expected, atol=1e-6)
    assert "exif_orientation" in preprocess.prepare("depth", Depth(file.getvalue(), as_grey=True)).notes


def test_a_unit_or_a_range_beside_it() -> None:
    for item in (Depth(COLOURS, unit="m", as_grey=True), Depth(COLOURS, camera="xtion", as_grey=True)):
        with pytest.raises(InputError, match="both as_grey and a unit"):
            preprocess.prepare("depth", item)
    for frame in (
        Thermal(COLOURS, low=0, high=9, as_grey=True),
        Thermal(COLOURS, unit="kelvin", as_grey=True),
    ):
        with pytest.raises(InputError, match="both as_grey and a range"):
            preprocess.prepare("thermal", frame)
