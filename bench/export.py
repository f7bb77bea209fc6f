"""``bind-export`` as a user runs it, in a process of its own: time, peak memory, size."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any


def measure(checkpoint: str, output: Path, keep: bool) -> dict[str, Any]:
    """Export to ``output``, from nothing unless ``keep``; memory is the process's peak resident set."""
    if not keep:
        shutil.rmtree(output, ignore_errors=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    script = Path(sys.executable).parent / "bind-export"
    start = perf_counter()
    process = subprocess.Popen(
        [str(script), checkpoint, "-o", str(output), "--json"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    report = json.loads(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"bind-export failed with status {status}")
    return {
        "checkpoint": checkpoint,
        "seconds": perf_counter() - start,
        "peak_rss_bytes": usage.ru_maxrss * 1024,
        "bytes": report["bytes"],
        "reused": [name for name, e in report["encoders"].items() if e["reused"]],
        "encoders": {
            name: {"seconds": e["seconds"], "difference_to_torch": e["difference_to_torch"]}
            for name, e in report["encoders"].items()
        },
    }
