"""Equal items: computed once, each with its own end; the cache; and what counts as equal."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from support.engines import GatedEngine, SimulatedEngine, fails_on
from support.golden import HERE

INPUTS = HERE / "inputs"
PHOTO, PALETTE = INPUTS / "image/photo.webp", INPUTS / "image/palette.png"
ITEMS: dict[str, Any] = {
    "image": PHOTO,
    "video": INPUTS / "video/short_1s2.mp4",
    "text": "a dog",
    "audio": INPUTS / "audio/short_8k.wav",
    "depth": INPUTS / "depth/d2.png",
    "thermal": INPUTS / "thermal/t2.png",
    "imu": INPUTS / "imu/s2.npz",
}
NEIGHBOURS = 5e-6
SHARING = bindrt.PipelineOptions(deduplicate=True, cache_bytes=1 << 20)


@pytest.fixture
def model(small_bundle: Path) -> Iterator[bindrt.Model]:
    with bindrt.load(small_bundle, pipeline=SHARING) as loaded:
        yield loaded


def sharing(model: bindrt.Model, modality: str) -> dict[str, int]:
    found: dict[str, int] = model.stats()[modality]["pipeline"]["sharing"]
    return found


def computed(model: bindrt.Model, modality: str) -> int:
    return int(model.stats()[modality]["pipeline"]["done"])


def gated(
    load_with: Callable[..., bindrt.Model], options: bindrt.PipelineOptions = SHARING
) -> tuple[bindrt.Model, SimulatedEngine]:
    """A model whose engine is busy with a first text until its gate is opened."""
    engine = SimulatedEngine(max_batch=1, held=True)
    model = load_with(options, text=engine)
    model.submit("text", "before all")
    assert engine.entered.wait(60)
    return model, engine


def test_same_vectors_and_one_computation(model: bindrt.Model) -> None:
    expected = model.embed(**ITEMS)  # it shares nothing
    before = {modality: computed(model, modality) for modality in ITEMS}
    for modality, item in ITEMS.items():
        futures = [model.submit(modality, item) for _ in range(6)]
        rows = [f.result(60) for f in futures]
        rows.append(model.submit(modality, item).result(60))
        rows += [r.vector for r in model.stream(modality, [item, item])]
        for row in rows:
            np.testing.assert_allclose(row, expected[modality][0], atol=NEIGHBOURS, rtol=0)
        assert computed(model, modality) - before[modality] == 1
        assert sharing(model, modality)["shared"] + sharing(model, modality)["hits"] == 8
    again = asyncio.run(model.aembed(**ITEMS))
    assert again.notes == expected.notes
    for modality in ITEMS:
        np.testing.assert_allclose(again[modality], expected[modality], atol=NEIGHBOURS, rtol=0)
        assert computed(model, modality) - before[modality] == 1


def test_each_has_a_vector_of_its_own(model: bindrt.Model) -> None:
    first, second = (model.submit("text", "a").result(60) for _ in range(2))
    first[:] = 7
    assert not (second == 7).any()
    assert not (model.submit("text", "a").result(60) == 7).any()


def test_bad_items_fail_each_by_itself_and_stay_bad(model: bindrt.Model, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    for _ in range(2):  # an error is not kept
        futures = [model.submit("image", bad) for _ in range(3)]
        for future in futures:
            with pytest.raises(bindrt.SourceError, match=r"bad\.jpg"):
                future.result(60)
    assert sharing(model, "image")["cached"] == 0
    bad.write_bytes(PALETTE.read_bytes())
    np.testing.assert_array_equal(
        model.submit("image", bad).result(60), model.submit("image", PALETTE).result(60)
    )


def test_a_changed_file_is_read_again(model: bindrt.Model, tmp_path: Path) -> None:
    """The same name, size and time."""
    path = tmp_path / "frame.png"
    whole = PHOTO.read_bytes()
    expected = {}
    for name, source in (("a", PHOTO.read_bytes()), ("b", PALETTE.read_bytes())):
        expected[name] = model.embed(image=source).image[0]
    size = max(len(whole), len(PALETTE.read_bytes()))
    for name, source in (("a", PHOTO), ("b", PALETTE), ("a", PHOTO)):
        path.write_bytes(source.read_bytes().ljust(size, b"\0"))
        os.utime(path, ns=(10**18, 10**18))
        row = model.submit("image", path).result(60)
        np.testing.assert_allclose(row, expected[name], atol=NEIGHBOURS)


def test_a_file_that_changes_while_it_waits(
    load_with: Callable[..., bindrt.Model], small_model: bindrt.Model, tmp_path: Path
) -> None:
    """Followers get the vector of what they saw, whatever becomes of the file before it is decoded."""
    engine = GatedEngine(small_model.engine("image"))
    model = load_with(SHARING, vision=engine)
    path = tmp_path / "tokens.png"
    path.write_bytes(PHOTO.read_bytes())
    expected = model.embed(image=[PHOTO, PALETTE]).image
    engine.gate.clear()
    engine.entered.clear()
    model.submit("image", INPUTS / "image/tiny.png")
    assert engine.entered.wait(60)
    first = model.submit("image", path)
    path.write_bytes(PALETTE.read_bytes())
    second = model.submit("image", PHOTO)
    third = model.submit("image", path)
    engine.gate.set()
    for future, row in ((first, 0), (second, 0), (third, 1)):
        np.testing.assert_allclose(future.result(60), expected[row], atol=NEIGHBOURS)


def test_an_array_that_changes_while_it_waits(model: bindrt.Model) -> None:
    pixels = np.full((50, 50, 3), 90, np.uint8)
    expected = model.embed(image=pixels.copy()).image[0]
    futures = [model.submit("image", pixels) for _ in range(2)]
    pixels[:] = 0
    for future in futures:
        np.testing.assert_allclose(future.result(60), expected, atol=NEIGHBOURS)


def test_cancelling_one_leaves_the_others(load_with: Callable[..., bindrt.Model]) -> None:
    model, engine = gated(load_with)
    leader, follower, last = (model.submit("text", "b") for _ in range(3))
    assert leader.cancel()
    with pytest.raises(CancelledError):
        leader.result(1)
    assert last.cancel()
    engine.gate.set()
    assert follower.result(60)[1] > 0
    assert engine.batches == [1, 1]
    assert sharing(model, "text")["cancelled"] == 2


def test_when_all_are_cancelled_nothing_is_computed(load_with: Callable[..., bindrt.Model]) -> None:
    model, engine = gated(load_with)
    assert all(f.cancel() for f in [model.submit("text", "b") for _ in range(3)])
    engine.gate.set()
    model.submit("text", "c").result(60)
    assert engine.batches == [1, 1]


def test_deadlines_are_each_ones_own(load_with: Callable[..., bindrt.Model]) -> None:
    model, engine = gated(load_with)
    short = model.submit("text", "b", deadline=1)
    patient = model.submit("text", "b")
    shorter = model.submit("text", "b", deadline=0.5)
    past = model.submit("text", "b", deadline=-1)
    alone = model.submit("text", "c", deadline=1)
    long = model.submit("text", "b", deadline=60)
    for future in (short, shorter, past, alone):
        with pytest.raises(bindrt.DeadlineExceeded):
            future.result(30)
    engine.gate.set()
    assert patient.result(60)[1] > 0
    assert long.result(60)[1] > 0
    assert engine.batches == [1, 1]  # "c" was not computed
    assert sharing(model, "text")["expired"] == 4
    end = time.monotonic() + 60
    while any(t.name == "bindrt deadlines" for t in threading.enumerate()) and time.monotonic() < end:
        time.sleep(0.01)
    assert not any(t.name == "bindrt deadlines" for t in threading.enumerate())


def test_a_deadline_does_not_end_what_the_engine_has(load_with: Callable[..., bindrt.Model]) -> None:
    model, engine = gated(load_with)
    running = model.submit("text", "before all", deadline=0.05)
    time.sleep(0.3)
    assert not running.done()
    engine.gate.set()
    assert running.result(60)[1] > 0


def test_an_urgent_one_overtakes(load_with: Callable[..., bindrt.Model]) -> None:
    options = bindrt.PipelineOptions(deduplicate=True, batches_in_flight=1)
    model, engine = gated(load_with, options)
    with model:
        order: list[str] = []
        futures = []
        for name, priority in (("x", 0), ("y", 0), ("y", 5), ("y", 0)):
            future = model.submit("text", name, priority=priority)
            future.add_done_callback(lambda _, name=f"{name}{priority}": order.append(name))  # type: ignore[misc]
            futures.append(future)
        engine.gate.set()
        for future in futures:
            future.result(60)
        assert order[-1] == "x0"
        assert sorted(order[:3]) == ["y0", "y0", "y5"]
        assert engine.batches == [1, 1, 1]


def test_an_error_reaches_all_and_is_not_kept(load_with: Callable[..., bindrt.Model]) -> None:
    poison = int(bindrt.preprocess.text("a dog")[0][2])
    engine = SimulatedEngine(max_batch=4, before=fails_on(poison))
    model = load_with(SHARING, text=engine)
    for _ in range(2):
        engine.gate.clear()
        futures = [model.submit("text", "a dog") for _ in range(3)]
        engine.gate.set()
        for future in futures:
            with pytest.raises(bindrt.EngineError, match="there is a"):
                future.result(60)
    assert sharing(model, "text")["cached"] == 0
    assert sharing(model, "text")["misses"] == 2


def test_a_full_queue(load_with: Callable[..., bindrt.Model]) -> None:
    options = bindrt.PipelineOptions(deduplicate=True, queue=1, batches_in_flight=1)
    model, engine = gated(load_with, options)
    with model:
        waiting = model.submit("text", "b")
        with pytest.raises(bindrt.Overloaded):
            model.submit("text", "c", block=False)
        follower = model.submit("text", "b", block=False)  # needs no place
        with pytest.raises(bindrt.Overloaded):
            model.submit("text", "b", priority=3, block=False)
        threading.Timer(0.1, engine.gate.set).start()
        rows = [f.result(60) for f in (waiting, follower, model.submit("text", "c"))]
        assert all(row[1] > 0 for row in rows)


def test_close_ends_followers_too(load_with: Callable[..., bindrt.Model]) -> None:
    for drain in (True, False):
        model, engine = gated(load_with, bindrt.PipelineOptions(deduplicate=True))
        futures = [model.submit("text", "b") for _ in range(4)]
        threading.Timer(0.1, engine.gate.set).start()
        model.close(drain=drain)
        if drain:
            assert all(f.result(10)[1] > 0 for f in futures)
        else:
            assert all("closed" in str(f.exception(10)) for f in futures)


def test_threads_and_coroutines(small_bundle: Path) -> None:
    """Many at once, with few different texts: each gets its own, and less is computed than is asked for."""
    options = bindrt.PipelineOptions(deduplicate=True, cache_bytes=1200)  # room for one or two
    with bindrt.load(small_bundle, pipeline=options) as model:
        expected = {f"text {i}": model.embed(text=f"text {i}").text[0] for i in range(5)}
        wrong: list[str] = []

        def work(seed: int) -> None:
            rng = np.random.default_rng(seed)
            for _ in range(60):
                text = f"text {rng.integers(5)}"
                future = model.submit("text", text, priority=int(rng.integers(3)), deadline=30)
                if rng.random() < 0.2 and future.cancel():
                    continue
                if np.abs(future.result(60) - expected[text]).max() > NEIGHBOURS:
                    wrong.append(text)

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        found = asyncio.run(model.aembed(text=[f"text {i % 5}" for i in range(50)]))
        for thread in threads:
            thread.join(120)
            assert not thread.is_alive()
        assert not wrong
        for i, row in enumerate(found.text):
            np.testing.assert_allclose(row, expected[f"text {i % 5}"], atol=NEIGHBOURS)
        assert sharing(model, "text")["cached_bytes"] <= 1200
        assert computed(model, "text") < 410


def test_options_are_checked() -> None:
    for wrong in ({"cache_bytes": -1}, {"cache_bytes": 1.5}, {"deduplicate": 1}):
        with pytest.raises(bindrt.OptionError):
            bindrt.PipelineOptions(**wrong)  # type: ignore[arg-type]
