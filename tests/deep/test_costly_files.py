"""Small files that would cost much, with the limits as they are by default: within 10 s and 1 GB each.

One is run again with ``PYTHONPATH=tests python tests/deep/test_costly_files.py FOLDER NUMBER``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import bindrt
from support import costly_pictures, costly_recordings, isolated

MAKERS = {**costly_pictures.MAKERS, **costly_recordings.MAKERS}
SECONDS, BYTES = 10, 1 << 30
NAMES = list(MAKERS)


def run_one(folder: Path, number: int) -> str:
    """What came of it, and the most memory of the process on the way, in bytes."""
    modality, _ = MAKERS[NAMES[number]]
    try:
        prepared = bindrt.preprocess.prepare(modality, folder / str(number))
    except bindrt.InputError as error:
        outcome = type(error).__name__
    else:
        assert np.isfinite(prepared.array).all()
        outcome = "result"
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
    return f"{outcome} {peak}"


@pytest.mark.deep
@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_within_time_and_memory(number: int, tmp_path: Path) -> None:
    (tmp_path / str(number)).write_bytes(MAKERS[NAMES[number]][1]())
    report = isolated.run(lambda first: [__file__, str(tmp_path), str(first)], number)
    assert report.wrong == []
    outcome, peak = report.outcomes[number].split()
    print(f"\n{NAMES[number]}: {outcome}, {report.seconds:.1f} s, {int(peak) >> 20} MiB")
    assert int(peak) <= BYTES


if __name__ == "__main__":
    place = Path(sys.argv[1])
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak: it is inherited from who started this
    isolated.serve(lambda n: run_one(place, n), [int(sys.argv[2])], place, seconds_a_run=SECONDS)
