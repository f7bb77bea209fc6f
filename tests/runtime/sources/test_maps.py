"""Depth maps and thermal frames in pictures: however the grey is stored, with all its bits."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest

from bindrt import Depth, LimitError, Limits, SourceError, Thermal, preprocess
from support.media import picture, picture_bytes
from support.png import png_file

GREY = picture()[..., 0]
COUNTS = (np.add.outer(np.arange(30), np.arange(40)) * 60 + 500).astype(np.uint16)
FULL = np.full_like(COUNTS, 65535)


def png(image: PIL.Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("mode", ["L", "P", "LA", "RGB", "RGBA"])
def test_grey_however_it_is_stored(mode: str) -> None:
    data = png(PIL.Image.fromarray(GREY).convert(mode))
    np.testing.assert_array_equal(preprocess.thermal(data), preprocess.thermal(GREY))
    with pytest.raises(ValueError, match="8-bit values hold no depth"):
        preprocess.depth(data)


def test_a_palette_counts_by_its_colours() -> None:
    """The numbers of the palette's entries are not counts."""
    image = PIL.Image.fromarray(255 - GREY, "P")
    image.putpalette([255 - i for i in range(256) for _ in range(3)])
    np.testing.assert_array_equal(preprocess.thermal(png(image)), preprocess.thermal(GREY))
    false = PIL.Image.fromarray(GREY, "P")
    false.putpalette([n for i in range(256) for n in (i, 0, 255 - i)])
    with pytest.raises(SourceError, match="colours"):
        preprocess.thermal(png(false))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("interlaced", [False, True])
def test_all_sixteen_bits_of_a_png(channels: int, interlaced: bool) -> None:
    planes = {1: [COUNTS], 2: [COUNTS, FULL], 3: [COUNTS] * 3, 4: [COUNTS] * 3 + [FULL]}[channels]
    data = png_file(np.dstack(planes) if channels > 1 else COUNTS, interlaced)
    for unit in (None, "mm", "tum"):
        np.testing.assert_array_equal(preprocess.depth(data, unit=unit), preprocess.depth(COUNTS, unit=unit))
    np.testing.assert_array_equal(
        preprocess.thermal(data, low=500, high=4000), preprocess.thermal(COUNTS, low=500, high=4000)
    )


@pytest.mark.parametrize("layout", ["rgb48le", "rgba64le"])
def test_all_sixteen_bits_of_a_tiff(layout: str) -> None:
    channels = 3 if layout == "rgb48le" else 4
    encoder = av.CodecContext.create("tiff", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 40, 30, layout
    encoder.time_base = Fraction(1)
    frame = av.VideoFrame(40, 30, layout)
    rows = np.zeros((30, frame.planes[0].line_size // 2), np.uint16)
    rows[:, : 40 * channels] = np.dstack([COUNTS] * 3 + [FULL] * (channels - 3)).reshape(30, -1)
    frame.planes[0].update(rows.tobytes())
    frame.pts = 0
    data = b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
    np.testing.assert_array_equal(preprocess.depth(data), preprocess.depth(COUNTS))


def test_sixteen_bits_that_differ_are_colours() -> None:
    """By less than the top eight bits show."""
    data = png_file(np.dstack([COUNTS, COUNTS, COUNTS + 3]))
    with pytest.raises(SourceError, match="colours"):
        preprocess.depth(data)


@pytest.mark.parametrize("fmt", ["AVIF", "HEIF", "JXL"])
def test_no_depth_in_eight_of_more_bits(fmt: str) -> None:
    data = picture_bytes(fmt, GREY)
    with pytest.raises(SourceError, match="top eight bits"):
        preprocess.depth(data, unit="mm")
    assert preprocess.thermal(data).shape == (1, 224, 224)


def test_jpeg_xl_of_sixteen_bits() -> None:
    data = picture_bytes("JXL", COUNTS, lossless=True)
    np.testing.assert_array_equal(preprocess.depth(data), preprocess.depth(COUNTS))


def test_thermal_tiff(tmp_path: object) -> None:
    kelvin = (COUNTS + 27_000).astype(np.uint16)
    data = picture_bytes("TIFF", kelvin)
    celsius = kelvin / 100 - 273.15
    np.testing.assert_allclose(
        preprocess.thermal(data, low=0, high=40, unit="centikelvin"),
        preprocess.thermal(celsius, low=0, high=40),
        atol=1e-6,
    )


def test_limits_come_before_the_pixels() -> None:
    small = Limits(max_pixels=1000)
    for data in (png_file(np.dstack([COUNTS] * 3)), picture_bytes("TIFF", COUNTS)):
        with pytest.raises(LimitError, match="40 x 30"):
            preprocess.depth(data, limits=small)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_map(orientation: int) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    upright = np.asarray(_upright(PIL.Image.fromarray(COUNTS), orientation))
    for data, options in (
        (picture_bytes("PNG", COUNTS, exif=exif), {}),
        (picture_bytes("PNG", GREY, exif=exif), {"unit": "mm"}),
    ):
        source = COUNTS if not options else GREY
        stored = preprocess.prepare("depth", Depth(data, **options))
        turned = preprocess.prepare("depth", Depth(data, exif=True, **options))
        want = np.asarray(_upright(PIL.Image.fromarray(source), orientation))
        np.testing.assert_array_equal(stored.array, preprocess.depth(source, **options))
        np.testing.assert_array_equal(turned.array, preprocess.depth(want, **options))
        assert stored.notes.get("exif_orientation", 1) == orientation
        assert turned.notes.get("exif_turned", 1) == orientation
    thermal = preprocess.prepare(
        "thermal", Thermal(picture_bytes("PNG", COUNTS, exif=exif), 0, 5000, exif=True)
    )
    np.testing.assert_array_equal(thermal.array, preprocess.thermal(upright, 0, 5000))
    assert thermal.notes.get("exif_turned", 1) == orientation


def _upright(image: PIL.Image.Image, orientation: int) -> PIL.Image.Image:
    image.getexif()[0x0112] = orientation
    return PIL.ImageOps.exif_transpose(image)
