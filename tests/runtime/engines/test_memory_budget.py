"""``load(memory_budget=…)``: who goes for whom, and never with work in flight."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bindrt
from bindrt import loaded_encoders
from bindrt.loaded_encoders import LoadedEncoders
from bindrt.pipeline.memory import Held
from support.engines import SimulatedEngine
from support.golden import HERE

INPUTS = HERE / "inputs"
SOUND, MOTION = INPUTS / "audio/short_8k.wav", INPUTS / "imu/s2.npz"
NEIGHBOURS = 5e-6


def size(bundle: Path, *modalities: str) -> int:
    """What these take together."""
    with bindrt.load(bundle, modalities=modalities) as model:
        model.warm_up()
        return sum(sum(m.values()) for m in model.memory().values())


def loaded(model: bindrt.Model) -> list[str]:
    return sorted(model.memory())


def test_the_least_recently_used_goes(small_bundle: Path) -> None:
    budget = max(size(small_bundle, "text", "imu"), size(small_bundle, "text", "audio"))
    budget = max(budget, size(small_bundle, "imu", "audio"))
    with bindrt.load(small_bundle) as free:
        expected = free.embed(text="a", audio=SOUND, imu=MOTION)
    with bindrt.load(small_bundle, memory_budget=budget) as model:
        model.submit("text", "a").result(60)
        model.submit("imu", MOTION).result(60)
        assert loaded(model) == ["imu", "text"]
        model.submit("text", "b").result(60)  # so imu is the older one
        model.submit("audio", SOUND).result(60)
        assert loaded(model) == ["audio", "text"]
        model.embed(imu=MOTION)
        assert loaded(model) == ["audio", "imu"]
        found = asyncio.run(model.aembed(text="a", audio=SOUND, imu=MOTION))
        direct = model.embed(text="a", audio=SOUND, imu=MOTION)
        for modality in expected:
            np.testing.assert_allclose(found[modality], expected[modality], atol=NEIGHBOURS)
            np.testing.assert_allclose(direct[modality], expected[modality], atol=NEIGHBOURS)
        assert sum(sum(m.values()) for m in model.memory().values()) <= budget


def test_one_alone_must_fit(small_bundle: Path) -> None:
    with bindrt.load(small_bundle, memory_budget=1000) as model:
        for _ in range(2):
            with pytest.raises(bindrt.MemoryBudgetExceeded, match="text are more than the budget of 1000"):
                model.embed(text="a")
            with pytest.raises(bindrt.MemoryBudgetExceeded):
                model.submit("text", "a")
        assert model.memory() == {}
    with bindrt.load(small_bundle, modalities=["text"]) as model:
        model.warm_up()
        weights = model.memory()["text"]["weights"]
    with bindrt.load(small_bundle, memory_budget=weights + 10) as model:  # but its batches do not
        with pytest.raises(bindrt.MemoryBudgetExceeded):
            model.embed(text="a")
        assert model.memory() == {}
    for wrong in (0, -1, 1.5, "1"):
        with pytest.raises(bindrt.OptionError, match="memory_budget"):
            bindrt.load(small_bundle, memory_budget=wrong)  # type: ignore[arg-type]


def test_work_in_flight_is_waited_for(small_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = SimulatedEngine(max_batch=1, held=True)
    budget = size(small_bundle, "imu")
    with bindrt.load(small_bundle, memory_budget=budget, engines={"text": engine}) as model:
        futures = [model.submit("text", "a") for _ in range(5)]
        assert engine.entered.wait(60)
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.append(model.submit("imu", MOTION).result(60)))
        thread.start()
        time.sleep(0.2)
        assert loaded(model) == ["text"]
        engine.gate.set()
        thread.join(60)
        assert len(found) == 1
        assert all(f.result(0)[1] > 0 for f in futures)
        assert loaded(model) == ["imu"]


def test_work_that_does_not_end_is_not_waited_for(
    small_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = SimulatedEngine(max_batch=1, held=True)
    monkeypatch.setattr(loaded_encoders, "PATIENCE", 0.1)
    budget = size(small_bundle, "text")
    with bindrt.load(small_bundle, memory_budget=budget, engines={"imu": blocked}) as model:
        running = model.submit("imu", MOTION)
        assert blocked.entered.wait(60)
        with pytest.raises(bindrt.MemoryBudgetExceeded, match="had work"):
            model.submit("text", "a")
        blocked.gate.set()
        running.result(60)


def test_a_call_of_embed_is_work_too(small_bundle: Path) -> None:
    engine = SimulatedEngine(held=True)
    budget = size(small_bundle, "imu")
    with bindrt.load(small_bundle, memory_budget=budget, engines={"text": engine}) as model:
        embedding = threading.Thread(target=lambda: model.embed(text="a"))
        embedding.start()
        assert engine.entered.wait(60)
        loading = threading.Thread(target=lambda: model.embed(imu=MOTION))
        loading.start()
        time.sleep(0.2)
        assert loaded(model) == ["text"]
        engine.gate.set()
        for thread in (embedding, loading):
            thread.join(60)
            assert not thread.is_alive()
        assert loaded(model) == ["imu"]


def test_warm_up_loads_what_fits(small_bundle: Path) -> None:
    with bindrt.load(small_bundle) as free:
        assert free.warm_up() == free.modalities
        everything = free.memory()
    sizes = {e: sum(m.values()) for e, m in everything.items()}
    budget = sizes["vision"] + sizes["text"]
    with bindrt.load(small_bundle, memory_budget=budget) as model:
        warm = model.warm_up()
        assert {"image", "video", "text"} <= set(warm)
        assert sum(sizes[e] for e in loaded(model)) <= budget
        assert [m for m in model.modalities if m not in warm]


def test_threads_of_several_modalities_thrash_but_finish(small_bundle: Path) -> None:
    budget = max(size(small_bundle, m) for m in ("text", "imu", "audio"))
    items = {"text": "a", "imu": MOTION, "audio": SOUND}
    with bindrt.load(small_bundle) as free:
        expected = free.embed(**items)
    with bindrt.load(small_bundle, memory_budget=budget) as model:
        wrong: list[str] = []

        def work(modality: str) -> None:
            for i in range(4):
                row = model.submit(modality, items[modality]).result(60) if i % 2 else None
                row = model.embed(**{modality: items[modality]})[modality][0] if row is None else row  # type: ignore[arg-type]
                if np.abs(row - expected[modality][0]).max() > NEIGHBOURS:
                    wrong.append(modality)

        threads = [threading.Thread(target=work, args=(m,)) for m in [*items, *items]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
            assert not thread.is_alive()
        assert not wrong
        assert sum(sum(m.values()) for m in model.memory().values()) <= budget


def test_doctor_names_what_is_in_memory(small_bundle: Path) -> None:
    with bindrt.load(small_bundle, memory_budget=1 << 30) as model:
        model.embed(text="a")
        report = bindrt.doctor()
        mine = [m for m in report.models if m["budget"] == 1 << 30]
        assert [list(m["encoders"]) for m in mine] == [["text"]]
        assert "at most 1073.7 MB" in str(report)
        assert report.as_dict()["models"] == list(report.models)
    assert not [m for m in bindrt.doctor().models if m["budget"] == 1 << 30]


class Whole:
    """An engine of a plain model."""

    name = device = precision = "plain"
    max_batch = 1

    def run(self, inputs: Any, out: Any) -> None: ...


@given(
    st.lists(st.integers(1, 10), min_size=1, max_size=5),
    st.integers(1, 25),
    st.lists(st.tuples(st.sampled_from(["use", "busy", "idle"]), st.integers(0, 4)), max_size=30),
)
def test_against_a_plain_model(sizes: list[int], budget: int, actions: list[tuple[str, int]]) -> None:
    """Weights of these sizes, used in any order: the oldest without work go, no more of them than needed."""
    names = [f"e{i}" for i in range(len(sizes))]
    busy: set[str] = set()
    order: list[str] = []  # by last use, of those in memory
    closed: list[str] = []
    opened: Callable[[str], Any] = lambda _: Whole()  # noqa: E731
    place = LoadedEncoders(
        "model",
        budget,
        dict(zip(names, sizes, strict=True)),
        opened,
        lambda *_: Held(),
        lambda *_: Held(),
        lambda *_: "",
        lambda e: e not in busy,
        closed.append,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loaded_encoders, "PATIENCE", 0.0)
        patch.setattr(loaded_encoders, "LOOK", 0.0)
        for what, number in actions:
            name = names[number % len(names)]
            if what == "busy" and name in order:
                busy.add(name)
            elif what == "idle":
                busy.discard(name)
            elif what == "use":
                needed = sizes[names.index(name)]
                free = [e for e in order if e not in busy]
                held = sum(sizes[names.index(e)] for e in order)
                gone: list[str] = []
                while name not in order and held + needed > budget and free and needed <= budget:
                    gone.append(free.pop(0))
                    held -= sizes[names.index(gone[-1])]
                fits = name in order or held + needed <= budget
                before = len(closed)
                if fits:
                    place.engine(name)
                    order = [e for e in order if e not in gone and e != name] + [name]
                else:
                    with pytest.raises(bindrt.MemoryBudgetExceeded):
                        place.engine(name)
                    order = [e for e in order if e not in gone]
                assert closed[before:] == gone
                assert sorted(place.engines) == sorted(order)
                assert sum(sum(m.values()) for m in place.memory().values()) <= budget
