"""The runner of dangerous runs sees a crash, a hang, a wrong exception and a forbidden deed, and goes on."""

from __future__ import annotations

import mmap
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from support import isolated

SECONDS = 2


def misbehave(number: int) -> str:
    if number == 1:
        os.kill(os.getpid(), signal.SIGSEGV)
    if number == 2:
        time.sleep(60)
    if number == 3:
        raise ValueError("not ours")
    if number == 4:
        Path("/dev/null").open("w").close()
    return "result"


def test_each_kind_of_death_is_told_and_the_rest_is_run(tmp_path: Path) -> None:
    report = isolated.run(lambda first: [__file__, str(tmp_path), str(first)], 0)
    assert report.outcomes == dict.fromkeys((0, 4, 5), "result")
    crash, hang, wrong, did = report.wrong
    assert crash.startswith("run 1 ended the process (-11)")
    assert hang.startswith("run 2 hung")
    assert wrong == "run 3 ended in ValueError('not ours')"
    assert "run 4 did open" in did
    assert "/dev/null" in did


def test_a_script_that_does_not_start_is_told() -> None:
    report = isolated.run(lambda first: ["-c", "import no_such_module"], 0)
    assert "No module named 'no_such_module'" in report.wrong[0]


@pytest.mark.parametrize(("leak", "grows"), [(0, False), (1 << 14, True)])
def test_resident_bytes_show_a_leak(leak: int, grows: bool) -> None:
    kept = [isolated.resident()]
    blocks = []  # maps of their own: the allocator may have freed memory to spare
    for _ in range(3):
        for _ in range(500 if leak else 0):
            blocks.append(mmap.mmap(-1, leak))
            blocks[-1].write(b"x" * leak)
        kept.append(isolated.resident())
    assert (kept[-1] - kept[1] > 10 << 20) == grows, kept
    del blocks


if __name__ == "__main__":
    first = int(sys.argv[2])
    isolated.serve(misbehave, range(first, 6), Path(sys.argv[1]), seconds_a_run=SECONDS)
