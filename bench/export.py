"""``bind-export`` as a user runs it, in a process of its own: time, peak memory, size of the bundle.

imagebind_huge's layout with random weights, unless a checkpoint is given. Other benches take the bundle.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.paths import HUGE
from bindrt.benchmark.machine import describe_machine
from bindrt.benchmark.results import write_json


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


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench export", description=__doc__)
    parser.add_argument("--checkpoint", default="random:0", help="default: imagebind_huge, random weights")
    parser.add_argument("--bundle", type=Path, default=HUGE, help="what to write; 5 GB")
    parser.add_argument("--keep", action="store_true", help="reuse what an earlier export has left there")
    parser.add_argument("--json", type=Path, metavar="OUT")
    args = parser.parse_args(arguments)
    result = {"machine": describe_machine(), "export": measure(args.checkpoint, args.bundle, args.keep)}
    found = result["export"]
    reused = f" (reused: {', '.join(found['reused'])})" if found["reused"] else ""
    print(
        f"bind-export {found['checkpoint']}: {found['seconds']:.1f} s, "
        f"peak memory {found['peak_rss_bytes'] / 1e9:.2f} GB, bundle {found['bytes'] / 1e9:.2f} GB{reused}"
    )
    if args.json:
        write_json(args.json, result)
    return 0
