"""A minute of four threads on one model: the same vectors as alone, errors where planted, nothing leaks."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from support.soak import GOOD, form, held

SECONDS, WARM_UP, THREADS = 60.0, 15.0, 4
#: Alone or among others an engine may sum in another order; of coordinates of unit vectors.
BOUND = 2e-6
#: What may still be held more than after the warm-up: caches, and fragments of the threads' arenas.
GROWTH_BYTES = 64 << 20
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
