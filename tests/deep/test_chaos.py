"""Thirteen threads do everything to one model at once for ten minutes, close and open it among it.

``BINDRT_CHAOS_SECONDS=60`` makes it shorter. Nothing may end but in a right vector or in an error of ours,
and nothing may hang.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import bindrt
from support.soak import GOOD

SECONDS = float(os.environ.get("BINDRT_CHAOS_SECONDS", "600"))
BOUND = 5e-6
#: All items are good.
EXPECTED = (bindrt.ClosedError, bindrt.DeadlineExceeded, CancelledError, asyncio.CancelledError)
MODALITIES = ("image", "text", "audio", "imu")
LABELS = ["a bell", "a car"]


class Chaos:
    """The model that all threads share, and what they saw."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = self.load()
        self.until = time.monotonic() + SECONDS
        self.seen: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.expected = {
            m: [self.model.embed(**{m: [item]})[m][0] for item in GOOD[m]]  # type: ignore[arg-type]
            for m in MODALITIES
        }
        self.labels = self.model.embed(text=LABELS).text

    @staticmethod
    def load() -> bindrt.Model:
        options = bindrt.PipelineOptions(queue=32, deduplicate=True, cache_bytes=2000)
        return bindrt.load("tiny", modalities=MODALITIES, threads=1, pipeline=options)

    def repeat(self, work: Callable[[random.Random], None], seed: int) -> None:
        rng = random.Random(seed)
        while time.monotonic() < self.until and not self.wrong:
            try:
                work(rng)
                self.seen[work.__name__] += 1
            except EXPECTED as error:
                self.seen[f"{work.__name__}: {type(error).__name__}"] += 1
                time.sleep(0.001)
            except BaseException:
                self.wrong.append(f"{work.__name__}: {traceback.format_exc()}")

    def item(self, rng: random.Random) -> tuple[str, int, Any]:
        modality = rng.choice(MODALITIES)
        number = rng.randrange(len(GOOD[modality]))
        return modality, number, GOOD[modality][number]

    def check(self, what: str, modality: str, number: int, vector: Any) -> None:
        gap = float(np.abs(vector - self.expected[modality][number]).max())
        self.seen["vectors"] += 1
        if not gap <= BOUND:  # so written that NaN is wrong
            self.wrong.append(f"{what} of {modality}[{number}] differs by {gap}")

    def submit(self, rng: random.Random) -> None:
        burst = []
        for _ in range(rng.randrange(1, 10)):
            modality, number, item = self.item(rng)
            deadline = rng.choice((None, None, 0.002, 10.0))
            burst.append((modality, number, self.model.submit(modality, item, rng.choice((0, 3)), deadline)))
            if rng.random() < 0.3:
                burst[-1][2].cancel()
        for modality, number, future in burst:
            try:
                self.check("submit", modality, number, future.result(120))
            except EXPECTED as error:
                self.seen[f"future: {type(error).__name__}"] += 1

    def embed(self, rng: random.Random) -> None:
        modality, number, item = self.item(rng)
        found = self.model.embed(**{modality: [item, item]})  # type: ignore[arg-type]
        self.check("embed", modality, number, found[modality][1])

    def aembed(self, rng: random.Random) -> None:
        modality, number, item = self.item(rng)

        async def call() -> Any:
            task = asyncio.create_task(self.model.aembed(**{modality: [item]}))  # type: ignore[arg-type]
            if rng.random() < 0.2:
                await asyncio.sleep(rng.random() * 0.01)
                task.cancel()
            return (await task)[modality][0]

        self.check("aembed", modality, number, asyncio.run(call()))

    def stream(self, rng: random.Random) -> None:
        modality = rng.choice(MODALITIES)
        numbers = [rng.randrange(len(GOOD[modality])) for _ in range(rng.randrange(1, 30))]
        most = rng.choice((1000, 3))
        items = [GOOD[modality][n] for n in numbers]
        for found in self.model.stream(modality, items, rng.choice((1, 16))):  # type: ignore[arg-type]
            self.check("stream", modality, numbers[found.index], found.vector)
            if found.index == most:
                break

    def zero_shot(self, rng: random.Random) -> None:
        found = self.model.zero_shot(LABELS)
        if not np.abs(found.vectors - self.labels).max() <= BOUND:
            self.wrong.append("labels differ")
        found(text="a bell").topk(1)

    def trace(self, rng: random.Random) -> None:
        path = self.folder / f"{threading.get_ident()}.json"
        try:
            with self.model.trace(path, spans=rng.choice((3, 1000))):
                time.sleep(rng.random() * 0.02)
            json.loads(path.read_text())
        except bindrt.Error as error:
            if "a trace is being recorded already" not in str(error):
                raise
            self.seen["trace: already"] += 1
            time.sleep(0.001)

    def look(self, rng: random.Random) -> None:
        self.model.stats()
        self.model.memory()
        repr(self.model)
        time.sleep(0.002)

    def unload(self, rng: random.Random) -> None:
        self.model.unload(rng.choice(MODALITIES))
        time.sleep(rng.random() * 0.03)

    def warm_up(self, rng: random.Random) -> None:
        self.model.warm_up()
        self.model.engine(rng.choice(MODALITIES))
        time.sleep(rng.random() * 0.1)

    def close(self, rng: random.Random) -> None:
        time.sleep(rng.random() * 2)
        old, self.model = self.model, self.load()
        closers = [threading.Thread(target=old.close, args=(rng.random() < 0.5,)) for _ in range(2)]
        for closer in closers:
            closer.start()
        for closer in closers:
            closer.join()


@pytest.mark.deep
def test_thirteen_threads(tmp_path: Path) -> None:
    chaos = Chaos(tmp_path)
    works = [chaos.submit] * 3 + [chaos.unload, chaos.embed, chaos.aembed, chaos.stream, chaos.zero_shot]
    works += [chaos.trace, chaos.trace, chaos.look, chaos.warm_up, chaos.close]
    threads = [
        threading.Thread(target=chaos.repeat, args=(work, seed), daemon=True)
        for seed, work in enumerate(works)
    ]
    assert len(threads) == 13
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(chaos.until - time.monotonic(), 0) + 120)
    hung = [work.__name__ for work, thread in zip(works, threads, strict=True) if thread.is_alive()]
    chaos.model.close()
    print(f"\n{SECONDS:.0f} s: {dict(sorted(chaos.seen.items()))}; {psutil.Process().num_threads()} threads")
    assert chaos.wrong == []
    assert hung == []
    assert chaos.seen["vectors"] > 0
    assert all(chaos.seen[work.__name__] > 0 for work in works)
