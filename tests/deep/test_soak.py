"""A minute of four threads on one model: the same vectors as alone, errors where planted, nothing leaks."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import bindrt
from support.golden import HERE

INPUTS = HERE / "inputs"
SECONDS, WARM_UP, THREADS = 60.0, 15.0, 4
#: Alone or among others an engine may sum in another order; of coordinates of unit vectors.
BOUND = 2e-6
#: What may still be held more than after the warm-up: caches, and fragments of the threads' arenas.
GROWTH_BYTES = 64 << 20
GOOD: dict[str, list[Any]] = {
    "image": [INPUTS / "image" / n for n in ("photo.webp", "palette.png", "tiny.png", "exif_rotated.jpg")],
    "video": [INPUTS / "video/short_1s2.mp4", bindrt.Video(np.zeros((8, 40, 60, 3), np.uint8), fps=4)],
    "text": ["a dog", "", "a photograph of a very small car on a long road", "é 名前"],
    "audio": [INPUTS / "audio/short_8k.wav", INPUTS / "audio/dc_offset_16k.wav"],
    "depth": [INPUTS / "depth/d2.png", np.linspace(1, 4, 3000, dtype=np.float32).reshape(50, 60)],
    "thermal": [INPUTS / "thermal/t2.png", np.arange(2500, dtype=np.uint8).reshape(50, 50)],
    "imu": [INPUTS / "imu/s2.npz", bindrt.Imu(np.ones((6, 1000), np.float32), rate=200)],
}
BAD: list[Any] = [b"no such thing", b"", 3.5, None, Path("missing.file"), BytesIO(b"RIFF"), object()]
BAD_SHARE = 0.1


@dataclass
class Seen:
    """What one thread found."""

    calls: int = 0
    items: int = 0
    planted: int = 0
    worst: float = 0.0
    wrong: list[str] = field(default_factory=list)


def form(item: Any, rng: random.Random) -> Any:
    """A file as its path, its bytes or an open stream; anything else as it is."""
    if not isinstance(item, Path) or item.suffix in (".npz", ".npy"):
        return item
    return rng.choice((item, str(item), item.read_bytes(), BytesIO(item.read_bytes())))


def work(model: bindrt.Model, expected: dict[str, np.ndarray], seed: int, until: float) -> Seen:
    """Random calls until it is time."""
    rng, seen = random.Random(seed), Seen()
    while time.monotonic() < until:
        call: dict[str, list[Any]] = {}
        rows: dict[str, list[int | None]] = {}
        for modality in rng.sample(list(GOOD), rng.choice((1, 1, 2, 3))):
            numbers = [rng.randrange(len(GOOD[modality])) for _ in range(rng.randrange(1, 5))]
            rows[modality] = [None if rng.random() < BAD_SHARE else n for n in numbers]
            call[modality] = [
                rng.choice(BAD) if n is None else form(GOOD[modality][n], rng) for n in rows[modality]
            ]
        found = model.embed(**call, on_error="skip")  # type: ignore[arg-type]
        planted = {(m, i) for m, ns in rows.items() for i, n in enumerate(ns) if n is None}
        if set(found.errors) != planted:
            seen.wrong.append(f"call {seen.calls} of thread {seed}: errors {set(found.errors) ^ planted}")
        for m, i in planted:
            if not np.isnan(found[m][i]).all():
                seen.wrong.append(f"call {seen.calls} of thread {seed}: {m}[{i}] has a vector")
        for m, ns in rows.items():
            for i, n in enumerate(ns):
                if n is not None:
                    gap = float(np.abs(found[m][i] - expected[m][n]).max())
                    # Written so that NaN counts as wrong.
                    seen.worst = gap if not gap <= seen.worst else seen.worst
                    if not gap <= BOUND:
                        seen.wrong.append(f"call {seen.calls} of thread {seed}: {m}[{i}] differs by {gap}")
        seen.calls += 1
        seen.items += sum(map(len, rows.values()))
        seen.planted += len(planted)
    return seen


def held() -> tuple[int, int]:
    """Resident bytes and open descriptors of this process, without what the allocator keeps for later."""
    gc.collect()
    with contextlib.suppress(AttributeError):  # glibc's alone
        ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss, len(os.listdir("/proc/self/fd"))


def soak(model: bindrt.Model, expected: dict[str, np.ndarray], first: int, seconds: float) -> list[Seen]:
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda seed: work(model, expected, seed, until), range(first, first + THREADS)))


@pytest.mark.deep
def test_four_threads_for_a_minute(small_bundle: Path) -> None:
    with bindrt.load(small_bundle) as model:
        # Alone, in one thread.
        expected = {
            m: np.concatenate([model.embed(**{m: [i]})[m] for i in items]) for m, items in GOOD.items()
        }  # type: ignore[arg-type]
        warm = soak(model, expected, 100, WARM_UP)
        memory, descriptors = held()
        seen = soak(model, expected, 200, SECONDS)
        memory_after, descriptors_after = held()
        stats = model.stats()
    calls, items, planted = (sum(getattr(s, n) for s in seen) for n in ("calls", "items", "planted"))
    print(
        f"\n{calls} calls, {items} items, {planted} bad in {SECONDS:.0f} s of {THREADS} threads;"
        f" worst difference {max(s.worst for s in seen):.1e};"
        f" resident {memory >> 20} → {memory_after >> 20} MiB;"
        f" descriptors {descriptors} → {descriptors_after}"
    )
    assert [w for s in [*warm, *seen] for w in s.wrong] == []
    assert min(s.calls for s in seen) >= 20
    assert 0.05 * items < planted < 0.15 * items
    assert memory_after - memory < GROWTH_BYTES
    assert descriptors_after <= descriptors
    counted = sum(s["items"] + s["errors"] for s in stats.values())
    assert counted == sum(len(v) for v in GOOD.values()) + sum(s.items for s in [*warm, *seen])
