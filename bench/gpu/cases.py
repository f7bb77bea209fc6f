"""What is run on the GPU, with which inputs, and how near to the CPU side it must come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt import _core

Array = npt.NDArray[Any]
#: What the device made, and the seconds of each round.
Result = tuple[Array, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Case:
    """One op on one input.

    Attributes:
        op: the op, as in ``kernels/<op>.h``.
        name: what the input is, for people.
        cpu: what is right.
        gpu: the same on a device, so many times; returns the result and the seconds of each time.
        tolerance: the largest difference from ``cpu`` that is allowed; 0 means the same bits.
        bytes: what the device must at least read and write of its memory for it.
    """

    op: str
    name: str
    cpu: Callable[[], Array]
    gpu: Callable[[int], Result]
    tolerance: float
    bytes: int


def cases(small: bool) -> Iterator[Case]:
    """All cases: small ones for the simulator and the tests, or those that are measured."""
    for half in (False, True):
        yield from pool(small, half)
        yield from imu(small, half)


def number_type(half: bool) -> str:
    return "float16" if half else "float32"


def pool(small: bool, half: bool) -> Iterator[Case]:
    rng = np.random.default_rng(1)
    items, dim = (3, 70) if small else (4096, 1024)
    for weighted in (False, True):
        counts = rng.integers(1, 16, items)
        rows = int(counts.sum())
        views = rng.standard_normal((rows, dim), np.float32)
        weights = rng.random(rows, np.float32) if weighted else None

        def cpu(v: Array = views, c: Array = counts, w: Array | None = weights) -> Array:
            pooled = _core.pool_views(v, c, w, scale=20.0)
            return pooled.astype(np.float16) if half else pooled

        def gpu(rounds: int, v: Array = views, c: Array = counts, w: Array | None = weights) -> Result:
            return _core.gpu.pool_views(v, c, w, scale=20.0, half=half, rounds=rounds)

        name = f"{rows} views of {items} items, {dim} numbers{', weights' if weighted else ''}"
        size = 2 if half else 4
        # Both sum in double and round once; sums of squares in another order may round to the neighbour.
        nearest = 2.0**-11 if half else 2.0**-24
        yield Case(
            "pool",
            f"{name}, {number_type(half)}",
            cpu,
            gpu,
            16 * 2 * nearest,
            4 * views.size + size * items * dim,
        )


def imu(small: bool, half: bool) -> Iterator[Case]:
    rng = np.random.default_rng(2)
    items, count, rate = (2, 90, 97.3) if small else (256, 1000, 200.0)
    samples = rng.standard_normal((items, 6, count), np.float32)
    gain, offset = [0.5] * 3 + [2.0] * 3, [0.25, 0, 0, -1, 0, 0]
    used = _core.check_imu_times(rate, count, float("inf"))["used"]

    def cpu() -> Array:
        grids = (_core.imu_grid(item[:, :used], rate, gain, offset, half=half)[0] for item in samples)
        return np.stack(list(grids))

    def gpu(rounds: int) -> Result:
        grids, bad, seconds = _core.gpu.imu_grid(samples, rate, gain, offset, half=half, rounds=rounds)
        assert not bad.any(), bad
        return grids, seconds

    size = 2 if half else 4
    moved = 4 * items * 6 * used + size * items * 6 * 2000
    yield Case("imu", f"{items} of {count} samples at {rate:g} Hz, {number_type(half)}", cpu, gpu, 0.0, moved)
