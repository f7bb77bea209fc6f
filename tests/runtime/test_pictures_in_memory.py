"""Pillow images as items: they are read as their files are."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import bindrt
from bindrt import InputError, LimitError, Limits, SourceError, preprocess
from bindrt.preprocess import prepare

COLOURS = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 80, 3), np.uint8))
GREY = COLOURS.convert("L")


def saved(picture: PIL.Image.Image, name: str = "PNG") -> bytes:
    file = io.BytesIO()
    picture.save(file, name)
    return file.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_images_of_every_mode(mode: str) -> None:
    picture = GREY.convert("I;16") if mode == "I;16" else COLOURS.convert(mode)
    want = preprocess.image(saved(picture))
    assert (prepare("image", picture).array == want).all()
    assert (preprocess.image(bindrt.Image(picture)) == want).all()
    assert (preprocess.image(PIL.Image.open(io.BytesIO(saved(picture)))) == want).all()


def test_exif() -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    COLOURS.save(file, "JPEG", quality=100, subsampling=0, exif=exif)
    for turn in (False, True):
        want = prepare("image", bindrt.Image(file.getvalue(), exif=turn))
        found = prepare("image", bindrt.Image(PIL.Image.open(file), exif=turn))
        np.testing.assert_allclose(found.array, want.array, atol=0.02)
        assert found.notes == want.notes


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA"])
def test_maps(mode: str) -> None:
    picture = GREY.convert(mode)
    assert (prepare("thermal", picture).array == preprocess.thermal(saved(picture))).all()
    millimetres = PIL.Image.fromarray(np.arange(1000, 1000 + 64 * 80, dtype=np.uint16).reshape(64, 80))
    assert (prepare("depth", millimetres).array == preprocess.depth(saved(millimetres))).all()
    metres = PIL.Image.fromarray(np.full((64, 80), 1.5, np.float32))
    assert (preprocess.depth(metres) == preprocess.depth(np.asarray(metres))).all()


def test_frames() -> None:
    frames = [COLOURS.rotate(10 * i) for i in range(4)]
    want = preprocess.video(bindrt.Video(np.stack([np.asarray(f) for f in frames]), fps=2))
    assert (preprocess.video(bindrt.Video(frames, fps=2)) == want).all()


def test_bad_pictures(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match=r"Pillow image RGB 80 x 64.*pixels"):
        preprocess.image(COLOURS, limits=Limits(max_pixels=100))
    path = tmp_path / "cut.png"
    path.write_bytes(saved(COLOURS)[:4000])
    with pytest.raises(SourceError, match=r"cannot read the image: .*; is it complete\?"):
        preprocess.image(PIL.Image.open(path))
    with pytest.raises(InputError, match="colours"):
        preprocess.thermal(COLOURS)
    for modality in ("audio", "imu", "video", "text"):
        with pytest.raises(InputError, match="Image"):
            prepare(modality, COLOURS)
    with pytest.raises(InputError, match="layout is for arrays only"):
        preprocess.image(bindrt.Image(COLOURS, layout="RGB"))


def test_one_picture_in_many_requests(tmp_path: Path) -> None:
    (tmp_path / "it.png").write_bytes(saved(COLOURS))
    want = preprocess.image(COLOURS)
    for _ in range(20):
        picture = PIL.Image.open(tmp_path / "it.png")
        with ThreadPoolExecutor(8) as pool:
            assert all((found == want).all() for found in pool.map(preprocess.image, [picture] * 16))


def test_embed() -> None:
    with bindrt.load("tiny", modalities=["image"]) as model:
        e = model.embed(image=[COLOURS, np.asarray(COLOURS)])
        np.testing.assert_array_equal(e.image[0], e.image[1])
