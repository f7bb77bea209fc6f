"""The CUDA kernels on the CPU: under the sanitizers, the race check, and several orders of their threads."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest

from support import cpp, cudasim


@pytest.fixture(scope="module", autouse=True)
def _can_build(tmp_path_factory: pytest.TempPathFactory) -> None:
    if reason := cpp.missing("address,undefined", tmp_path_factory.mktemp("probe")):
        pytest.skip(reason)


@pytest.mark.parametrize(("kind", "options"), cudasim.RUNS)
@pytest.mark.parametrize("program", cudasim.PROGRAMS)
def test_program(program: str, kind: str, options: str, tmp_path: Path) -> None:
    assert not (output := cudasim.problems(kind, program, options, tmp_path)), output


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(2, 22))
@pytest.mark.parametrize("kind", ["plain", "race"])
@pytest.mark.parametrize("program", cudasim.PROGRAMS)
def test_random_schedules(program: str, kind: str, seed: int, tmp_path: Path) -> None:
    options = f"order=random,seed={seed},poison={seed * 37 % 256},switch={seed % 7}"
    assert not (output := cudasim.problems(kind, program, options, tmp_path)), output


def test_from_python() -> None:
    rows = np.arange(35, dtype=np.float32).reshape(5, 7)
    sums = np.empty(5, dtype=np.float32)
    cudasim.call(
        "cudasim_example_sum_rows", ctypes.c_void_p(rows.ctypes.data), 5, 7, ctypes.c_void_p(sums.ctypes.data)
    )
    assert np.array_equal(sums, rows.sum(axis=1))


def test_failure_in_python() -> None:
    with pytest.raises(RuntimeError, match="BINDRT_CUDASIM: no such order: sideways"):
        cudasim.call("cudasim_options", b"order=sideways")
