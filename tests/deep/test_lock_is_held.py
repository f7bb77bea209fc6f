"""A module that checks the lock wherever it counts a reference: no thread forgets to take it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import cpp

CHECKS = "-DCMAKE_CXX_FLAGS=-DPYBIND11_ASSERT_GIL_HELD_INCREF_DECREF"
ROOMS = ("pipeline", "isolation", "streams", "engines", "serving")
#: Which module was tested, told before the tests.
RUN = """
import sys
sys.path.insert(0, sys.argv[1])
import pytest
from bindrt import _core
print(_core.__file__)
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[2:]]))
"""


@pytest.mark.deep
def test_every_reference_is_counted_under_the_lock(tmp_path: Path) -> None:
    package = cpp.build_core(cpp.ROOT, tmp_path, "-DBINDRT_CUDA=off", CHECKS)
    rooms = [str(cpp.ROOT / "tests/runtime" / room) for room in ROOMS]
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(package.parent), *rooms],
        cwd=cpp.ROOT,
        env={**os.environ, "PYTHONPATH": str(package.parent)},  # also for processes that tests start
        capture_output=True, text=True, timeout=3600, check=False,
    )  # fmt: skip
    assert str(package) in done.stdout, done.stderr
    assert done.returncode == 0, done.stdout[-8000:]
