"""Ten minutes of everything at once on the pipeline: faults, cancels, deadlines, models closed and opened.

``BINDRT_SOAK_SECONDS=60`` makes it shorter. Every request must end once, as it may; nothing may grow.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import bindrt
from bindrt.engines import ENGINES, EngineSettings, EngineSpec, onnxruntime
from bindrt.errors import EngineError
from support.soak import GOOD, form, held

SECONDS = float(os.environ.get("BINDRT_SOAK_SECONDS", "600"))
WARM_UP = min(60.0, SECONDS / 4)
BOUND = 5e-6
#: The most by which the resident size may grow during the test, by least squares after the warm-up.
GROWTH_BYTES = 64 << 20
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {"pipeline": bindrt.PipelineOptions(queue=64)},
    "sharing": {"pipeline": bindrt.PipelineOptions(queue=64, deduplicate=True, cache_bytes=4000)},
    "budget": {"pipeline": bindrt.PipelineOptions(queue=64)},  # the budget depends on the bundle
}
BAD_SHARE, FAULTS = 0.08, 0.02
PLANTED = "planted fault"


@dataclass
class Seen:
    ends: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def end(self, kind: str) -> None:
        with self.lock:
            self.ends[kind] += 1

    def fault(self, text: str) -> None:
        with self.lock:
            self.wrong.append(text)


class FaultyEngine:
    """ONNX Runtime, which fails now and then."""

    def __init__(self, spec: EngineSpec, settings: EngineSettings) -> None:
        engine = onnxruntime.KIND.open(spec, settings)
        self.name, self.device = engine.name, engine.device
        self.precision, self.max_batch = engine.precision, engine.max_batch
        self._run, self._encoder, self._rng = engine.run, spec.encoder, random.Random(spec.encoder)

    def run(self, inputs: np.ndarray, out: np.ndarray) -> None:
        if self._rng.random() < FAULTS:
            raise EngineError(self._encoder, self._rng.choice((PLANTED, f"{PLANTED}: out of memory")))
        self._run(inputs, out)


class Place:
    """A model that is closed and opened again now and then."""

    def __init__(self, name: str, bundle: Path, options: dict[str, Any]) -> None:
        self.name = name
        self._open: Callable[[], bindrt.Model] = lambda: bindrt.load(bundle, threads=1, **options)
        self.model = self._open()

    def reopen(self, drain: bool) -> None:
        old, self.model = self.model, self._open()
        old.close(drain=drain)


def judge(
    seen: Seen, what: str, planted: bool, error: BaseException | None, gap: float, may: set[str]
) -> None:
    """Whether a request may have ended so."""
    if error is None:
        kind = "vector"
        if planted or not gap <= BOUND:  # so written that NaN is wrong
            seen.fault(f"{what}: planted={planted}, differs by {gap}")
    elif isinstance(error, (CancelledError, asyncio.CancelledError)):
        kind = "cancelled"
    elif isinstance(error, bindrt.DeadlineExceeded):
        kind = "expired"
    elif isinstance(error, EngineError):
        kind = "engine"
        if PLANTED not in str(error):
            seen.fault(f"{what}: {error}")
    elif isinstance(error, bindrt.InputError):
        kind = "input"
        if not planted:
            seen.fault(f"{what}: {error}")
    elif isinstance(error, bindrt.Error) and "closed" in str(error):
        kind = "closed"
    else:
        kind = type(error).__name__
    if kind not in may | {"vector", "engine", "input", "closed"}:
        seen.fault(f"{what}: {error!r}")
    seen.end(kind)


class Asker:
    """One thread of random requests."""

    def __init__(self, place: Place, expected: dict[str, np.ndarray], seen: Seen, seed: int) -> None:
        self.place, self.expected, self.seen = place, expected, seen
        self.rng = random.Random(seed)
        self.asked = 0

    def item(self) -> tuple[str, int | None, Any]:
        modality = self.rng.choice(list(GOOD))
        if self.rng.random() < BAD_SHARE:
            return modality, None, self.rng.choice([b"no such thing", b"", 3.5, None, Path("missing.file")])
        number = self.rng.randrange(len(GOOD[modality]))
        return modality, number, form(GOOD[modality][number], self.rng)

    def gap(self, modality: str, number: int | None, vector: Any) -> float:
        if vector is None or number is None:
            return float("nan")
        return float(np.abs(vector - self.expected[modality][number]).max())

    def submits(self, until: float) -> None:
        """Bursts of futures; some cancelled, some with deadlines, each counted when it ends."""
        while time.monotonic() < until:
            burst = []
            for _ in range(self.rng.randrange(1, 12)):
                modality, number, item = self.item()
                deadline = self.rng.choice((None, None, 0.001, 0.05, 30.0))
                priority = self.rng.choice((0, 0, 1, 5))
                block = self.rng.random() < 0.8
                self.asked += 1
                try:
                    future = self.place.model.submit(modality, item, priority, deadline, block)
                except bindrt.Overloaded:
                    self.seen.end("overloaded")
                    continue
                except bindrt.Error as error:
                    judge(self.seen, modality, number is None, error, 0.0, {"MemoryBudgetExceeded"})
                    continue
                ends: list[object] = []
                future.add_done_callback(ends.append)
                burst.append((future, modality, number, deadline, ends))
            cancelled = {id(f) for f, *_ in burst if self.rng.random() < 0.15 and f.cancel()}
            for future, modality, number, deadline, _ in burst:
                may = {"cancelled"} if id(future) in cancelled else set()
                may |= {"expired"} if deadline is not None else set()
                vector, error = None, None
                try:
                    vector = future.result(120)
                except BaseException as found:
                    error = found
                judge(self.seen, modality, number is None, error, self.gap(modality, number, vector), may)
            for _, modality, _, _, ends in burst:
                late = time.monotonic() + 10
                while not ends and time.monotonic() < late:  # its callbacks come a moment after its result
                    time.sleep(0.001)
                if len(ends) != 1:
                    self.seen.fault(f"{modality}: ended {len(ends)} times")

    def streams(self, until: float) -> None:
        """Streams that are read to their end, or left early."""
        while time.monotonic() < until:
            modality = self.rng.choice(list(GOOD))
            numbers = [self.rng.randrange(len(GOOD[modality])) for _ in range(self.rng.randrange(1, 40))]
            most = self.rng.choice((1000, 1000, 3))
            items = (form(GOOD[modality][n], self.rng) for n in numbers)
            prefetch = self.rng.choice((1, 8, 64))
            try:
                for found in self.place.model.stream(modality, items, prefetch, on_error="skip"):
                    self.asked += 1
                    gap = self.gap(modality, numbers[found.index], found.vector)
                    judge(self.seen, f"stream of {modality}", False, found.error, gap, set())
                    if found.index == most:
                        break
            except bindrt.Error as error:
                self.asked += 1
                judge(self.seen, f"stream of {modality}", False, error, 0.0, {"MemoryBudgetExceeded"})

    def coroutines(self, until: float) -> None:
        asyncio.run(self._coroutines(until))

    async def _coroutines(self, until: float) -> None:
        while time.monotonic() < until:
            calls = [asyncio.create_task(self._call()) for _ in range(self.rng.randrange(1, 8))]
            if self.rng.random() < 0.2:
                await asyncio.sleep(self.rng.random() * 0.02)
                calls[0].cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    async def _call(self) -> None:
        modality, number, item = self.item()
        self.asked += 1
        vector, error = None, None
        try:
            found = await self.place.model.aembed(**{modality: [item]})
            vector = found[modality][0]
        except BaseException as raised:
            error = raised
        gap = self.gap(modality, number, vector)
        may = {"cancelled", "MemoryBudgetExceeded"}
        judge(self.seen, f"aembed of {modality}", number is None, error, gap, may)


def soak(places: list[Place], expected: dict[str, np.ndarray], seen: Seen, seconds: float, seed: int) -> int:
    """The number of requests."""
    until = time.monotonic() + seconds
    askers = [Asker(place, expected, seen, seed + i) for i, place in enumerate(places * 3)]
    works = [a.submits for a in askers[:3]] + [a.streams for a in askers[3:6]]
    works += [a.coroutines for a in askers[6:]]
    threads = [threading.Thread(target=work, args=(until,)) for work in works]
    for thread in threads:
        thread.start()
    rng = random.Random(seed)
    while time.monotonic() < until:
        time.sleep(min(rng.uniform(1, 4), max(until - time.monotonic(), 0)))
        rng.choice(places).reopen(drain=rng.random() < 0.5)
    for thread in threads:
        thread.join(180)
        if thread.is_alive():
            seen.fault("a request never ended")
    return sum(a.asked for a in askers)


def growth(samples: list[tuple[float, int]]) -> float:
    """Bytes by which a line through the samples rises from the first to the last."""
    times, sizes = (np.array(column, float) for column in zip(*samples, strict=True))
    slope, _ = np.polyfit(times, sizes, 1)
    return float(slope * (times[-1] - times[0]))


@pytest.mark.deep
def test_everything_at_once(small_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with bindrt.load(small_bundle) as alone:
        expected = {
            m: np.concatenate([alone.embed(**{m: [i]})[m] for i in items])  # type: ignore[arg-type]
            for m, items in GOOD.items()
        }
        alone.warm_up()
        sizes = sorted(sum(m.values()) for m in alone.memory().values())
    OPTIONS["budget"]["memory_budget"] = sizes[-1] + sizes[-2]
    monkeypatch.setitem(ENGINES, "onnxruntime", replace(onnxruntime.KIND, open=FaultyEngine))
    places = [Place(name, small_bundle, options) for name, options in OPTIONS.items()]
    seen = Seen()
    asked = soak(places, expected, seen, WARM_UP, 1)
    for place in places:
        place.reopen(drain=True)
    before = (*held(), psutil.Process().num_threads())
    samples: list[tuple[float, int]] = []
    end = time.monotonic() + SECONDS - WARM_UP
    round_seconds = (SECONDS - WARM_UP) / 6
    seed = 100
    while time.monotonic() < end:
        asked += soak(places, expected, seen, min(round_seconds, max(end - time.monotonic(), 1.0)), seed)
        seed += 100
        for place in places:
            place.reopen(drain=True)
        samples.append((time.monotonic(), held()[0]))
    after = (*held(), psutil.Process().num_threads())
    for place in places:
        place.model.close()
    rise = growth(samples)
    print(
        f"\n{asked} requests in {SECONDS:.0f} s: {dict(sorted(seen.ends.items()))};"
        f" resident {[size >> 20 for _, size in samples]} MiB, rising by {rise / 2**20:.1f} MiB;"
        f" descriptors {before[1]} → {after[1]}, threads {before[2]} → {after[2]}"
    )
    assert seen.wrong == []
    assert seen.ends.total() == asked
    assert {"vector", "cancelled", "expired", "engine", "input", "closed"} <= set(seen.ends)
    assert rise < GROWTH_BYTES
    assert after[1] <= before[1]
    assert after[2] <= before[2]
