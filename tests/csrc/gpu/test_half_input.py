"""Engines on a GPU that read float16: views are made so there, each number rounded once from float32."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from support.device_arrays import Dlpack
from support.gpu_engine import Halves, Load, OnGpu
from support.gpu_items import items, picture
from support.nvimgsim import decoded

MODALITIES = ("image", "video", "audio", "depth", "thermal", "imu")


@pytest.fixture
def both(on_gpu: Load) -> Callable[..., list[tuple[bindrt.Model, OnGpu]]]:
    """The same model twice: its engine reads float32, and float16."""
    return lambda modality, **options: [on_gpu(modality, kind, **options) for kind in (OnGpu, Halves)]


def compare(models: list[tuple[bindrt.Model, OnGpu]], modality: str, item: Any, **options: Any) -> None:
    """The second engine has the first one's input, rounded to nearest, halves to even."""
    rows = []
    for model, engine in models:
        engine.seen.clear()
        model.embed(**{modality: item}, **options)
        rows.append(np.concatenate(engine.seen))
    wide, half = rows
    assert (wide.dtype, half.dtype) == (np.float32, np.float16)
    np.testing.assert_array_equal(half, wide.astype(np.float16))
    assert np.isfinite(half).all()


@pytest.mark.parametrize("modality", MODALITIES)
def test_views_are_made_in_float16(both: Any, modality: str, tmp_path: Path) -> None:
    models = both(modality)
    for item in items(modality, tmp_path)[-3:]:
        compare(models, modality, item)
    counts = [model.stats()[modality]["pipeline"] for model, _ in models]
    assert counts[1]["rows_on_device"] > 0
    if modality not in (
        "video",
        "audio",
    ):  # the first one of a kind is left to Python, whichever model has it
        assert counts[0]["rows_on_device"] == counts[1]["rows_on_device"]
        assert counts[0]["bytes_to_device"] == counts[1]["bytes_to_device"]


@pytest.mark.parametrize("modality", ["video", "imu"])
def test_together_they_are_where_they_belong(
    both: Any, plain: bindrt.Model, modality: str, tmp_path: Path
) -> None:
    """Several items of a batch, of both ways; videos of more views than the engine takes at once."""
    given = items(modality, tmp_path)[-3:]
    ready = bindrt.preprocess.prepare(modality, given[0])
    given = [*given, ready, given[0]]
    _, (model, _) = both(modality, max_batch=7)
    found = model.embed(**{modality: given})[modality]
    want = plain.embed(**{modality: given})[modality]
    np.testing.assert_allclose(found, want, atol=2e-3)
    assert (found * want).sum(axis=1).min() > 0.99999


def test_rows_of_the_host(both: Any, tmp_path: Path) -> None:
    """What the CPU has prepared, and arrays that are ready."""
    models = both("imu", prepare="cpu")
    random = np.random.default_rng(3)
    numbers = (random.standard_normal((6, 2000)) * 10.0 ** random.integers(-9, 4, 2000)).astype(np.float32)
    for item in (*items("imu", tmp_path), bindrt.Prepared(numbers)):
        compare(models, "imu", item)
    assert all(model.stats()["imu"]["pipeline"]["rows_on_device"] == 0 for model, _ in models)


def test_arrays_that_are_on_the_gpu(both: Any) -> None:
    random = np.random.default_rng(4)
    for modality, shape in (("image", (3, 224, 224)), ("imu", (6, 2000)), ("audio", (3, 1, 128, 204))):
        array = random.standard_normal(shape).astype(np.float32)
        compare(both(modality), modality, bindrt.Prepared(Dlpack(array)))


def test_pictures_that_the_gpu_decodes(both: Any, library: Any, tmp_path: Path) -> None:
    models = both("image", decode="gpu")
    compare(models, "image", picture(tmp_path, (640, 480), "a.jpg"))
    assert [decoded(model) for model, _ in models] == [1, 1]


def test_alone_the_engine_gets_float32(both: Any, plain: bindrt.Model, tmp_path: Path) -> None:
    given = items("depth", tmp_path)
    _, (model, engine) = both("depth")
    engine.fails = True
    np.testing.assert_array_equal(model.embed(depth=given).depth, plain.embed(depth=given).depth)


def test_memory_is_half(both: Any, gpu: Any) -> None:
    wide, half = (model.memory() for model, _ in both("imu") if model.engine("imu"))
    rows = 2 * 16 * 6 * 2000  # two sets of buffers, of 16 rows; and a ready item of 32
    long = [gpu.batch_whole_bytes(32, 6 * 2000 * number, 96) for number in (4, 2)]
    assert wide["imu"]["device"] - half["imu"]["device"] == rows * 2 + long[0] - long[1]
    assert long[1] < 0.6 * long[0]
    assert wide["imu"]["batches"] == half["imu"]["batches"]


def test_what_it_may_not_be(on_gpu: Load) -> None:
    class Wrong(OnGpu):
        input_dtype = "bfloat16"

    for modality, kind, said in (
        ("imu", Wrong, "its input_dtype is 'bfloat16'; it is float32 or float16"),
        ("text", Halves, "its input_dtype is 'float16'; leave it out: token ids are int64"),
    ):
        model, _ = on_gpu(modality, kind)
        with pytest.raises(bindrt.EngineError, match=said):
            model.embed(**{modality: "a" if modality == "text" else bindrt.Prepared(np.zeros((6, 2000)))})
