"""Preprocessing writes into the batch; what is copied is counted, and is what docs/pipeline.md says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import bindrt
from support.engines import SimulatedEngine
from support.golden import HERE

INPUTS = HERE / "inputs"
JPEG = INPUTS / "image/exif_rotated.jpg"
SOUND = INPUTS / "audio/short_8k.wav"
rng = np.random.default_rng(0)
IN_PLACE: list[tuple[str, Any]] = [
    ("image", JPEG),
    ("image", JPEG.read_bytes()),
    ("image", bindrt.Image(JPEG, exif=True)),
    ("image", INPUTS / "image/photo.webp"),
    ("image", rng.integers(0, 256, (50, 60, 3), dtype=np.uint8)),
    ("video", INPUTS / "video/short_1s2.mp4"),
    ("video", bindrt.Video(rng.integers(0, 256, (8, 40, 60, 3), dtype=np.uint8), fps=4)),
    ("audio", SOUND),
    ("audio", bindrt.Audio(rng.normal(0, 0.1, (2, 90_000)).astype(np.float32), rate=44100)),
    ("audio", bindrt.Audio(rng.normal(0, 0.1, 200_000), rate=16000)),
    ("depth", INPUTS / "depth/d2.png"),
    ("depth", np.linspace(1, 4, 3000, dtype=np.float32).reshape(50, 60)),
    ("thermal", INPUTS / "thermal/t2.png"),
    ("thermal", bindrt.Thermal(np.linspace(1, 4, 3000).reshape(50, 60), percentiles=(1, 99))),
    ("imu", INPUTS / "imu/s2.npz"),
    ("imu", bindrt.Imu(rng.normal(0, 1, (6, 1000)), rate=200)),
]
NEIGHBOURS = 5e-6


@pytest.fixture
def model(small_bundle: Path) -> Iterator[bindrt.Model]:
    with bindrt.load(small_bundle) as loaded:
        yield loaded


def counts(model: bindrt.Model, modality: str) -> dict[str, Any]:
    found: dict[str, Any] = model.stats()[modality]["pipeline"]
    return found


def test_no_item_is_copied(model: bindrt.Model) -> None:
    for _ in range(2):  # the second time into memory that held others
        futures = [model.submit(modality, item) for modality, item in IN_PLACE]
        for (modality, item), future in zip(IN_PLACE, futures, strict=True):
            expected = model.embed(**{modality: [item]})  # type: ignore[arg-type]
            np.testing.assert_allclose(future.result(60), expected[modality][0], atol=NEIGHBOURS)
            assert future.notes == expected.notes.get((modality, 0), {})
    for modality in dict(IN_PLACE):
        found = counts(model, modality)
        assert (found["rows_copied"], found["rows_moved"], found["rows_borrowed"]) == (0, 0, 0), modality


def test_ready_input_is_copied_if_it_fills_no_batch(load_with: Callable[..., bindrt.Model]) -> None:
    engine = SimulatedEngine(max_batch=4)
    model = load_with(imu=engine)
    views = rng.normal(size=(9, 6, 2000)).astype(np.float32)
    view = views[0]
    row = model.submit("imu", bindrt.Prepared(view), normalize=False).result(60)
    assert row[0] == pytest.approx(view.sum(), rel=1e-4)
    assert counts(model, "imu")["rows_copied"] == 1
    row = model.submit("imu", bindrt.Prepared(views, views=True), normalize=False).result(60)
    assert row[0] == pytest.approx(views.sum(axis=(1, 2)).mean(), rel=1e-3, abs=0.1)
    assert counts(model, "imu")["rows_copied"] == 1
    assert counts(model, "imu")["rows_borrowed"] == 9
    assert engine.batches == [1, 4, 4, 1]
    model.submit("imu", bindrt.Prepared(np.asfortranarray(views), views=True)).result(
        60
    )  # not as the engine takes it
    assert counts(model, "imu")["rows_copied"] == 10


def test_ready_pictures_become_frames(model: bindrt.Model) -> None:
    view = bindrt.preprocess.image(JPEG)
    row = model.submit("image", bindrt.Prepared(view)).result(60)
    np.testing.assert_allclose(row, model.embed(image=JPEG).image[0], atol=NEIGHBOURS)
    assert counts(model, "image")["rows_copied"] == 1


def test_a_large_jpeg_does_not_hold_up_its_batch(model: bindrt.Model) -> None:
    noise = PIL.Image.fromarray(rng.integers(0, 256, (900, 1200, 3), dtype=np.uint8))
    file = BytesIO()
    noise.save(file, "JPEG", quality=95)
    assert len(file.getvalue()) > 1 << 20
    row = model.submit("image", file.getvalue()).result(60)
    assert counts(model, "image")["rows_copied"] == 1
    np.testing.assert_allclose(row, model.embed(image=file.getvalue()).image[0], atol=NEIGHBOURS)


def test_what_fails_after_it_began_to_write_leaves_its_neighbours_alone(model: bindrt.Model) -> None:
    """Truncated JPEGs, which Pillow refuses too, and samples found to be infinite at the end."""
    whole = JPEG.read_bytes()
    expected = model.embed(image=JPEG).image[0]
    futures = [model.submit("image", whole if i % 2 else whole[: len(whole) // 2]) for i in range(20)]
    for i, future in enumerate(futures):
        if i % 2:
            np.testing.assert_allclose(future.result(60), expected, atol=NEIGHBOURS)
        else:
            with pytest.raises(bindrt.SourceError):
                future.result(60)
    samples = np.ones((6, 2000), np.float32)
    samples[3, -1] = np.inf
    with pytest.raises(bindrt.InputError, match="infinite"):
        model.submit("imu", bindrt.Imu(samples, rate=400)).result(60)
    assert counts(model, "image")["rows_copied"] == 0
