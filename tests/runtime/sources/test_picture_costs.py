"""Pictures that are cut where their packed data end well, and pictures that cost more than they show."""

from __future__ import annotations

import io
import struct

import numpy as np
import PIL.Image
import pytest

from bindrt import Image, LimitError, Limits, SourceError, preprocess
from bindrt.sources.jxlfile import jxl_size
from support.media import picture, picture_bytes
from support.png import png_file


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("colours", [False, True])
def test_a_png_that_lacks_rows(interlaced: bool, dtype: type[np.generic], colours: bool) -> None:
    pixels = picture().astype(dtype)
    pixels = pixels if colours else pixels[..., 0]
    whole = png_file(pixels, interlaced)
    shown = np.asarray(PIL.Image.open(io.BytesIO(whole)).convert("RGB"))
    np.testing.assert_array_equal(preprocess.image(whole), preprocess.image(shown))
    for missing in (1, 61, 61 * 20):
        for piece in (1000, 10_000_000):  # with one piece Pillow itself refuses it
            with pytest.raises(SourceError, match=r"(bytes of pixels|truncated).*is it complete"):
                preprocess.image(png_file(pixels, interlaced, missing, piece))


@pytest.mark.parametrize("interlaced", [False, True])
def test_black_rows_are_rows(interlaced: bool) -> None:
    pixels = picture().copy()
    pixels[20:] = 0
    np.testing.assert_array_equal(preprocess.image(png_file(pixels, interlaced)), preprocess.image(pixels))


