"""PBM, PGM, PPM and PFM: pictures as Pillow reads them, maps with the counts that stand in the file."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pytest

from bindrt import Depth, LimitError, Limits, SourceError, preprocess
from support.media import picture

COUNTS = (np.add.outer(np.arange(30), np.arange(40)) * 60 + 500).astype(np.uint16)
METRES = (COUNTS / 1000).astype(np.float32)


def pgm(counts: np.ndarray, most: int, plain: bool = False) -> bytes:
    kind = {(2, True): 2, (2, False): 5, (3, True): 3, (3, False): 6}[counts.ndim, plain]
    head = f"P{kind}\n# made here\n{counts.shape[1]} {counts.shape[0]}\n{most}\n".encode()
    if plain:
        return head + " ".join(str(n) for n in counts.ravel()).encode()
    return head + counts.astype(np.uint8 if most < 256 else ">u2").tobytes()


@pytest.mark.parametrize("most", [255, 200, 65535, 5000])
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("colours", [False, True])
def test_pictures_as_pillow_reads_them(most: int, plain: bool, colours: bool) -> None:
    values = (picture() if colours else picture()[..., 0]).astype(np.int64) * most // 255
    data = pgm(values, most, plain)
    with PIL.Image.open(io.BytesIO(data)) as opened:
        want = np.asarray(opened.convert("RGB"))
    np.testing.assert_array_equal(preprocess.image(data), preprocess.image(want))


@pytest.mark.parametrize("plain", [False, True])
def test_bitmaps(plain: bool) -> None:
    bits = picture()[..., 0] > 128
    out = io.BytesIO()
    PIL.Image.fromarray(bits).save(out, "PPM")
    data = out.getvalue()
    if plain:
        height, width = bits.shape
        data = f"P1 {width} {height}\n".encode() + b"".join(b"0" if bit else b"1" for bit in bits.ravel())
    np.testing.assert_array_equal(preprocess.image(data), preprocess.image(bits.astype(np.uint8) * 255))


@pytest.mark.parametrize("most", [65535, 10_000])
@pytest.mark.parametrize("plain", [False, True])
def test_depth_has_the_counts_of_the_file(most: int, plain: bool) -> None:
    want = preprocess.prepare("depth", COUNTS)
    found = preprocess.prepare("depth", pgm(COUNTS, most, plain))
    np.testing.assert_array_equal(found.array, want.array)
    assert found.notes == want.notes


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("colours", [False, True])
def test_float_maps(order: str, colours: bool) -> None:
    kind, scale = ("F" if colours else "f"), (-1.0 if order == "<" else 1.0)
    values = np.dstack([METRES] * 3) if colours else METRES
    data = f"P{kind}\n40 30\n{scale}\n".encode() + values[::-1].astype(f"{order}f4").tobytes()
    np.testing.assert_array_equal(preprocess.depth(data), preprocess.depth(METRES))
    assert preprocess.detect(data) is None
    with pytest.raises(SourceError, match="pass it as depth or thermal"):
        preprocess.image(data)
    with pytest.raises(SourceError, match="truncated"):
        preprocess.prepare("depth", Depth(data[:-5]))


def test_damage() -> None:
    whole = pgm(COUNTS, 10_000)
    for data, text in (
        (whole[:-1], "truncated: 2399 of 2400 bytes"),
        (pgm(COUNTS, 10_000, plain=True)[:-6], "truncated: 1199 of 1200 numbers"),
        (pgm(COUNTS, 10_000, plain=True).replace(b"500 ", b"5x0 ", 1), "not a number"),
        (pgm(COUNTS, 600, plain=True), "above the largest"),
        (whole.replace(b"10000", b"70000", 1), "says '70000'"),
        (whole.replace(b"40 30", b"40 00", 1), "40 x 0"),
        (b"P5 40 30 #", "says ''"),
    ):
        with pytest.raises(SourceError, match=text):
            preprocess.depth(data)
    with pytest.raises(LimitError, match="60000 x 60000"):
        preprocess.depth(b"P5 60000 60000 65535\n")
    with pytest.raises(LimitError, match="40 x 30"):
        preprocess.image(whole, limits=Limits(max_pixels=1000))
