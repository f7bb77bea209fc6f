"""All items of a call through the pipeline together: ``embed``, ``aembed`` and ``stream``."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.preprocess import text as tokens
from support.engines import SimulatedEngine, fails_on, needs_memory_for
from support.golden import HERE

MOTION = HERE / "inputs" / "imu/s2.npz"
Load = Callable[..., bindrt.Model]


class Watched(SimulatedEngine):
    """Knows which threads ran it."""

    def __init__(self, max_batch: int = 8, held: bool = False) -> None:
        super().__init__(max_batch, self._note, held)
        self.callers: list[int] = []

    def _note(self, rows: np.ndarray) -> None:
        self.callers.append(threading.get_ident())


def imu(number: int) -> bindrt.Imu:
    return bindrt.Imu(np.full((6, 1000), float(number), np.float32), rate=200)


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_embed_goes_through_the_pipeline(load_with: Load) -> None:
    engine = SimulatedEngine(max_batch=8)
    model = load_with(imu=engine)
    found = model.embed(imu=[imu(i) for i in range(50)], normalize=False).imu
    alone = [model.submit("imu", imu(i), normalize=False).result(60) for i in range(50)]
    np.testing.assert_array_equal(found, np.stack(alone))
    counts = model.stats()["imu"]["pipeline"]
    assert counts["submitted"] == counts["done"] == 100
    assert engine.batches[:7] == [8, 8, 8, 8, 8, 8, 2]


def test_items_are_free_without_the_collector_of_cycles(load_with: Load) -> None:
    """A server would hold the uploads of some seconds until it comes."""
    model = load_with(text=SimulatedEngine(8), audio=SimulatedEngine(8))
    sounds = [path.read_bytes() for path in sorted((HERE / "inputs/audio").glob("*.wav"))]
    texts = [f"a bell {i} rings" for i in range(3)]
    held = [sys.getrefcount(each) for each in (*sounds, *texts)]
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            model.embed(audio=sounds, text=texts)
            asyncio.run(model.aembed(audio=sounds, text=texts))
            model.embed(audio=[*sounds, b"none"], on_error="skip")
            with pytest.raises(bindrt.Error):
                model.embed(audio=[*sounds, b"none"])
        more = np.array([sys.getrefcount(each) for each in (*sounds, *texts)]) - held
        # A batch keeps its items until its memory is used again.
        assert more.max() <= bindrt.PipelineOptions().batches_in_flight
    finally:
        gc.enable()


def test_small_calls_run_on_their_own_thread(load_with: Load) -> None:
    text, motion = Watched(), Watched()
    model = load_with(text=text, imu=motion)
    ready = bindrt.Prepared(bindrt.preprocess.imu(imu(1).samples, rate=200))
    calls: tuple[Callable[[], object], ...] = (
        lambda: model.embed(text=["a dog", "a cat on the long road"]),
        lambda: model.embed(text="a naïve dog"),
        lambda: model.embed(imu=imu(3)),
        lambda: model.embed(imu=[ready, ready]),
    )

    def runs_here(call: Callable[[], object]) -> bool:
        text.callers.clear()
        motion.callers.clear()
        call()
        return set(text.callers + motion.callers) == {threading.get_ident()}

    for call in calls:
        until(lambda call=call: runs_here(call))  # type: ignore[misc]  # the pipeline's thread may be awake still
    model.submit("text", "a dog").result(60)
    assert text.callers[-1] != threading.get_ident()


def test_those_in_the_background_do_not(load_with: Load) -> None:
    engine = Watched()
    model = load_with(bindrt.PipelineOptions(background=("text",)), text=engine)
    model.embed(text="a dog")
    assert threading.get_ident() not in engine.callers


def test_calls_of_several_threads_share_batches(load_with: Load) -> None:
    engine = SimulatedEngine(max_batch=8, held=True)
    model = load_with(imu=engine)
    rows: dict[int, np.ndarray] = {}

    def embed(i: int) -> None:
        rows[i] = model.embed(imu=imu(i), normalize=False).imu[0]

    threads = [threading.Thread(target=embed, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    until(lambda: model.stats().get("imu", {}).get("pipeline", {}).get("submitted") == 6)
    until(lambda: model.stats()["imu"]["pipeline"]["preparing"] == 0)
    engine.gate.set()
    for thread in threads:
        thread.join(60)
    assert len(rows) == 6
    assert len(engine.batches) < 6
    for i, row in rows.items():
        np.testing.assert_array_equal(row, model.embed(imu=imu(i), normalize=False).imu[0])


def test_few_items_are_in_work_at_a_time(load_with: Load) -> None:
    engine = SimulatedEngine(max_batch=4, held=True)
    model = load_with(imu=engine)
    done = threading.Thread(target=lambda: model.embed(imu=[imu(1)] * 3000))
    done.start()
    assert engine.entered.wait(60)
    time.sleep(0.2)
    counts = model.stats()["imu"]["pipeline"]
    assert counts["submitted"] < 200
    assert counts["rows_in_flight"] <= 12
    engine.gate.set()
    done.join(60)
    assert model.stats()["imu"]["pipeline"]["done"] == 3000


@pytest.mark.parametrize("queue", [1, 3])
def test_a_small_queue_is_enough(load_with: Load, queue: int) -> None:
    options = bindrt.PipelineOptions(queue=queue, batches_in_flight=1)
    model = load_with(options, text=SimulatedEngine(max_batch=2), imu=SimulatedEngine(max_batch=2))
    texts = ["a dog", "word " * 300, bindrt.Prepared(tokens("a cat")[0])] * 10
    found = model.embed(imu=[imu(i) for i in range(20)], text=texts, normalize=False)
    for i in (0, 7, 19):
        np.testing.assert_array_equal(found.imu[i], model.embed(imu=imu(i), normalize=False).imu[0])
    want = [float(tokens(t)[0].sum()) for t in ("a dog", "word " * 300, "a cat")]
    np.testing.assert_allclose(found.text[:, 0], want * 10)
    again = asyncio.run(model.aembed(imu=[imu(i) for i in range(20)], text=texts, normalize=False))
    np.testing.assert_array_equal(again.text, found.text)
    np.testing.assert_array_equal(again.imu, found.imu)
    streamed = [one.vector for one in model.stream("text", texts, normalize=False)]
    np.testing.assert_array_equal(np.stack(streamed), found.text)  # type: ignore[arg-type]


def test_notes_of_texts(load_with: Load) -> None:
    model = load_with(text=SimulatedEngine())
    texts = ["a dog", "word " * 100, "wörter " * 100, "x" * 2000, bindrt.Prepared(tokens("a")[0])]
    expected = {}
    for i, text in enumerate(texts):
        if notes := model.embed(text=text).notes:
            expected["text", i] = notes["text", 0]
    assert {("text", 1), ("text", 2), ("text", 3)} <= set(expected)
    assert model.embed(text=texts).notes == expected
    assert asyncio.run(model.aembed(text=texts)).notes == expected
    for i, one in enumerate(model.stream("text", texts)):
        assert one.notes == expected.get(("text", i), {})


def test_every_wrong_text_is_named(load_with: Load) -> None:
    model = load_with(text=SimulatedEngine())
    ids = tokens("a dog")[0]
    wrong: list[Any] = [
        3,
        None,
        bindrt.Prepared(ids.astype(np.int32)),
        bindrt.Prepared(np.zeros(77, np.int64)),
        bindrt.Prepared(np.where(ids == ids.max(), -1, ids)),
        bindrt.Prepared(ids[:50]),
    ]
    items = [item for each in wrong for item in ("a dog", each)]
    found = model.embed(text=items, on_error="skip")
    assert sorted(i for _, i in found.errors) == list(range(1, len(items), 2))
    assert np.isfinite(found.text[::2]).all()
    with pytest.raises(bindrt.InputError, match=r"text\[1\]"):
        model.embed(text=items)


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_an_engine_that_fails_ends_the_call(load_with: Load, on_error: Any) -> None:
    poison = int(tokens("a dog")[0, 2])
    model = load_with(text=SimulatedEngine(max_batch=4, before=fails_on(poison)))
    texts = ["a"] * 9 + ["a dog"] + ["a"] * 30
    with pytest.raises(bindrt.EngineError, match=rf"text\[9\] .*there is a {poison}"):
        model.embed(text=texts, on_error=on_error)
    assert model.embed(text=["a"] * 3).text.shape == (3, model.embed_dim)


def test_out_of_memory_halves_the_batch(load_with: Load) -> None:
    model = load_with(text=SimulatedEngine(max_batch=16, before=needs_memory_for(3)))
    found = model.embed(text=[f"number {i}" for i in range(40)], normalize=False).text
    want = [float(tokens(f"number {i}").sum()) for i in range(40)]
    np.testing.assert_allclose(found[:, 0], want)


def test_closed_meanwhile(load_with: Load) -> None:
    engine = SimulatedEngine(max_batch=2, held=True)
    model = load_with(imu=engine)
    said: list[object] = []

    def embed() -> None:
        try:
            said.append(model.embed(imu=[imu(1)] * 100, on_error="skip"))
        except bindrt.Error as error:
            said.append(error)

    thread = threading.Thread(target=embed)
    thread.start()
    assert engine.entered.wait(60)
    threading.Timer(0.1, engine.gate.set).start()
    model.close()
    thread.join(60)
    assert len(said) == 1
    assert isinstance(said[0], bindrt.ClosedError)


def test_unloaded_meanwhile(load_with: Load) -> None:
    engine = SimulatedEngine(max_batch=2)
    model = load_with(imu=engine)
    found: list[np.ndarray] = []
    thread = threading.Thread(target=lambda: found.append(model.embed(imu=[imu(1)] * 2000).imu))
    thread.start()
    while thread.is_alive():
        model.unload("imu")
    thread.join(60)
    assert np.isfinite(found[0]).all()
    assert len(found[0]) == 2000


def test_deadlines_of_aembed(load_with: Load) -> None:
    engine = SimulatedEngine(max_batch=2, held=True)
    model = load_with(text=engine)
    running = model.submit("text", "a")
    assert engine.entered.wait(60)

    async def late() -> bindrt.Embeddings:
        return await model.aembed(text=["a dog"] * 3, deadline=0.05, on_error="skip")

    found = asyncio.run(late())
    assert {type(error) for error in found.errors.values()} == {bindrt.DeadlineExceeded}
    assert len(found.errors) == 3
    engine.gate.set()
    running.result(60)


def test_stream_takes_items_together(load_with: Load) -> None:
    engine = SimulatedEngine(max_batch=16, held=True)
    model = load_with(text=engine)
    texts = [f"number {i}" for i in range(200)]
    engine.gate.set()
    found = [one.vector for one in model.stream("text", texts, prefetch=40, normalize=False)]
    want = [float(tokens(text).sum()) for text in texts]
    np.testing.assert_allclose(np.stack(found)[:, 0], want)  # type: ignore[arg-type]

    def breaks() -> Iterator[str]:
        yield from texts[:25]
        raise ValueError("the list is damaged")

    with pytest.raises(ValueError, match="damaged"):
        list(model.stream("text", breaks(), prefetch=40))
    until(lambda: model.stats()["text"]["pipeline"]["rows_in_flight"] == 0)


def test_submit_many_is_submit_for_each(small_bundle: Path) -> None:
    texts = [f"a dog that barks {number} times" for number in range(300)]
    with bindrt.load(small_bundle, pipeline=bindrt.PipelineOptions(queue=64)) as model:
        futures = model.submit_many("text", iter(texts), normalize=False)
        expected = model.embed(text=texts, normalize=False).text
        np.testing.assert_array_equal([future.result() for future in futures], expected)
        mixed = model.submit_many("text", ["a dog", 3, "a cat"])
        assert mixed[0].result().shape == mixed[2].result().shape
        with pytest.raises(bindrt.InputError, match="not int"):
            mixed[1].result()
        assert model.submit_many("text", []) == []
        with pytest.raises(bindrt.OptionError, match="submit_many: str is not an iterable of items"):
            model.submit_many("text", "a dog")
        with pytest.raises(bindrt.OptionError, match="priority"):
            model.submit_many("text", ["a dog"], priority=5000)
