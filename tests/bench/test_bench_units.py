"""The processor's peaks: a program that is compiled here, and what it says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench import units
from bindrt import _core

#: A feature of the processor, and the type of number that it has a unit for.
HAS = {"fma": "fp32", "avx512bf16": "bf16", "amx_bf16": "bf16", "avx512vnni": "int8", "avx_vnni": "int8",
       "neon": "fp32", "i8mm": "int8", "dotprod": "int8"}  # fmt: skip


@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler")
def test_peaks_are_those_of_the_units_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "PROGRAM", tmp_path / "peak")
    found = units.measure(threads=1, seconds=0.001, read=1 << 20)
    features = _core.build_info()["cpu_features"]
    assert set(found.units) == {kind for name, kind in HAS.items() if features.get(name)}
    assert all(unit.operations > 1e8 and unit.name for unit in found.units.values())
    assert found.bytes > 1e7
    made = units.PROGRAM.stat().st_mtime_ns
    assert units.compiled().stat().st_mtime_ns == made
