"""What a Python model frees stays with its process, so that the next request has no page faults."""

from __future__ import annotations

import subprocess
import sys

# The sizes of a picture's views and pixels. A process of its own: the setting holds for all of it.
_FAULTS = """
import resource, sys
import numpy as np
from bindrt.triton.memory import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()

def requests(count):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(count):
        held = [np.ones(size, np.uint8) for size in (1 << 20,) * 4]
        del held
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

requests(5)
print(requests(20) / 20)
"""


def faults(way: str) -> float:
    """Page faults of each request."""
    command = [sys.executable, "-c", _FAULTS, way]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


def test_the_next_request_takes_the_memory_of_the_last() -> None:
    assert faults("usual") > 500  # 4 MiB are 1024 pages
    assert faults("kept") < 50