def test_a_jpeg_that_is_closed_too_early_has_a_note() -> None:
    data = picture_bytes(
        "JPEG", picture(300, 200), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0"
    )
    cut = data[: len(data) // 2] + b"\xff\xd9"
    assert preprocess.prepare("image", cut).notes == {"damaged": 1, "exif_orientation": 6}
    assert preprocess.prepare("image", data).notes == {"exif_orientation": 6}
    assert preprocess.prepare("image", Image(data, exif=True)).notes == {"exif_turned": 6}
    cmyk = io.BytesIO()
    PIL.Image.fromarray(picture()).convert("CMYK").save(cmyk, "JPEG")
    assert preprocess.prepare("image", cmyk.getvalue()).notes == {}


def scans_of(data: bytes, times: int) -> bytes:
    """A progressive JPEG with its last scan so many times."""
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * times + data[-2:]


def test_scans_are_counted() -> None:
    data = picture_bytes("JPEG", picture(200, 160), progressive=True)
    np.testing.assert_array_equal(
        preprocess.image(data), preprocess.image(np.asarray(PIL.Image.open(io.BytesIO(data))))
    )
    with pytest.raises(LimitError, match=r"has 1\d{3} scans, the limit is 64.*max_scans"):
        preprocess.image(scans_of(data, 1342))
    for modality in ("depth", "thermal"):
        with pytest.raises(LimitError, match="scans"):
            preprocess.prepare(modality, scans_of(data, 100))
    with pytest.raises(LimitError, match="limit is 3"):
        preprocess.image(data, limits=Limits(max_scans=3))


def test_scans_of_one_colour_each_are_counted() -> None:
    """A sequential JPEG may have a scan for each colour, and more."""
    frame = b"\xff\xc0\0\x11\x08\0\x30\0\x40\3\1\x11\0\2\x11\0\3\x11\0"
    scan = b"\xff\xda\0\x08\1\1\0\0\x3f\0\x55\xff\0\x55"
    with pytest.raises(LimitError, match="has 65 scans"):
        preprocess.image(b"\xff\xd8" + frame + scan * 65 + b"\xff\xd9")
    with pytest.raises(SourceError):
        preprocess.image(b"\xff\xd8" + frame + scan * 64 + b"\xff\xd9")


def test_what_is_no_scan_is_not_counted() -> None:
    data = picture_bytes("JPEG", picture(200, 160))
    thumbnail = b"\xff\xda" * 300
    comment = b"\xff\xfe" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    film = b"\xff\xda" * 300
    np.testing.assert_array_equal(
        preprocess.image(data[:2] + comment + data[2:] + film), preprocess.image(data)
    )


def test_an_expensive_decoder_has_a_lower_limit() -> None:
    for fmt, options in (("WEBP", {"lossless": True}), ("AVIF", {"speed": 10}), ("JXL", {})):
        data = picture_bytes(fmt, np.zeros((300, 300, 3), np.uint8), **options)
        with pytest.raises(LimitError, match="300 x 300 pixels of this format"):
            preprocess.image(data, limits=Limits(max_picture_bytes=1_000_000))
    small = Limits(max_picture_bytes=1_000_000)
    assert preprocess.image(picture_bytes("PNG", picture(300, 300)), limits=small).shape == (3, 224, 224)


@pytest.mark.parametrize(("width", "height"), [(256, 256), (61, 47), (400, 401), (1920, 1080), (3000, 17)])
def test_the_size_of_a_jpeg_xl_is_known_before(width: int, height: int) -> None:
    data = picture_bytes("JXL", np.zeros((height, width, 3), np.uint8))
    assert jxl_size(data) == (width, height)
    with pytest.raises(LimitError, match=f"{width} x {height} pixels are more"):
        preprocess.image(data, limits=Limits(max_pixels=width * height - 1))

    def box(kind: bytes, content: bytes) -> bytes:
        return (len(content) + 8).to_bytes(4, "big") + kind + content

    start = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    boxed = start + box(b"free", bytes(9000)) + box(b"jxlc", data)
    assert jxl_size(boxed) == (width, height)
    np.testing.assert_array_equal(preprocess.image(boxed), preprocess.image(data))
    with pytest.raises(LimitError, match=f"{width} x {height} pixels are more"):
        preprocess.image(boxed, limits=Limits(max_pixels=width * height - 1))
    assert jxl_size(data[:3]) is None


@pytest.mark.parametrize("fmt", ["GIF", "WEBP", "AVIF", "PNG"])
def test_only_the_first_frame_is_decoded(fmt: str) -> None:
    """The frames behind may be as many as they like, and damaged."""
    frames = [PIL.Image.fromarray(picture(64, 48, seed=i)) for i in range(12)]
    out = io.BytesIO()
    frames[0].save(out, fmt, save_all=True, append_images=frames[1:])
    whole = out.getvalue()
    assert preprocess.image(whole).shape == (3, 224, 224)
    if fmt == "GIF":
        first = len(picture_bytes("GIF", picture(64, 48)))
        np.testing.assert_array_equal(preprocess.image(whole[: first + 500]), preprocess.image(whole))


def test_libtiff_writes_nothing_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(picture_bytes("TIFF", picture(300, 200), compression="tiff_lzw"))
    data[100:400] = bytes(300)
    for damaged in (bytes(data), bytes(data[:9000])):
        with pytest.raises(SourceError):
            preprocess.image(damaged)
    assert capfd.readouterr().err == ""


def _with(data: bytes, at: int, extra: bytes, times: int) -> bytes:
    return data[:at] + extra * times + data[at:]


def test_pieces_that_no_program_writes_so_many_of() -> None:
    """Pillow takes some microseconds for each of them."""
    png, jpeg = (picture_bytes(fmt) for fmt in ("PNG", "JPEG"))
    text = bytes(4) + b"tEXt" + bytes(4)
    for data in (_with(png, 33, text, 200_001), _with(jpeg, 2, b"\xff\xfe\0\2", 20_001)):
        with pytest.raises(SourceError, match=r"more than .* (chunks|segments)"):
            preprocess.image(data)
    count = 100_001
    behind = 10 + 12 * 8 + 4
    tags = [(256, 1, 1), (257, 1, count), (258, 1, 8), (259, 1, 1), (262, 1, 1)]
    tags += [(273, count, behind), (278, 1, 1), (279, count, behind + 4 * count)]
    tiff = (
        b"II*\0" + struct.pack("<IH", 8, 8) + b"".join(struct.pack("<HHII", t, 4, n, v) for t, n, v in tags)
    )
    tiff += bytes(4) + bytes(4 * count) + struct.pack("<I", 1) * count
    with pytest.raises(SourceError, match="made of 100001 pieces"):
        preprocess.image(tiff)


def test_kinds_that_pillow_decodes_in_python_are_smaller() -> None:
    """A DDS of masked colours, and a BMP in runs."""
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0)
    form = struct.pack("<IIII", 32, 0x40, 0, 24) + masks + bytes(20)
    dds = b"DDS " + struct.pack("<7I", 124, 0x1007, 30, 40, 0, 0, 0) + bytes(44) + form + bytes(3600)
    bmp = b"BM" + struct.pack("<IHHI", 0, 0, 0, 1078)
    bmp += struct.pack("<IiiHHIIiiII", 40, 40, 30, 1, 8, 1, 62, 0, 0, 256, 0) + bytes(1024)
    bmp += b"\x28\0\0\0" * 30 + b"\0\1"
    for data in (dds, bmp):
        preprocess.image(data)
        preprocess.image(data, limits=Limits(max_pixels=20 * 1200))
        with pytest.raises(LimitError, match="slow kind"):
            preprocess.image(data, limits=Limits(max_pixels=20 * 1200 - 20))
