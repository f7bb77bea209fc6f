"""Many sensors on one core: ``--part many``.

32 inertial sensors of 400 Hz and 4 microphones of 48 kHz, played in real time, in a process that may use one
core: for pushing, preparing and bind-tiny. No window may be dropped, and no push refused.
"""

from __future__ import annotations

import sys
from typing import Any

from bindrt.benchmark.json_process import ask_once

SUMMARY = "32 imu and 4 audio streams at once on one core"
IMU, AUDIO = 32, 4


def add_options(parser: Any) -> None:
    parser.add_argument("--many-seconds", type=float, default=20.0, help="that are played (default 20)")
    parser.add_argument(
        "--imu-samples", type=int, nargs="+", default=[1, 10], help="in a push, one run each (default 1 10)"
    )
    parser.add_argument("--core", type=int, help="the core; default: the last one that this process may use")


def run(options: Any) -> dict[str, Any]:
    """Measures and prints a line a run."""
    runs = []
    for samples in options.imu_samples:
        request = {
            "seconds": options.many_seconds,
            "imu": IMU,
            "audio": AUDIO,
            "samples": samples,
            "core": options.core,
        }
        runs.append(ask_once([sys.executable, "-m", "bench.streams.many_worker"], request))
        print(line(runs[-1]), flush=True)
    return {"runs": runs}


def line(found: dict[str, Any]) -> str:
    return (
        f"many, {found['imu']} imu ({found['samples']} samples a push) and {found['audio']} audio on core "
        f"{found['core']}: {found['delivered']} of {found['expected']} windows in {found['seconds']:.0f} s, "
        f"{found['dropped']} dropped, {found['refused']} pushes refused; the core {100 * found['busy']:.0f} "
        f"% busy; staleness p99 {1e3 * found['staleness_p99']:.0f} ms; pushes at most "
        f"{1e3 * found['most_late']:.0f} ms late"
    )
