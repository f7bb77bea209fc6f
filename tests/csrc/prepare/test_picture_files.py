"""JPEG and PNG files that csrc/prepare reads: the same numbers and notes as Python's way, or left to it."""

from __future__ import annotations

import io
import os
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import bindrt
from bindrt import Depth, Error, Image, Limits, Thermal
from support import damage
from support.both_ways import is_ordinary
from support.media import picture, picture_bytes
from support.png import png_file
from support.seeds import Seed, all_seeds
from support.structure import with_png_sums

WRAPPERS: dict[str, Any] = {"image": Image, "depth": Depth, "thermal": Thermal}
COUNTS = np.random.default_rng(2).integers(400, 9000, (60, 80), dtype=np.uint16)
#: The files of these kinds that are left to Python, of all seeds.
LEFT = {
    *("interlaced.png", "grey16.png", "grey16-full.png", "golden/cmyk.jpg", "golden/grey16.png"),
    *("rgb16.png", "grey-alpha16.png", "flir.jpg", "flir-png.jpg"),
}


def wrap(seed: Seed) -> Any:
    return WRAPPERS[seed.modality](seed.data, **seed.options)


def is_ours(data: bytes) -> bool:
    return data.startswith((b"\xff\xd8\xff", b"\x89PNG"))


SEEDS = [s for s in all_seeds() if s.modality in WRAPPERS]


def test_the_files_that_are_left() -> None:
    assert {seed.name for seed in SEEDS} >= LEFT


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"{seed.modality}-{seed.name}")
def test_good_files(seed: Seed) -> None:
    expected = is_ours(seed.data) and seed.name not in LEFT
    assert is_ordinary(seed.modality, wrap(seed)) == expected


def test_damaged_files() -> None:
    """Whatever is still read is what Python reads; all else is an error, or Python's to read."""
    files = [s for s in SEEDS if is_ours(s.data) and len(s.data) < 60_000]
    limits = Limits(max_pixels=2_000_000)
    kept = 0
    for number in range(6000):
        rng = random.Random(number)
        seed = files[number % len(files)]
        harm = rng.choice((damage.mutated, damage.lying, damage.flipped, damage.cut, damage.removed))
        data = harm(seed.data, rng)
        if data.startswith(b"\x89PNG") and rng.random() < 0.7:
            data = with_png_sums(data)
        kept += is_ordinary(seed.modality, WRAPPERS[seed.modality](data, **seed.options), limits)
    assert kept > 200


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def tags(orientation: int, order: str = ">", kind: int = 3) -> bytes:
    begin = b"MM\0*" if order == ">" else b"II*\0"
    value = struct.pack(
        order + ("HH" if kind == 3 else "I"), *((orientation, 0) if kind == 3 else (orientation,))
    )
    return begin + struct.pack(order + "IHHHI", 8, 1, 0x0112, kind, 1) + value + bytes(4)


XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="8"/></x:xmpmeta>'
#: A chunk before the pixels, and whether the file is then still read without Python.
CHUNKS: list[tuple[bytes, bool]] = [
    (chunk(b"eXIf", tags(6)), True),
    (chunk(b"eXIf", tags(3, "<", 4)), True),
    (chunk(b"eXIf", b"no tags"), True),
    (chunk(b"eXIf", tags(9)), True),
    (chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP), True),
    (chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP)), False),
    (chunk(b"iTXt", b"Title\0\0\0en\0Titel\0a bell"), True),
    (chunk(b"iTXt", b"Title\0\1\0\0\0" + zlib.compress(b"a bell")), True),
    (chunk(b"iTXt", b"Title"), True),
    (chunk(b"tEXt", b"Software\0of a camera"), True),
    (chunk(b"tEXt", b"Software"), True),
    (chunk(b"tEXt", b"exif\0" + tags(6)), False),
    (chunk(b"tEXt", b"xmp\0" + XMP), False),
    (chunk(b"tEXt", b"bbox\00"), False),
    (chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a bell")), True),
    (chunk(b"zTXt", b"Comment\0\1" + zlib.compress(b"a bell")), False),
    (chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2 << 20))), False),
    (chunk(b"zTXt", b"Comment\0\0no zlib"), True),
    (chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(random.Random(0).randbytes(3000))), True),
    (chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(bytes(2 << 20))), False),
    (chunk(b"iCCP", b"sRGB\0\1" + zlib.compress(b"x")), False),
    (chunk(b"iCCP", b"sRGB"), False),
    (chunk(b"gAMA", struct.pack(">I", 45455)), True),
    (chunk(b"gAMA", b"\0"), False),
    (chunk(b"cHRM", bytes(32)), True),
    (chunk(b"cHRM", bytes(31)), False),
    (chunk(b"sRGB", b"\0"), True),
    (chunk(b"sRGB", b""), False),
    (chunk(b"pHYs", bytes(9)), True),
    (chunk(b"pHYs", bytes(8)), False),
    (chunk(b"tRNS", bytes(6)), True),
    (chunk(b"tRNS", bytes(4)), False),
    (chunk(b"bKGD", bytes(1)), True),
    (chunk(b"prIV", b"own"), True),
    (chunk(b"a1B2", b"digits"), False),
    (chunk(b"tEXt", b"Title\0a bell")[:-1] + b"!", False),
    (chunk(b"acTL", bytes(8)), False),
]


