"""Items that worker threads prepare without the interpreter's lock: values, notes, memory, ways to end."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt import preparation
from bindrt.isolation import Isolated
from bindrt.preprocess import dispatch
from support.engines import SimulatedEngine
from support.golden import HERE
from support.media import picture, picture_bytes
from support.png import png_file

INPUTS = HERE / "inputs"
Load = Callable[..., bindrt.Model]
random = np.random.default_rng(0)


def items() -> dict[str, list[Any]]:
    """Ordinary items, each made anew."""
    samples = random.normal(0, 3, (6, 1000)).astype(np.float32)
    frame = random.uniform(1, 9, (50, 60)).astype(np.float32)
    counts = png_file((frame * 1000).astype(np.uint16))
    grey = picture_bytes("JPEG", picture(90, 70)[..., 0].copy())
    return {
        "imu": [bindrt.Imu(samples, rate=200), bindrt.Imu(samples / 9.8, rate=200, accel_unit="g")],
        "depth": [frame, bindrt.Depth((frame * 1000).astype(np.uint16), camera="xtion"), counts],
        "thermal": [frame.astype(np.uint8), bindrt.Thermal(frame, percentiles=(1, 99)), grey],
        "image": [picture_bytes("JPEG"), bindrt.Image(png_file(picture(300, 200)), exif=True)],
    }


def submitted(model: bindrt.Model, given: dict[str, list[Any]]) -> list[bindrt.EmbeddingFuture]:
    return [model.submit(modality, item) for modality, some in given.items() for item in some]  # type: ignore[call-overload]


def test_no_python_prepares_them(small_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = items()
    prepared = [dispatch.prepare_views(m, item) for m, some in given.items() for item in some]

    def refuse(*args: Any) -> None:
        raise AssertionError("prepared by Python")

    monkeypatch.setattr(preparation, "prepare_views", refuse)
    with bindrt.load(small_bundle) as model:
        ready = [
            model.submit(m, bindrt.Prepared(views.array))  # type: ignore[call-overload]
            for m, views in zip([m for m, some in given.items() for _ in some], prepared, strict=True)
        ]
        with pytest.raises(AssertionError, match="by Python"):
            ready[0].result(60)
        found = submitted(model, given)
        for future, views in zip(found, prepared, strict=True):
            assert np.isfinite(future.result(60)).all()
            assert future.notes == views.notes


def test_vectors_are_those_of_embed(small_bundle: Path) -> None:
    given = items()
    with bindrt.load(small_bundle) as model:
        expected = model.embed(**given)
        found = iter(submitted(model, given))
        for modality, some in given.items():
            for i in range(len(some)):
                future = next(found)
                np.testing.assert_allclose(future.result(60), expected[modality][i], atol=5e-6)
                assert future.notes == expected.notes.get((modality, i), {})


def test_what_is_left_is_prepared_by_python_alone(
    small_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item that was tried and left is not tried again; rows that it had reserved are given back."""
    samples = np.ones((6, 2000), np.float32)
    damaged = samples.copy()
    damaged[3, -1] = np.inf  # found after rows were reserved
    bad: list[Any] = [bindrt.Imu(samples[:, :900], rate=400), bindrt.Imu(damaged, rate=400)]

    def refuse(*args: Any) -> None:
        raise AssertionError("tried again")

    monkeypatch.setattr(dispatch, "prepare_ordinary", refuse)
    with bindrt.load(small_bundle) as model:
        futures = [model.submit("imu", item) for item in [*bad, bindrt.Imu(samples, rate=400), *bad]]
        with pytest.raises(bindrt.InputError, match=r"shorter than 4\.95 s"):
            futures[0].result(60)
        for future in (futures[1], futures[4]):
            with pytest.raises(bindrt.InputError, match="1 of 12000 samples are NaN or infinite"):
                future.result(60)
        assert np.isfinite(futures[2].result(60)).all()
        while (stats := model.stats()["imu"]["pipeline"])["rows_in_flight"]:  # until its batch is free again
            time.sleep(0.001)
        assert (stats["done"], stats["failed"]) == (1, 4)


def test_an_engine_that_fails_leaves_the_notes(load_with: Load) -> None:
    def fail(rows: np.ndarray) -> None:
        raise bindrt.EngineError("simulated", "planted")

    model = load_with(depth=SimulatedEngine(before=fail))
    future = model.submit("depth", np.ones((9, 9)))
    with pytest.raises(bindrt.EngineError, match="planted"):
        future.result(60)
    assert future.notes["unit"] == "m"


