"""``submit``, ``aembed`` and ``stream``: values, order, faults, and every way to end."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, wait
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.preprocess import text as tokens
from support.engines import SimulatedEngine, fails_on, needs_memory_for
from support.golden import HERE

INPUTS = HERE / "inputs"
PHOTO, PALETTE = INPUTS / "image/photo.webp", INPUTS / "image/palette.png"
SOUND = INPUTS / "audio/short_8k.wav"
ITEMS: dict[str, list[Any]] = {
    "image": [PHOTO, PALETTE, PHOTO],
    "video": [INPUTS / "video/short_1s2.mp4"],
    "text": ["a dog", "a photograph of a very small car on a long road", ""],
    "audio": [SOUND, INPUTS / "audio/dc_offset_16k.wav"],
    "depth": [INPUTS / "depth/d2.png"],
    "thermal": [INPUTS / "thermal/t2.png"],
    "imu": [INPUTS / "imu/s2.npz"],
}
#: Another batch size, text padded to another length, a video's equal views once: sums in another order.
NEIGHBOURS = 5e-6


@pytest.fixture
def model(small_bundle: Path) -> Iterator[bindrt.Model]:
    with bindrt.load(small_bundle) as loaded:
        yield loaded


def overload(bundle: Path, engine: bindrt.Engine, **options: int) -> bindrt.Model:
    return bindrt.load(bundle, pipeline=bindrt.PipelineOptions(**options), engines={"text": engine})


def test_batches_are_no_larger_than_asked() -> None:
    with bindrt.load("tiny", pipeline=bindrt.PipelineOptions(max_batch=3)) as model:
        list(model.stream("text", ["a dog"] * 40))
        sizes = model.stats()["text"]["pipeline"]["batch_sizes"]
    assert sum(rows * count for rows, count in sizes.items()) == 40
    assert max(sizes) == 3


@pytest.mark.parametrize("normalize", [True, False])
def test_vectors_are_those_of_embed(model: bindrt.Model, normalize: bool) -> None:
    expected = model.embed(**ITEMS, normalize=normalize)
    futures = {
        m: [model.submit(m, item, normalize=normalize) for item in items * 4] for m, items in ITEMS.items()
    }
    again = asyncio.run(model.aembed(**ITEMS, normalize=normalize))
    for modality, items in ITEMS.items():
        rows = np.stack([f.result(60) for f in futures[modality]])
        tolerance = NEIGHBOURS * max(1.0, float(np.abs(expected[modality]).max()))
        want = np.tile(expected[modality], (4, 1))
        np.testing.assert_allclose(rows, want, atol=tolerance, rtol=0)
        np.testing.assert_allclose(again[modality], expected[modality], atol=tolerance, rtol=0)
        streamed = [r.vector for r in model.stream(modality, items, normalize=normalize)]
        np.testing.assert_allclose(np.stack(streamed), expected[modality], atol=tolerance, rtol=0)  # type: ignore[arg-type]
    assert list(again) == list(expected)
    assert again.notes == expected.notes


def test_a_future_is_an_ordinary_one(model: bindrt.Model) -> None:
    future = model.submit("text", "a dog")
    assert isinstance(future, Future)
    row = future.result(60)
    assert row.dtype == np.float32
    assert row.shape == (model.embed_dim,)
    assert wait([future], 1).done == {future}


def test_tokens_are_copied_once(model: bindrt.Model) -> None:
    ready = tokens(["a dog", "two words more"])
    expected = model.embed(text=["a dog", "two words more"]).text
    rows = [model.submit("text", bindrt.Prepared(t)).result(60) for t in ready]
    np.testing.assert_allclose(np.stack(rows), expected, atol=NEIGHBOURS)
    short = model.submit("text", "a dog").result(60)  # tokenised here, then as ready ones
    np.testing.assert_allclose(short, expected[0], atol=NEIGHBOURS)
    model.submit("text", 300 * "a dog ").result(60)  # by a worker
    counts = model.stats()["text"]["pipeline"]
    assert counts["rows_copied"] == 4
    assert counts["rows_moved"] == 0


def test_bad_items_fail_alone(model: bindrt.Model) -> None:
    good = [model.submit("image", PHOTO) for _ in range(3)]
    bad = [model.submit("image", item) for item in (b"no picture", "missing.jpg", 3.5)]
    wrong = model.submit("text", bindrt.Prepared(np.zeros(77, np.int64)))
    for future in bad:
        with pytest.raises(bindrt.InputError):
            future.result(60)
    with pytest.raises(bindrt.InputError, match="end token"):
        wrong.result(60)
    for future in good:
        assert np.isfinite(future.result(60)).all()
    stats = model.stats()["image"]
    assert (stats["items"] - model.stats()["image"]["pipeline"]["done"], stats["errors"]) == (0, 3)


def test_aembed_names_and_skips(model: bindrt.Model) -> None:
    e = asyncio.run(model.aembed(image=[PHOTO, b"no"], text="a", on_error="skip"))
    assert set(e.errors) == {("image", 1)}
    assert np.isnan(e.image[1]).all()
    with pytest.raises(bindrt.InputError, match=r"image\[1\]"):
        asyncio.run(model.aembed(image=[PHOTO, b"no"]))
    with pytest.raises(bindrt.InputError, match="unknown modality"):
        asyncio.run(model.aembed(smell=[1]))
    assert asyncio.run(model.aembed(image=[])).image.shape == (0, model.embed_dim)


def test_many_coroutines_share_batches_without_threads(load_with: Callable[..., bindrt.Model]) -> None:
    engine = SimulatedEngine(max_batch=32)
    model = load_with(text=engine)
    model.submit("text", "warm").result(60)
    engine.gate.clear()
    before = threading.active_count()

    async def all_of_them() -> list[bindrt.Embeddings]:
        calls = [asyncio.create_task(model.aembed(text=f"number {i}")) for i in range(100)]
        await asyncio.sleep(0.3)
        assert threading.active_count() <= before + 32  # asyncio's own pool, which opened the engine
        engine.gate.set()
        return await asyncio.gather(*calls)

    assert len(asyncio.run(all_of_them())) == 100
    assert max(engine.batches) > 1


def test_aembed_awaits_room_and_can_be_cancelled(small_bundle: Path) -> None:
    engine = SimulatedEngine(max_batch=1, held=True)
    with overload(small_bundle, engine, queue=2, batches_in_flight=1) as model:

        async def scenario() -> int:
            task = asyncio.create_task(model.aembed(text=[f"number {i}" for i in range(50)]))
            await asyncio.sleep(0.2)
            assert not task.done()
            engine.gate.set()
            done = len((await task).text)
            engine.gate.clear()
            stopped = asyncio.create_task(model.aembed(text=["a"] * 20))
            await asyncio.sleep(0.1)
            stopped.cancel()
            with pytest.raises(asyncio.CancelledError):
                await stopped
            engine.gate.set()
            return done

        assert asyncio.run(scenario()) == 50
        assert len(engine.batches) < 60


def test_overload(small_bundle: Path) -> None:
    engine = SimulatedEngine(max_batch=1, held=True)
    with overload(small_bundle, engine, queue=3, batches_in_flight=1) as model:
        futures = [model.submit("text", "a")]
        assert engine.entered.wait(60)
        futures += [model.submit("text", "a") for _ in range(3)]
        with pytest.raises(bindrt.Overloaded, match="3 requests wait"):
            model.submit("text", "a", block=False)
        threading.Timer(0.2, engine.gate.set).start()
        futures.append(model.submit("text", "a"))  # waits
        assert engine.gate.is_set()
        assert all(f.result(60).shape == (model.embed_dim,) for f in futures)
        assert model.stats()["text"]["pipeline"]["refused"] >= 1


def test_deadline(load_with: Callable[..., bindrt.Model]) -> None:
    engine = SimulatedEngine(max_batch=1, held=True)
    model = load_with(text=engine)
    running = model.submit("text", "a", deadline=60)
    assert engine.entered.wait(60)
    late = model.submit("text", "b", deadline=0.05)
    past = model.submit("text", "c", deadline=-1)
    for future in (late, past):
        with pytest.raises(bindrt.DeadlineExceeded, match="deadline"):
            future.result(30)  # though the engine is still busy
    engine.gate.set()
    assert running.result(60) is not None
    assert engine.batches == [1]


def test_cancel(load_with: Callable[..., bindrt.Model]) -> None:
    engine = SimulatedEngine(max_batch=1, held=True)
    model = load_with(text=engine)
    running = model.submit("text", "a")
    assert engine.entered.wait(60)
    waiting = [model.submit("text", "b") for _ in range(10)]
    assert all(f.cancel() for f in waiting)
    with pytest.raises(CancelledError):
        waiting[0].result(1)
    running.cancel()  # the engine has it: it runs to its end
    engine.gate.set()
    model.submit("text", "c").result(60)
    assert engine.batches == [1, 1]


def test_priority_and_fairness(small_bundle: Path) -> None:
    engine = SimulatedEngine(max_batch=1, held=True)
    with overload(small_bundle, engine, batches_in_flight=1) as model:
        first = model.submit("text", "a")
        assert engine.entered.wait(60)
        order: list[str] = []
        futures = []
        for name, priority in (("x", 0), ("y", 0), ("urgent", 5)):
            future = model.submit("text", name, priority=priority)
            future.add_done_callback(lambda _, name=name: order.append(name))  # type: ignore[misc]
            futures.append(future)
        engine.gate.set()
        wait([first, *futures], 60)
        assert order == ["urgent", "x", "y"]


def test_engine_faults_hit_only_the_culprit(load_with: Callable[..., bindrt.Model]) -> None:
    bad = tokens("a dog")[0]
    poison = int(bad[2])
    engine = SimulatedEngine(max_batch=16, before=fails_on(poison), held=True)
    model = load_with(text=engine)
    futures = [model.submit("text", bindrt.Prepared(tokens(t)[0])) for t in ["a"] * 6 + ["a dog"] + ["a"] * 6]
    engine.gate.set()
    for i, future in enumerate(futures):
        if i == 6:
            with pytest.raises(bindrt.EngineError, match=f"there is a {poison}"):
                future.result(60)
        else:
            assert future.result(60)[1] > 0


def test_out_of_memory_halves_the_batch(load_with: Callable[..., bindrt.Model]) -> None:
    model = load_with(
        text=SimulatedEngine(max_batch=16, before=needs_memory_for(3)),
        imu=SimulatedEngine(before=needs_memory_for(0)),
    )
    futures = [model.submit("text", bindrt.Prepared(tokens("a")[0])) for _ in range(64)]
    for future in futures:
        future.result(60)
    assert model.stats()["text"]["pipeline"]["limit"] <= 16
    with pytest.raises(bindrt.EngineError, match="allocate"):
        model.submit("imu", INPUTS / "imu/s2.npz").result(60)


def test_stream_is_lazy_ordered_and_bounded(load_with: Callable[..., bindrt.Model]) -> None:
    model = load_with(text=SimulatedEngine())
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        for i in itertools.count():
            taken += 1
            yield f"number {i}"

    results = model.stream("text", endless(), prefetch=10)
    assert taken == 0
    for i, found in enumerate(itertools.islice(results, 500)):
        assert found.index == i
        assert found.item == f"number {i}"
        assert taken <= i + 10
    results.close()  # type: ignore[attr-defined]
    skipped = list(model.stream("text", ["a", 3, "b"], on_error="skip"))
    assert [r.vector is None for r in skipped] == [False, True, False]
    assert "text[1]" in str(skipped[1].error)
    with pytest.raises(bindrt.InputError, match=r"text\[1\]"):
        list(model.stream("text", ["a", 3, "b"]))


def test_statistics(model: bindrt.Model) -> None:
    for _ in model.stream("text", ["a dog"] * 40):
        pass
    end = time.monotonic() + 30  # times are counted and rows given back after a batch is handed over
    while model.stats()["text"]["pipeline"]["rows_in_flight"] and time.monotonic() < end:
        time.sleep(0.01)
    found = model.stats()["text"]
    assert found["items"] == 40
    assert found["engine_seconds"] > 0
    pipeline = found["pipeline"]
    assert pipeline["submitted"] == pipeline["done"] == 40
    assert sum(rows * count for rows, count in pipeline["batch_sizes"].items()) == pipeline["rows"] == 40
    assert pipeline["queued"] == pipeline["preparing"] == pipeline["rows_in_flight"] == 0
    for stage in ("queue", "prepare", "batch", "engine", "finish", "total"):
        times = pipeline["seconds"][stage]
        assert 0 <= times["p50"] <= times["p90"] <= times["p99"] <= times["p99.9"] <= times["max"]
    assert pipeline["seconds"]["total"]["p50"] > 0


def test_close_drains_or_aborts(small_bundle: Path) -> None:
    for drain in (True, False):
        engine = SimulatedEngine(max_batch=1, held=True)
        model = bindrt.load(small_bundle, engines={"text": engine})
        futures = [model.submit("text", "a") for _ in range(10)]
        assert engine.entered.wait(60)
        threading.Timer(0.1, engine.gate.set).start()
        model.close(drain=drain)
        assert all(f.done() for f in futures)
        failed = [f for f in futures if f.exception() is not None]
        assert bool(failed) == (not drain)
        for future in failed:
            assert "closed" in str(future.exception())
        with pytest.raises(bindrt.Error, match="closed"):
            model.submit("text", "a")


def test_close_while_a_submitter_waits(small_bundle: Path) -> None:
    engine = SimulatedEngine(max_batch=1, held=True)
    model = overload(small_bundle, engine, queue=1, batches_in_flight=1)
    model.submit("text", "a")
    assert engine.entered.wait(60)
    model.submit("text", "b")
    said: list[str] = []

    def wait_for_room() -> None:
        try:
            model.submit("text", "c")
        except bindrt.Error as error:
            said.append(str(error))

    thread = threading.Thread(target=wait_for_room)
    thread.start()
    time.sleep(0.3)
    threading.Timer(0.1, engine.gate.set).start()
    model.close()
    thread.join(60)
    assert not thread.is_alive()
    assert len(said) == 1
    assert model.memory() == {}


def test_a_kept_future_keeps_no_pipeline(model: bindrt.Model) -> None:
    kept = [model.submit("text", "a"), model.submit("text", bindrt.Prepared(tokens("a")[0]))]
    for future in kept:
        future.result(60)
    deadline = time.monotonic() + 60
    while any(f.request is not None for f in kept) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert all(f.request is None for f in kept)


def test_unloaded_pipeline_comes_back(model: bindrt.Model) -> None:
    before = model.submit("text", "a").result(60)
    model.unload("text")
    assert "text" not in model.stats()
    np.testing.assert_array_equal(model.submit("text", "a").result(60), before)


def test_a_dropped_model_ends_its_threads(small_bundle: Path) -> None:
    def threads() -> int:
        return len(os.listdir("/proc/self/task"))

    bindrt.load(small_bundle).submit("imu", INPUTS / "imu/s2.npz").result(60)
    before = threads()
    for _ in range(3):
        bindrt.load(small_bundle).submit("imu", INPUTS / "imu/s2.npz").result(60)
    deadline = time.monotonic() + 60
    while threads() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threads() <= before


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"modality": "smell", "item": 1}, "unknown modality"),
        ({"modality": "text", "item": "a", "priority": "high"}, "priority"),
        ({"modality": "text", "item": "a", "priority": True}, "priority=True"),
        ({"modality": "text", "item": "a", "deadline": "soon"}, "deadline"),
        ({"modality": "text", "item": "a", "deadline": True}, "deadline=True"),
        ({"modality": "text", "item": "a", "deadline": float("nan")}, "deadline"),
    ],
)
def test_wrong_calls(small_model: bindrt.Model, call: dict[str, Any], message: str) -> None:
    with pytest.raises(bindrt.Error, match=message):
        small_model.submit(**call)
    with pytest.raises(bindrt.OptionError, match="queue"):
        bindrt.PipelineOptions(queue=0)
    with pytest.raises(bindrt.OptionError, match="spin_us"):
        bindrt.PipelineOptions(spin_us=-1)
    with pytest.raises(bindrt.OptionError, match="max_batch=0"):
        bindrt.PipelineOptions(max_batch=0)
    with pytest.raises(bindrt.OptionError, match="cuda_graphs=1"):
        bindrt.PipelineOptions(cuda_graphs=1)  # type: ignore[arg-type]
    with pytest.raises(bindrt.OptionError, match="from 1 to 16"):
        bindrt.PipelineOptions(gpu_buffers=17)
    with pytest.raises(bindrt.OptionError, match="prefetch"):
        small_model.stream("text", [], prefetch=0)