@pytest.mark.parametrize(("extra", "read"), CHUNKS, ids=lambda value: str(value)[:30])
@pytest.mark.parametrize("exif", [False, True])
def test_chunks(extra: bytes, read: bool, exif: bool) -> None:
    data = png_file(picture(70, 50))
    at = data.index(b"IDAT") - 4
    item = Image(data[:at] + extra + data[at:], exif=exif)
    turned = exif and any(part in extra for part in (tags(6), tags(3, "<", 4), XMP))
    assert is_ordinary("image", item) == (read and not turned)


def with_segment(data: bytes, marker: int, content: bytes) -> bytes:
    return data[:2] + bytes([0xFF, marker]) + struct.pack(">H", 2 + len(content)) + content + data[2:]


SEGMENTS = {
    "exif": (0xE1, b"Exif\0\0" + tags(6), True),
    "little": (0xE1, b"Exif\0\0" + tags(5, "<"), True),
    "xmp": (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP, True),
    "long-xmp": (0xE1, b"http://ns.adobe.com/xap/" + XMP, False),
    "photoshop": (0xED, b"Photoshop 3.0\x008BIM", False),
    "flir": (0xE1, b"FLIR\0\1\0\0FFF\0", False),
    "adobe": (0xEE, b"Adobe\0\x64\0\0\0\0\1", True),
    "comment": (0xFE, b"a bell", True),
    "profile": (0xE2, b"ICC_PROFILE\0\1\1" + bytes(100), True),
    "short-profile": (0xE2, b"ICC_PROFILE\0", False),
    "own": (0xE7, bytes(50), True),
}


@pytest.mark.parametrize("name", SEGMENTS)
@pytest.mark.parametrize("progressive", [False, True])
def test_segments(name: str, progressive: bool) -> None:
    """All of them are read as images; as maps, those for which Pillow's part is sure."""
    marker, content, as_map = SEGMENTS[name]
    data = picture_bytes("JPEG", picture(70, 50)[..., 0].copy(), progressive=progressive)
    data = with_segment(data, marker, content)
    assert is_ordinary("image", Image(data))
    assert is_ordinary("thermal", Thermal(data)) == as_map
    assert is_ordinary("depth", Depth(data, unit="disparity")) == as_map
    turned = name in ("exif", "little", "xmp")
    assert is_ordinary("thermal", Thermal(data, exif=True)) == (as_map and not turned)


def test_metadata_in_pieces() -> None:
    data = picture_bytes("JPEG", picture(70, 50)[..., 0].copy())
    twice = with_segment(with_segment(data, 0xE1, b"Exif\0\0" + tags(6)), 0xE1, b"Exif\0\0" + tags(3))
    assert is_ordinary("image", Image(twice))
    assert not is_ordinary("thermal", Thermal(twice))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P"])
@pytest.mark.parametrize("fmt", ["PNG", "JPEG"])
def test_grey_pictures_are_maps(mode: str, fmt: str) -> None:
    if fmt == "JPEG" and mode not in ("L", "RGB"):
        pytest.skip("JPEG has no such pictures")
    out = io.BytesIO()
    grey = PIL.Image.fromarray(picture(90, 70)[..., 0].copy())
    grey.convert(mode).save(out, fmt, **({"bits": 8} if mode == "P" else {}))
    data = out.getvalue()
    ours = mode != "P" or data[24] == 8
    assert is_ordinary("thermal", Thermal(data)) == ours
    assert is_ordinary("thermal", Thermal(data, percentiles=(1, 99))) == ours
    assert is_ordinary("depth", Depth(data, unit="disparity")) == ours
    assert not is_ordinary("depth", Depth(data)), "8 bits name no unit"