def test_memory_stays_until_delivery_and_no_longer(load_with: Load) -> None:
    engine = SimulatedEngine(max_batch=2, held=True)
    model = load_with(bindrt.PipelineOptions(batches_in_flight=1), imu=engine)
    expected, futures, alive = [], [], []
    for i in range(40):  # most wait in the queue, where nothing else keeps their arrays
        samples = np.full((6, 1000), 2.0 + i, np.float32)
        times = np.arange(1000) / 200
        alive += [weakref.ref(samples), weakref.ref(times)]
        expected.append((2.0 + i) * 12_000)
        futures.append(model.submit("imu", bindrt.Imu(samples, timestamps=times), normalize=False))
    del samples, times
    assert all(ref() is not None for ref in alive[-8:])
    engine.gate.set()
    for future, total in zip(futures, expected, strict=True):
        assert future.result(60)[0] == pytest.approx(total, rel=1e-5)
    gc.collect()
    assert all(ref() is None for ref in alive)


@pytest.mark.parametrize("end", ["cancel", "close"])
def test_memory_of_what_is_not_prepared_is_freed(load_with: Load, end: str) -> None:
    engine = SimulatedEngine(max_batch=1, held=True)
    model = load_with(bindrt.PipelineOptions(batches_in_flight=1), imu=engine)
    running = model.submit("imu", bindrt.Imu(np.ones((6, 1000)), rate=200))
    assert engine.entered.wait(60)
    arrays = [np.ones((6, 1000)) for _ in range(20)]
    alive = [weakref.ref(each) for each in arrays]
    futures = [model.submit("imu", bindrt.Imu(each, rate=200)) for each in arrays]
    del arrays
    if end == "cancel":
        assert all(future.cancel() for future in futures)
    engine.gate.set()
    assert running.result(60).shape == (model.embed_dim,)
    model.close()
    assert all(future.done() for future in futures)
    gc.collect()
    assert all(ref() is None for ref in alive)


def large() -> tuple[np.ndarray, weakref.ref[np.ndarray]]:
    """A map that takes tenths of a second to prepare, and what tells whether its memory is held."""
    made = np.zeros((9000, 9000), np.uint16)
    return made, weakref.ref(made)


def begun(model: bindrt.Model, item: Any) -> bindrt.EmbeddingFuture:
    """A request that a worker has begun to prepare."""
    future = model.submit("depth", item)
    while not future.done() and model.stats()["depth"]["pipeline"]["preparing"] == 0:
        time.sleep(0.001)
    return future


def test_ends_while_an_item_is_prepared(load_with: Load) -> None:
    model = load_with(depth=SimulatedEngine())
    item, alive = large()
    late = model.submit("depth", item, deadline=0.01)
    with pytest.raises(bindrt.DeadlineExceeded):
        late.result(60)
    unwanted = begun(model, item)
    assert unwanted.cancel()
    model.submit("depth", np.ones((9, 9))).result(60)  # who comes next is served
    closed = begun(model, item)
    del item
    model.close()
    assert closed.exception(60) is None or isinstance(closed.exception(60), bindrt.ClosedError)
    gc.collect()
    assert alive() is None


def test_isolated_models_read_no_files_here(small_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    usual = Isolated.views

    def views(pool: Isolated, modality: str, item: object, *rest: Any) -> Any:
        asked.append(item)
        return usual(pool, modality, item, *rest)

    monkeypatch.setattr(Isolated, "views", views)
    picture, frame = INPUTS / "image/exif_rotated.jpg", INPUTS / "thermal/t2.png"
    files = [("image", str(picture)), ("image", picture.read_bytes()), ("thermal", bindrt.Thermal(frame))]
    with bindrt.load(small_bundle, isolate=True) as model:
        for modality, item in files:
            assert model.submit(modality, item).result(120).shape == (model.embed_dim,)  # type: ignore[call-overload]
        assert asked == [item for _, item in files]
        model.submit("imu", bindrt.Imu(np.ones((6, 1000)), rate=200)).result(60)
        assert len(asked) == len(files)
    with bindrt.load(small_bundle) as model:
        model.submit(*files[0]).result(60)  # type: ignore[call-overload]
        assert len(asked) == len(files)


def test_equal_items_are_computed_once(small_bundle: Path) -> None:
    options = bindrt.PipelineOptions(deduplicate=True, cache_bytes=1 << 20)
    samples = random.normal(0, 3, (6, 1000))
    with bindrt.load(small_bundle, pipeline=options) as model:
        first = model.submit("imu", bindrt.Imu(samples, rate=200))
        want = first.result(60).copy()
        held = model.submit("imu", bindrt.Imu(samples.copy(), rate=200))
        np.testing.assert_array_equal(held.result(60), want)
        assert model.stats()["imu"]["pipeline"]["sharing"]["hits"] == 1
        changed = bindrt.Imu(samples, rate=200)
        future = model.submit("imu", changed)
        samples[:] = 0  # allowed: the very numbers that were hashed are embedded
        np.testing.assert_array_equal(future.result(60), want)
