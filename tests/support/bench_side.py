"""A side of the kernels bench for its tests: needs NumPy only, and behaves as libraries do."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from bench.kernels.alternative import Call, alternative

PACKAGES = ("numpy",)


def configure(level: str) -> str:
    return f"({level})"


@alternative("sum", "quick", "ours")
def quick(path: str, threads: int) -> Call:
    values = np.load(path)
    return lambda: values.sum(keepdims=True)


@alternative("sum", "slow", "original")
def slow(path: str, threads: int) -> Call:
    values = np.load(path)

    def run() -> Any:
        print("libraries print")
        time.sleep(0.002)
        return values.sum(keepdims=True) + 0.25

    return run


@alternative("sum", "broken", same_work=False, note="never works")
def broken(path: str, threads: int) -> Call:
    raise RuntimeError("no such device\nand more")


@alternative("sum", "nothing", "limit")
def nothing(path: str, threads: int) -> Call:
    return lambda: None


@alternative("cores", "count", "ours")
def cores(threads: int) -> Call:
    return lambda: [len(os.sched_getaffinity(0)), int(os.environ["OMP_NUM_THREADS"]), threads]
