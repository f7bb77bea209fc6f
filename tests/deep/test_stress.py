"""Each op with a hundred thousand random shapes, strides, rates and options, under the sanitizers."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from support import cpp

CASES = 100_000
SCHEDULES = 10_000  # of the pipeline: each has threads and delays
#: Programs whose cases come from outside: files, texts and arrays of users.
DOORS = (
    *("stress_picture_files", "stress_segments", "stress_sound", "stress_film"),
    *("stress_tokenizer", "stress_prepare"),
)
FILES = 1_000_000
HOURS = 7200  # seconds, at most


@pytest.mark.deep
@pytest.mark.parametrize("name", cpp.STRESS)
def test_random_cases(name: str, tmp_path: Path) -> None:
    if reason := cpp.missing("address,undefined", tmp_path):
        pytest.skip(reason)
    cases = SCHEDULES if name == "stress_pipeline" else FILES if name in DOORS else CASES
    program = cpp.build("address,undefined", "stress") / "tests" / "cpp" / name
    start = time.monotonic()
    done = cpp.run([str(program), str(cases)], cwd=tmp_path, timeout=HOURS)
    print(f"\n{name}: {' '.join(done.stdout.split()[-6:])} in {time.monotonic() - start:.0f} s")
    cpp.require_clean(done, f"{cases} cases")


@pytest.mark.deep
def test_schedules_without_races(tmp_path: Path) -> None:
    if reason := cpp.missing("thread", tmp_path):
        pytest.skip(reason)
    program = cpp.build("thread", "stress_pipeline") / "tests" / "cpp" / "stress_pipeline"
    done = cpp.run([str(program), str(SCHEDULES)], cwd=tmp_path)
    cpp.require_clean(done, f"{SCHEDULES} cases")
