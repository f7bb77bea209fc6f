"""JPEGs that go from the decoder straight into the resize: the same numbers as through Pillow's picture."""

from __future__ import annotations

import io
from typing import Any
from unittest import mock

import numpy as np
import PIL.Image
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import ImageFile, _imaging, features

from bindrt import Error, LimitError, Limits, _core, preprocess
from bindrt.modalities.steps import jpeg
from bindrt.preprocess import dispatch
from support.media import picture, picture_bytes

MANY = 10**9

pytestmark = pytest.mark.skipif(
    jpeg._reader() is None, reason="this Pillow does not use libjpeg-turbo with the usual interface"
)


@pytest.fixture
def reader() -> _core.JpegReader:
    return _core.JpegReader(_imaging.__file__)


def through_pillow(data: bytes) -> np.ndarray:
    with PIL.Image.open(io.BytesIO(data)) as image:
        return _core.image_input(np.asarray(image.convert("RGB")))


def noisy(width: int, height: int, seed: int, grey: bool) -> np.ndarray:
    """Colours that change within a few pixels, so that a wrong neighbour shows."""
    pixels = np.random.default_rng(seed).integers(
        0, 256, ((height + 2) // 3, (width + 2) // 3, 3), dtype=np.uint8
    )
    pixels = pixels.repeat(3, 0).repeat(3, 1)[:height, :width]
    return pixels[..., 0] if grey else pixels


def encoded(pixels: np.ndarray, **options: Any) -> bytes:
    """A JPEG; Pillow's encoder cannot grow its buffer, and noise needs more than it expects."""
    with mock.patch.object(ImageFile, "MAXBLOCK", 1 << 23):
        return picture_bytes("JPEG", pixels, **options)


def test_wheels_have_what_it_takes(reader: _core.JpegReader) -> None:
    assert features.check_feature("libjpeg_turbo")
    assert reader.input(picture_bytes("JPEG"), MANY) is not None


@settings(deadline=None, max_examples=120)
@given(
    st.integers(1, 900),
    st.integers(1, 900),
    st.booleans(),
    st.fixed_dictionaries(
        {
            "quality": st.integers(1, 100),
            "subsampling": st.sampled_from([0, 1, 2]),
            "progressive": st.booleans(),
            "restart_marker_blocks": st.sampled_from([0, 1, 7]),
        }
    ),
)
def test_as_pillow_decodes(width: int, height: int, grey: bool, options: dict[str, Any]) -> None:
    assume(max(width, height) <= 250 * min(width, height))
    data = encoded(noisy(width, height, width, grey), **options)
    direct = _core.JpegReader(_imaging.__file__).input(data, MANY)
    assert direct is not None
    np.testing.assert_array_equal(direct, through_pillow(data))


@pytest.mark.parametrize("size", [(1920, 300), (300, 1920), (3000, 20), (20, 3000)])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_long_pictures(
    reader: _core.JpegReader, size: tuple[int, int], subsampling: int, progressive: bool
) -> None:
    data = encoded(noisy(*size, 1, False), subsampling=subsampling, progressive=progressive, quality=90)
    direct = reader.input(data, MANY)
    assert direct is not None
    np.testing.assert_array_equal(direct, through_pillow(data))


@pytest.mark.filterwarnings("ignore")
@settings(deadline=None, max_examples=150)
@given(st.data(), st.booleans())
def test_damage_is_left_to_pillow(data: st.DataObject, progressive: bool) -> None:
    """Whatever it still reads is what Pillow reads."""
    whole = bytearray(picture_bytes("JPEG", picture(90, 200), progressive=progressive))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(whole[: data.draw(st.integers(len(whole) // 3, len(whole)))])
    direct = _core.JpegReader(_imaging.__file__).input(damaged, 10**7)
    if direct is not None:
        np.testing.assert_array_equal(direct, through_pillow(damaged))
    try:
        result = preprocess.image(damaged, limits=Limits(max_pixels=10**7))
    except Error:
        assert direct is None
    else:
        assert np.isfinite(result).all()


def test_cut_anywhere(reader: _core.JpegReader) -> None:
    data = picture_bytes("JPEG", picture(40, 300))  # its last rows are outside the square
    for end in range(0, len(data), 7):
        assert reader.input(data[:end], MANY) is None
    assert reader.input(data[:-1], MANY) is None
    assert reader.input(data + b"more", MANY) is not None


def test_what_is_not_for_it(reader: _core.JpegReader) -> None:
    cmyk = io.BytesIO()
    PIL.Image.fromarray(picture()).convert("CMYK").save(cmyk, "JPEG")
    for data in (b"", b"\xff\xd8\xff", bytes(100), picture_bytes("PNG"), cmyk.getvalue()):
        assert reader.input(data, MANY) is None
    assert reader.input(picture_bytes("JPEG"), 61 * 47) is not None
    assert reader.input(picture_bytes("JPEG"), 61 * 47 - 1) is None
    with pytest.raises(LimitError, match="61 x 47"):
        preprocess.image(picture_bytes("JPEG"), limits=Limits(max_pixels=61 * 47 - 1))
    np.testing.assert_array_equal(
        preprocess.image(cmyk.getvalue()),
        through_pillow(cmyk.getvalue()),
    )
    for path in ("/nowhere/libjpeg.so", "", _core.__file__):
        with pytest.raises(ValueError, match="libjpeg-turbo"):
            _core.JpegReader(path)


def test_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    data = picture_bytes("JPEG", picture(500, 400))
    direct = preprocess.image(data)
    monkeypatch.setattr(jpeg, "_reader", lambda: None)
    monkeypatch.setattr(dispatch, "prepare_ordinary", lambda *_: None)
    np.testing.assert_array_equal(preprocess.image(data), direct)


def test_half_into_an_array(reader: _core.JpegReader) -> None:
    data = picture_bytes("JPEG")
    out = np.empty((3, 224, 224), np.float16)
    assert reader.input(data, MANY, half=True, out=out) is out
    np.testing.assert_array_equal(out, preprocess.image(data).astype(np.float16))
