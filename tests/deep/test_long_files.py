"""``Model.windows`` over long files: its memory does not grow with their length."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.streams import windows as bench_windows

pytestmark = pytest.mark.deep
#: MiB that memory may grow by from the second quarter of a file to its last: allocators keep some. The inputs
#: of all windows are hundreds.
SLACK = 24
PROGRAM = """
import sys
from pathlib import Path
from types import SimpleNamespace
from bench.streams import windows
path = Path(sys.argv[1])
modality = windows.FORMATS[path.suffix[1:]]
found = windows.watched(windows.embed(path, modality, SimpleNamespace(window=2.0, hop=1.0)))
print(found["items"], found["drift_mib"])
"""


@pytest.mark.parametrize(("name", "minutes"), [("long.m4a", 60), ("long.flac", 60), ("long.mp4", 10)])
def test_memory_stays_flat(tmp_path: Path, name: str, minutes: int) -> None:
    path = bench_windows.make(tmp_path / name, minutes)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    items, growth = (float(number) for number in done.stdout.split())
    longer = 0.05 * minutes if name.endswith("m4a") else 0.0  # a minute of AAC is whole packets of 23 ms
    assert 60 * minutes - 2 <= items <= 60 * minutes + longer
    assert growth < SLACK
