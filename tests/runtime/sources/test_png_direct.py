"""PNGs that libdeflate unpacks: the same numbers, notes and errors as through Pillow's decoder."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bindrt
from bindrt import Error, LimitError, Limits, _core, preprocess
from bindrt.modalities.steps import png
from bindrt.preprocess import dispatch
from support.media import picture, picture_bytes
from support.png import png_file

MANY = 10**9
MODES = ("L", "RGB", "RGBA", "P", "LA", "I;16")

deflate = pytest.importorskip("deflate._deflate", reason="the package deflate is not installed")


@pytest.fixture
def reader() -> _core.PngReader:
    found = png._reader()
    assert found is not None
    return found


def noisy(width: int, height: int, seed: int) -> np.ndarray:
    """Colours that change within a few pixels, some of them all alike."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, ((height + 2) // 3, (width + 2) // 3, 4), dtype=np.uint8)
    pixels = small.repeat(3, 0).repeat(3, 1)[:height, :width]
    return np.where(random.random((height, width, 1)) < 0.3, pixels // 2, pixels).astype(np.uint8)


def encoded(pixels: np.ndarray, mode: str, **options: Any) -> bytes:
    """A PNG of a mode, from pixels [H, W, 4]."""
    if mode == "I;16":
        image = PIL.Image.fromarray(pixels[..., :2].copy().view(np.uint16)[..., 0])
    elif mode == "P":
        image = PIL.Image.fromarray(pixels[..., :3].copy()).quantize(200)
        options.setdefault("bits", 8)
    else:
        image = PIL.Image.fromarray(pixels).convert(mode)
    out = io.BytesIO()
    image.save(out, "PNG", **options)
    return out.getvalue()


def told(call: Any) -> tuple[Any, ...]:
    """What a call returns or raises, to compare."""
    try:
        result = call()
    except Error as error:
        return type(error), str(error)
    return tuple(result.image.tolist()) if hasattr(result, "image") else (result.dtype, result.tobytes())


def both(call: Any) -> tuple[Any, Any]:
    """What a call gives directly, and through Pillow."""
    direct = told(call)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(png, "_reader", lambda: None)
        patch.setattr(dispatch, "prepare_ordinary", lambda *_: None)
        return direct, told(call)


@settings(deadline=None, max_examples=150)
@given(
    st.integers(1, 400),
    st.integers(1, 300),
    st.sampled_from(MODES),
    st.fixed_dictionaries({"compress_level": st.integers(0, 9), "optimize": st.booleans()}),
)
def test_as_pillow_decodes(width: int, height: int, mode: str, options: dict[str, Any]) -> None:
    if max(width, height) > 250 * min(width, height):
        width = height
    data = encoded(noisy(width, height, width), mode, **options)
    found = png._reader()
    assert found is not None
    few_bits = data[24] < 8  # of a palette with few colours
    assert (found.input(data, MANY) is None) == (mode == "I;16" or few_bits)
    assert (found.grey(data, MANY) is None) == (mode not in ("L", "LA", "I;16"))
    for call in (preprocess.image, preprocess.thermal if mode != "I;16" else preprocess.depth):
        direct, through_pillow = both(lambda call=call: call(data))
        assert direct == through_pillow


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("interlaced", [False, True])
def test_sixteen_bits(reader: _core.PngReader, channels: int, interlaced: bool) -> None:
    values = np.random.default_rng(channels).integers(0, 65536, (60, 80, channels), dtype=np.uint16)
    data = png_file(values if channels > 1 else values[..., 0], interlaced)
    assert (reader.input(data, MANY) is None) == (channels == 1 or interlaced)
    for call in (preprocess.image, preprocess.depth):
        direct, through_pillow = both(lambda call=call: call(data))
        assert direct == through_pillow
    if channels == 1 and not interlaced:
        np.testing.assert_array_equal(reader.grey(data, MANY), values[..., 0])


@pytest.mark.filterwarnings("ignore")
@settings(deadline=None, max_examples=200)
@given(st.data(), st.sampled_from(MODES))
def test_damage_is_told_as_by_pillow(data: st.DataObject, mode: str) -> None:
    whole = bytearray(encoded(noisy(40, 30, 1), mode))
    for _ in range(data.draw(st.integers(0, 3))):
        whole[data.draw(st.integers(8, len(whole) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(whole[: data.draw(st.integers(len(whole) // 2, len(whole)))])
    limits = Limits(max_pixels=10**6)
    for call in (preprocess.image, preprocess.depth):
        direct, through_pillow = both(lambda call=call: call(damaged, limits=limits))
        assert direct == through_pillow


@pytest.mark.parametrize("mode", MODES)
def test_cut_anywhere(reader: _core.PngReader, mode: str) -> None:
    data = encoded(noisy(30, 20, 2), mode)
    for end in range(len(data)):
        assert reader.input(data[:end], MANY) is None
        assert reader.grey(data[:end], MANY) is None


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def exif(orientation: int) -> bytes:
    return b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HHI", orientation, 0, 0)


@pytest.mark.parametrize("turn", [False, True])
@pytest.mark.parametrize("after", [False, True])
def test_orientation_before_and_after_the_pixels(turn: bool, after: bool) -> None:
    data = encoded(noisy(70, 50, 3), "RGB")
    at = data.index(b"IEND") - 4 if after else data.index(b"IDAT") - 4
    turned = data[:at] + chunk(b"eXIf", exif(6)) + data[at:]
    item = bindrt.Image(turned, exif=turn)
    direct, through_pillow = both(lambda: preprocess.image(item))
    assert direct == through_pillow
    model = bindrt.load("tiny")
    notes = model.embed(image=[item]).notes
    assert notes == {("image", 0): {"exif_turned" if turn else "exif_orientation": 6}}


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"tEXt", b"date:create\x00now"),
        chunk(b"tIME", bytes(7)),
        chunk(b"tEXt", b"exif\0" + exif(3)),
        chunk(b"prIV", b"own"),
        chunk(b"IDAT", b"more"),
        chunk(b"ABCD", b"critical"),
        b"\xff" * 12,
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_other_chunks(extra: bytes, after: bool) -> None:
    data = encoded(noisy(70, 50, 4), "RGB")
    at = data.index(b"IEND") - 4 if after else data.index(b"IDAT") - 4
    direct, through_pillow = both(lambda: preprocess.image(data[:at] + extra + data[at:]))
    assert direct == through_pillow


@pytest.mark.parametrize("options", [{"bits": 1}, {"bits": 2}, {"bits": 4}])
def test_few_colours(options: dict[str, Any]) -> None:
    direct, through_pillow = both(lambda: preprocess.image(encoded(noisy(70, 50, 5), "P", **options)))
    assert direct == through_pillow


def test_colours_beyond_the_palette(reader: _core.PngReader) -> None:
    data = bytearray(encoded(noisy(70, 50, 5), "P"))
    at = data.index(b"PLTE") - 4
    length = int.from_bytes(data[at : at + 4], "big")
    short = bytes(data[:at]) + chunk(b"PLTE", bytes(data[at + 8 : at + 14])) + bytes(data[at + 12 + length :])
    assert reader.input(short, MANY) is None
    direct, through_pillow = both(lambda: preprocess.image(short))
    assert direct == through_pillow


def test_transparency_and_animation(reader: _core.PngReader) -> None:
    colours = noisy(70, 50, 6)
    data = encoded(colours, "RGB", transparency=tuple(int(x) for x in colours[0, 0, :3]))
    assert reader.input(data, MANY) is not None
    moving = io.BytesIO()
    first, second = (PIL.Image.fromarray(picture(60, 40, seed)) for seed in (1, 2))
    first.save(moving, "PNG", save_all=True, append_images=[second])
    assert reader.input(moving.getvalue(), MANY) is None
    for file in (data, moving.getvalue()):
        direct, through_pillow = both(lambda file=file: preprocess.image(file))
        assert direct == through_pillow


def test_limits(reader: _core.PngReader) -> None:
    data = picture_bytes("PNG")
    assert reader.input(data, 61 * 47) is not None
    assert reader.input(data, 61 * 47 - 1) is None
    assert reader.grey(picture_bytes("PNG", picture()[..., 0].copy()), 61 * 47 - 1) is None
    with pytest.raises(LimitError, match="61 x 47"):
        preprocess.image(data, limits=Limits(max_pixels=61 * 47 - 1))
    with pytest.raises(LimitError, match="max_picture_bytes"):
        preprocess.image(data, limits=Limits(max_picture_bytes=61 * 47 * 9))


def test_what_is_not_for_it(reader: _core.PngReader) -> None:
    for data in (b"", b"\x89PNG\r\n\x1a\n", bytes(100), picture_bytes("JPEG")):
        assert reader.input(data, MANY) is None
        assert reader.grey(data, MANY) is None
    for path in ("/nowhere/libdeflate.so", "", _core.__file__):
        with pytest.raises(ValueError, match="libdeflate"):
            _core.PngReader(path)


def test_half_into_an_array(reader: _core.PngReader) -> None:
    data = picture_bytes("PNG")
    out = np.empty((3, 224, 224), np.float16)
    assert reader.input(data, MANY, half=True, out=out) is out
    np.testing.assert_array_equal(out, preprocess.image(data).astype(np.float16))
