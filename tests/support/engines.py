"""Engines that do what a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from bindrt import Engine
from bindrt.errors import EngineError


class SimulatedEngine:
    """Writes (sum of the row, 1, 0, …); waits for ``gate``, and calls ``before`` with the rows.

    The gate is open at first, unless ``held``.
    """

    name = "simulated"
    device = "cpu"
    precision = "fp32"

    def __init__(
        self, max_batch: int = 8, before: Callable[[np.ndarray], None] | None = None, held: bool = False
    ) -> None:
        self.max_batch = max_batch
        self.gate = threading.Event()
        if not held:
            self.gate.set()
        self.entered = threading.Event()
        self.batches: list[int] = []
        self._before = before

    def run(self, inputs: np.ndarray, out: np.ndarray) -> None:
        self.batches.append(len(inputs))
        self.entered.set()
        assert self.gate.wait(60)
        if self._before is not None:
            self._before(inputs)
        out[...] = 0
        out[:, 0] = inputs.reshape(len(inputs), -1).sum(axis=1)
        out[:, 1] = 1


def fails_on(number: int) -> Callable[[np.ndarray], None]:
    def check(rows: np.ndarray) -> None:
        if (rows == number).any():
            raise EngineError("simulated", f"there is a {number}")

    return check


def needs_memory_for(most: int) -> Callable[[np.ndarray], None]:
    def check(rows: np.ndarray) -> None:
        if len(rows) > most:
            raise EngineError("simulated", "Failed to allocate memory for requested buffer")

    return check


class GatedEngine:
    """Another engine behind a gate, which is open at first."""

    def __init__(self, engine: Engine) -> None:
        self.name, self.device = engine.name, engine.device
        self.precision, self.max_batch = engine.precision, engine.max_batch
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self._run = engine.run

    def run(self, inputs: np.ndarray, out: np.ndarray) -> None:
        self.entered.set()
        assert self.gate.wait(60)
        self._run(inputs, out)
