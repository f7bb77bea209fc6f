"""Pictures of every format, right or damaged."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest

from bindrt import Image, LimitError, Limits, SourceError, preprocess
from support.golden import pixels
from support.media import picture, picture_bytes, png_header

FORMATS: list[tuple[str, dict[str, Any]]] = [
    ("JPEG", {"quality": 95}),
    ("PNG", {}),
    ("WEBP", {"lossless": True}),
    ("BMP", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("GIF", {}),
    ("AVIF", {"quality": 90}),
    ("PPM", {}),
    ("HEIF", {"quality": 90}),
    ("JXL", {"lossless": True}),
    ("JPEG2000", {}),
    ("JPEG2000", {"no_jp2": True}),
    ("QOI", {}),
    ("PCX", {}),
    ("SGI", {}),
    ("DDS", {}),
    ("ICO", {}),
]


@pytest.mark.parametrize(("fmt", "options"), FORMATS)
def test_as_pillow_reads_it(fmt: str, options: dict[str, Any]) -> None:
    data = picture_bytes(fmt, **options)
    decoded = np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGB"))
    np.testing.assert_array_equal(preprocess.image(data), preprocess.image(decoded))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize(("fmt", "options"), FORMATS)
def test_truncated(fmt: str, options: dict[str, Any]) -> None:
    data = picture_bytes(fmt, picture(300, 200), **options)
    for keep in (len(data) // 2, 20):
        with pytest.raises(SourceError, match="<bytes"):
            preprocess.image(data[:keep])


def test_pillow_says_nothing_of_its_own() -> None:
    """In a process of its own, since pytest takes warnings away from stderr."""
    code = (
        "import io, numpy as np, PIL.Image, bindrt\n"
        "out = io.BytesIO(); PIL.Image.fromarray(np.zeros((90, 70, 3), np.uint8)).save(out, 'TIFF')\n"
        "try: bindrt.preprocess.image(out.getvalue()[:9000])\n"
        "except bindrt.SourceError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "<bytes, 9000 B>" in done.stdout
    assert done.stderr == ""


def test_notes_are_plain_numbers() -> None:
    counts = np.full((60, 80), 3000, np.uint16)
    notes = preprocess.prepare("image", picture_bytes("PNG", counts)).notes
    assert [type(value) for value in notes.values()] == [float]


@pytest.mark.parametrize("fmt", ["GIF", "WEBP"])
def test_first_frame_of_an_animation(fmt: str) -> None:
    first, second = (PIL.Image.fromarray(picture(seed=s)) for s in (1, 2))
    out = io.BytesIO()
    first.save(out, fmt, save_all=True, append_images=[second], lossless=True)
    alone = io.BytesIO()
    first.save(alone, fmt, lossless=True)
    np.testing.assert_array_equal(preprocess.image(out.getvalue()), preprocess.image(alone.getvalue()))


def test_suffix_does_not_matter(tmp_path: Any) -> None:
    path = tmp_path / "picture.wav"
    path.write_bytes(picture_bytes("PNG"))
    np.testing.assert_array_equal(preprocess.image(path), preprocess.image(picture()))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr"])
def test_modes(mode: str) -> None:
    source = PIL.Image.fromarray(picture()).convert(mode)
    out = io.BytesIO()
    source.save(out, "TIFF" if mode in ("CMYK", "YCbCr") else "PNG")
    decoded = np.asarray(PIL.Image.open(io.BytesIO(out.getvalue())).convert("RGB"))
    np.testing.assert_array_equal(preprocess.image(out.getvalue()), preprocess.image(decoded))


def test_exif_orientation_is_an_option() -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    data = picture_bytes("PNG", exif=exif)
    np.testing.assert_array_equal(preprocess.image(data), preprocess.image(picture()))
    turned = np.rot90(picture(), -1)
    np.testing.assert_array_equal(preprocess.image(data, exif=True), preprocess.image(turned))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_turned_picture_has_a_note(fmt: str, orientation: int) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    data = picture_bytes(fmt, exif=exif)
    stored = PIL.Image.open(io.BytesIO(data))
    plain, turned = (preprocess.prepare("image", Image(data, exif=exif)) for exif in (False, True))
    assert plain.notes == ({} if orientation == 1 else {"exif_orientation": orientation})
    assert turned.notes == ({} if orientation == 1 else {"exif_turned": orientation})
    np.testing.assert_array_equal(plain.array, preprocess.image(np.asarray(stored.convert("RGB"))))
    upright = PIL.ImageOps.exif_transpose(stored).convert("RGB")
    np.testing.assert_array_equal(turned.array, preprocess.image(np.asarray(upright)))


@pytest.mark.parametrize("fmt", ["TIFF", "HEIF"])
def test_what_the_decoder_turns_has_no_note(fmt: str) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    data = picture_bytes(fmt, exif=exif)
    for given in (False, True):
        assert preprocess.prepare("image", Image(data, exif=given)).notes == {}


def test_the_orientation_may_stand_in_xmp() -> None:
    xmp = b'http://ns.adobe.com/xap/1.0/\0<rdf tiff:Orientation="6"/>'
    data = picture_bytes("JPEG")
    data = data[:2] + b"\xff\xe1" + (len(xmp) + 2).to_bytes(2, "big") + xmp + data[2:]
    assert preprocess.prepare("image", data).notes == {"exif_orientation": 6}


def test_damaged_exif_is_no_orientation() -> None:
    data = picture_bytes("JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    assert preprocess.prepare("image", Image(data, exif=True)).notes == {}


def test_grey16_is_an_option() -> None:
    grey = np.linspace(0, 65535, 224 * 224).astype(np.uint16).reshape(224, 224)
    data = picture_bytes("PNG", grey)
    assert (pixels(preprocess.image(data))[2:] == 255).all()
    assert preprocess.prepare("image", data).notes == {"clipped_share": (grey > 255).mean()}
    assert preprocess.prepare("image", Image(data, grey16="full")).notes == {}
    assert preprocess.prepare("image", picture_bytes("PNG", grey % 256)).notes == {}
    full = pixels(preprocess.image(data, grey16="full"))
    np.testing.assert_array_equal(full[..., 0], np.rint(grey / 257).astype(np.uint8))


def test_arrays_of_every_layout() -> None:
    rgb = picture()
    expected = preprocess.image(rgb)
    rgba = np.dstack((rgb, np.full(rgb.shape[:2], 7, np.uint8)))
    np.testing.assert_array_equal(preprocess.image(rgba), expected)
    np.testing.assert_array_equal(preprocess.image(Image(rgb[..., ::-1], "BGR")), expected)
    grey = rgb[..., 0]
    np.testing.assert_array_equal(preprocess.image(grey), preprocess.image(np.dstack([grey] * 3)))


def test_a_bomb_is_stopped_at_its_header() -> None:
    with pytest.raises(LimitError, match="30000 x 30000"):
        preprocess.image(png_header(30000, 30000))


def test_limits_above_and_below_pillows_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 60_000)
    large = picture(400, 401)
    expected = preprocess.image(large)
    for fmt, options in FORMATS[1:6]:
        np.testing.assert_array_equal(preprocess.image(picture_bytes(fmt, large, **options)), expected)
    assert PIL.Image.MAX_IMAGE_PIXELS == 60_000
    with pytest.raises(LimitError, match="400 x 401"):
        preprocess.image(picture_bytes("PNG", large), limits=Limits(max_pixels=400 * 400))


def test_threads_share_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 60_000)
    data = [
        picture_bytes(fmt, picture(400, 401, seed=i), **options) for i, (fmt, options) in enumerate(FORMATS)
    ]
    expected = [preprocess.image(d) for d in data]
    errors: list[BaseException] = []

    def work(index: int) -> None:
        try:
            for _ in range(5):
                np.testing.assert_array_equal(preprocess.image(data[index]), expected[index])
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(data))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert PIL.Image.MAX_IMAGE_PIXELS == 60_000


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (224, 224), (223, 225)])
def test_extreme_sizes(shape: tuple[int, int]) -> None:
    out = preprocess.image(np.full((*shape, 3), 9, np.uint8))
    assert out.shape == (3, 224, 224)
    assert (pixels(out) == 9).all()
