"""Streams that are played in this process on one core: ``python -m bench.streams.many_worker``.

Reads the request from the standard input: seconds, imu and audio (how many streams), samples (of a push of
imu), core (or null). The core is chosen before bindrt is imported, so that all threads see it.
"""

from __future__ import annotations

import json
import math
import os
import sys
from time import perf_counter, process_time
from typing import Any

from bench.replies import open_replies

HOPS = {"imu": 1.0, "audio": 0.5}
WINDOWS = {"imu": 5.0, "audio": 2.0}
_RATE, _BLOCK, _IMU_RATE = 48000, 0.01, 400


def main() -> int:
    send = open_replies()
    request = json.loads(sys.stdin.readline())
    core = max(os.sched_getaffinity(0)) if request["core"] is None else request["core"]
    os.sched_setaffinity(0, {core})
    send(
        {
            **request,
            "core": core,
            **played(**{name: request[name] for name in ("seconds", "imu", "audio", "samples")}),
        }
    )
    return 0


def played(seconds: float, imu: int, audio: int, samples: int) -> dict[str, Any]:
    """Plays all sensors for so long; what became of their windows, and how busy the processor was."""
    import numpy as np

    import bindrt
    from bench.streams.sensors import ticks

    random = np.random.default_rng(0)
    motion, block = random.normal(0, 1, (6, samples)), random.normal(0, 0.1, (1, 480)).astype(np.float32)
    steps, every = np.arange(samples), samples / _IMU_RATE
    staleness: list[float] = []
    with bindrt.load("tiny", modalities=("imu", "audio")) as model:
        model.warm_up()

        def opened(modality: str, count: int, **options: Any) -> list[Any]:
            return [
                model.live(  # type: ignore[call-overload]
                    modality, policy="all", hop=HOPS[modality], queue=16,
                    on_result=lambda window: staleness.append(window.staleness), **options,
                )
                for _ in range(count)
            ]  # fmt: skip

        motions, sounds = opened("imu", imu), opened("audio", audio, rate=_RATE)
        refused, heard, late = 0, 0, 0.0
        start, used = perf_counter(), process_time()
        for number in ticks(every, seconds):
            late = max(late, perf_counter() - start - number * every)
            times = (number * samples + steps) / _IMU_RATE
            for stream in motions:
                refused += _refused(stream, motion, times)
            while heard * _BLOCK <= number * every:
                for stream in sounds:
                    refused += _refused(stream, block, heard * _BLOCK)
                heard += 1
        for stream in motions + sounds:
            stream.close(drain=True)
        busy = (process_time() - used) / (perf_counter() - start)
        stats = [stream.stats() for stream in motions + sounds]
    fed = {"imu": (round(seconds / every) * samples) / _IMU_RATE, "audio": heard * _BLOCK}
    expected = {m: max(math.floor((fed[m] - WINDOWS[m]) / HOPS[m] + 1e-6) + 1, 0) for m in fed}
    return {
        "expected": expected["imu"] * imu + expected["audio"] * audio,
        "delivered": sum(each["delivered"] - each["failed"] for each in stats),
        "dropped": int(sum(each["dropped"] + each["unread"] + each["windows_lost"] for each in stats)),
        "refused": refused,
        "busy": busy,
        "most_late": late,
        "staleness_p50": float(np.percentile(staleness, 50)),
        "staleness_p99": float(np.percentile(staleness, 99)),
    }


def _refused(stream: Any, data: Any, time: Any) -> int:
    from bindrt.errors import Overloaded

    try:
        stream.push(data, time)
    except Overloaded:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
