"""Python's objects that an item's rows lie in are freed by a thread that has the interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

#: Arrays that note their end, as memory that the engine reads in place. Freed without the interpreter they
#: crash the process, so it is one of its own.
SCRIPT = """
import asyncio, gc, sys, threading
from dataclasses import replace
import numpy as np
import bindrt

freed = []

class Noted(np.ndarray):
    def __del__(self):
        freed.append(threading.current_thread().name)

def noted(prepare):
    def views(*arguments):
        found = prepare(*arguments)
        return replace(found, array=found.array.copy().view(Noted))
    return views

with bindrt.load(sys.argv[1]) as model:
    model._preparation.views = noted(model._preparation.views)
    views = model.engine("imu").max_batch  # that many are read where they are
    items = [bindrt.Prepared(np.ones((views, 6, 2000), np.float32), views=True) for _ in range(40)]
    calls = {
        "embed": lambda: model.embed(imu=items),
        "aembed": lambda: asyncio.run(model.aembed(imu=items)),
        "stream": lambda: list(model.stream("imu", items)),
        "submit": lambda: [future.result() for future in model.submit_many("imu", items)],
    }
    calls[sys.argv[2]]()
    assert model.stats()["imu"]["pipeline"]["rows_borrowed"] == 40 * views
gc.collect()
print(len(freed))
"""


@pytest.mark.parametrize("call", ["embed", "aembed", "stream", "submit"])
def test_memory_that_was_borrowed(small_bundle: Path, call: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(small_bundle), call], capture_output=True, text=True, timeout=120
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, "40"), ran.stderr