@pytest.mark.parametrize("fmt", ["PNG", "JPEG"])
def test_coloured_pictures_are_no_maps(fmt: str) -> None:
    data = picture_bytes(fmt, picture(90, 70))
    assert not is_ordinary("thermal", Thermal(data))
    with pytest.raises(bindrt.SourceError, match="colours"):
        bindrt.preprocess.thermal(data)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"unit": "mm"},
        {"unit": "kitti"},
        {"unit": "tum"},
        {"unit": "sunrgbd"},
        {"unit": "disparity", "focal": 300.0, "baseline": 0.2},
        {"camera": "realsense", "missing": "nearest"},
        {"counts_per_metre": 1000.0, "model_scale": 1.0},
    ],
)
def test_options_of_depth(options: dict[str, Any]) -> None:
    assert is_ordinary("depth", Depth(png_file(COUNTS), **options))


@pytest.mark.parametrize(
    "options",
    [
        {"low": 1000, "high": 8000},
        {"percentiles": (2, 98)},
        {"low": -200.0, "high": 400.0, "unit": "decikelvin"},
        {"low": 0, "high": 40},
    ],
)
def test_options_of_thermal(options: dict[str, Any]) -> None:
    assert is_ordinary("thermal", Thermal(png_file(COUNTS), **options))
    assert not is_ordinary("thermal", Thermal(png_file(COUNTS))), "16 bits need a range"


def test_paths(tmp_path: Path) -> None:
    file = tmp_path / "a bell é.txt"  # its name tells nothing
    file.write_bytes(picture_bytes("JPEG"))
    link = tmp_path / "link.jpg"
    link.symlink_to(file)
    for path in (str(file), file, link):
        assert is_ordinary("image", Image(path))
    page, empty, pipe = tmp_path / "page.jpg", tmp_path / "empty.png", tmp_path / "pipe.png"
    page.write_text("<!doctype html><title>404</title>")
    empty.touch()
    os.mkfifo(pipe)
    for path in (page, empty, pipe, tmp_path, tmp_path / "missing.jpg"):
        assert not is_ordinary("image", Image(path))
        with pytest.raises(Error):
            bindrt.preprocess.image(path)


def test_what_follows_and_what_moves() -> None:
    jpeg, png = picture_bytes("JPEG"), picture_bytes("PNG")
    two, moving = io.BytesIO(), io.BytesIO()
    first, second = (PIL.Image.fromarray(picture(60, 40, seed)) for seed in (1, 2))
    first.save(two, "MPO", save_all=True, append_images=[second])
    first.save(moving, "PNG", save_all=True, append_images=[second])
    assert is_ordinary("image", Image(jpeg + b"<html>"))
    assert is_ordinary("image", Image(jpeg + jpeg))
    assert is_ordinary("image", Image(png + b"<html>"))
    assert is_ordinary("image", Image(two.getvalue()))
    assert not is_ordinary("image", Image(moving.getvalue()))
    assert not is_ordinary("image", Image(b"\n" + jpeg))


def test_cut_files() -> None:
    for data in (picture_bytes("JPEG"), picture_bytes("PNG"), picture_bytes("JPEG", progressive=True)):
        for end in range(1, len(data), 31):
            assert not is_ordinary("image", Image(data[:end]))
            assert not is_ordinary("thermal", Thermal(data[:end]))


def test_limits() -> None:
    jpeg, png = picture_bytes("JPEG", picture(60, 40)), picture_bytes("PNG", picture(60, 40))
    scans = picture_bytes("JPEG", picture(60, 40), progressive=True)
    grey = picture_bytes("JPEG", picture(60, 40)[..., 0].copy())
    for data in (jpeg, png):
        assert is_ordinary("image", Image(data), Limits(max_pixels=2400))
        assert not is_ordinary("image", Image(data), Limits(max_pixels=2399))
        assert not is_ordinary("image", Image(data), Limits(max_bytes=len(data) - 1))
    assert is_ordinary("image", Image(jpeg), Limits(max_picture_bytes=1))
    assert not is_ordinary("image", Image(png), Limits(max_picture_bytes=2400 * 9))
    assert is_ordinary("thermal", Thermal(grey), Limits(max_picture_bytes=2400 * 10))
    assert not is_ordinary("thermal", Thermal(grey), Limits(max_picture_bytes=2400 * 9))
    assert is_ordinary("image", Image(scans), Limits(max_scans=20))
    assert not is_ordinary("image", Image(scans), Limits(max_scans=3))
    assert is_ordinary("image", Image(jpeg), Limits(max_scans=1))


def test_odd_options() -> None:
    data = picture_bytes("JPEG")
    assert is_ordinary("image", Image(data, grey16="full"))
    for item in (Image(data, grey16="half"), Image(data, layout="RGB"), Image(data, exif=2)):  # type: ignore[arg-type]
        assert not is_ordinary("image", item)
