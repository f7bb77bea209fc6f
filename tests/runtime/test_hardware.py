"""What the process is told of itself."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from bindrt.hardware import peak_memory

CHILD = "from bindrt.hardware import peak_memory; print(peak_memory())"


def test_a_childs_peak_is_its_own() -> None:
    ballast = np.ones(600 << 20, np.uint8)
    assert peak_memory() >= ballast.nbytes
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    assert 1 << 20 < int(done.stdout) < ballast.nbytes // 2
